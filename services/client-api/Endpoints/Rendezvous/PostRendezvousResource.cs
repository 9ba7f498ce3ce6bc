using Matrix.Hosting.Configuration;
using Matrix.Http;

namespace Matrix.ClientApi.Endpoints.Rendezvous;

/// <summary>POST /_matrix/client/unstable/org.matrix.msc4108/rendezvous</summary>
static class PostRendezvousResource
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/client/unstable/org.matrix.msc4108/rendezvous", Handle);

    static async Task<IResult> Handle(
        HttpContext context, OptionalRequester requester, MeetingPlaces places, HomeserverOptions homeserver, CancellationToken ct)
    {
        var made = await places.Create(await RendezvousResource.ReadText(context.Request, ct), "text/plain", requester.Value, context, ct);
        var url = RendezvousResource.UrlOf(made, homeserver, context.Request);
        context.Response.Describe(made);
        context.Response.Headers.Location = url;
        return Results.Json(new Response(url), MatrixJson.Options, statusCode: StatusCodes.Status201Created);
    }

    sealed record Response(string Url);
}
