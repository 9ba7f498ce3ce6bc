namespace Matrix.ClientApi.Endpoints.Rendezvous;

/// <summary>GET /_matrix/client/unstable/io.element.msc4388/rendezvous/{rendezvousId}</summary>
static class GetRendezvous
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/unstable/io.element.msc4388/rendezvous/{rendezvousId}", Handle);

    static async Task<Response> Handle(string rendezvousId, HttpContext context, MeetingPlaces places, TimeProvider time, CancellationToken ct)
    {
        var found = await places.Get(rendezvousId, context, ct);
        return new Response(found.Payload, found.Sequence, (long)(found.ExpiresAt - time.GetUtcNow()).TotalMilliseconds);
    }

    sealed record Response(string Data, string SequenceToken, long ExpiresInMs);
}
