using Matrix.Http;

namespace Matrix.ClientApi.Endpoints.Spaces;

/// <summary>GET /_matrix/client/unstable/uk.half-shot.msc2666/user/mutual_rooms, the name before version 1.19 of the specification</summary>
static class GetUnstableMutualRooms
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/unstable/uk.half-shot.msc2666/user/mutual_rooms", Handle);

    static async Task<Response> Handle(HttpContext context, Requester requester, MutualRooms mutual, CancellationToken ct)
    {
        var page = await mutual.Read(context, "batch_token", requester, ct);
        return new Response(page.Joined, page.Next);
    }

    sealed record Response(IReadOnlyList<string> Joined, string? NextBatchToken);
}
