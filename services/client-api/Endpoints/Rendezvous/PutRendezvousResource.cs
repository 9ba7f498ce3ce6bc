using Matrix.Http;
using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.Rendezvous;

/// <summary>PUT /_matrix/client/unstable/org.matrix.msc4108/rendezvous/{rendezvousId}</summary>
static class PutRendezvousResource
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPut("/_matrix/client/unstable/org.matrix.msc4108/rendezvous/{rendezvousId}", Handle);

    static async Task<IResult> Handle(string rendezvousId, HttpContext context, RendezvousStore store, CancellationToken ct)
    {
        var payload = await RendezvousResource.ReadText(context.Request, ct);
        var expected = context.Request.Headers.IfMatch.ToString();
        if (expected.Length == 0) throw MatrixException.MissingParam("If-Match");
        if (await store.Replace(rendezvousId, expected.Trim('"'), payload, "text/plain", ct) is not { } replaced)
        {
            var current = await store.Find(rendezvousId, ct) ?? throw MeetingPlaces.Gone();
            context.Response.Describe(current);
            throw new MatrixException(412, "M_UNKNOWN", "The other device was first.", ("org.matrix.msc4108.errcode", "M_CONCURRENT_WRITE"));
        }
        context.Response.Describe(replaced);
        return Results.StatusCode(StatusCodes.Status202Accepted);
    }
}
