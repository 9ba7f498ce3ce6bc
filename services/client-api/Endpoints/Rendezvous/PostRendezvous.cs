using Matrix.Http;

namespace Matrix.ClientApi.Endpoints.Rendezvous;

/// <summary>POST /_matrix/client/unstable/io.element.msc4388/rendezvous</summary>
static class PostRendezvous
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/client/unstable/io.element.msc4388/rendezvous", Handle);

    static async Task<Response> Handle(
        Body<Request> body, OptionalRequester requester, HttpContext context, MeetingPlaces places, TimeProvider time, CancellationToken ct)
    {
        var made = await places.Create(body.Value.Data, "text/plain", requester.Value, context, ct);
        return new Response(made.RendezvousId, made.Sequence, (long)(made.ExpiresAt - time.GetUtcNow()).TotalMilliseconds);
    }

    sealed record Request(string Data);

    sealed record Response(string Id, string SequenceToken, long ExpiresInMs);
}
