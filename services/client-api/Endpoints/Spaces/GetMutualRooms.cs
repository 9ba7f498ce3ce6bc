using Matrix.Http;

namespace Matrix.ClientApi.Endpoints.Spaces;

/// <summary>GET /_matrix/client/v1/mutual_rooms</summary>
static class GetMutualRooms
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v1/mutual_rooms", Handle);

    static async Task<Response> Handle(HttpContext context, Requester requester, MutualRooms mutual, CancellationToken ct)
    {
        var page = await mutual.Read(context, "from", requester, ct);
        return new Response(page.Joined, page.Count, page.Next);
    }

    sealed record Response(IReadOnlyList<string> Joined, int Count, string? NextBatch);
}
