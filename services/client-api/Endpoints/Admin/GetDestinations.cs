using Matrix.Http;
using Matrix.Storage.Federation;

namespace Matrix.ClientApi.Endpoints.Admin;

/// <summary>GET /_synapse/admin/v1/federation/destinations</summary>
static class GetDestinations
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_synapse/admin/v1/federation/destinations", Handle);

    static async Task<Response> Handle(
        long? from, int? limit, string? dir, string? destination, Requester requester, DestinationStore store, CancellationToken ct)
    {
        requester.MustBeAdmin();
        var page = AdminPage.Read(from, limit, dir);
        var shown = await store.ListShown(destination, null, page.Backwards, page.From, page.Limit, ct);
        var total = shown.Count > 0 ? shown[0].Total : 0;
        return new Response([.. shown.Select(DestinationView.Of)], total, page.Next(total));
    }

    sealed record Response(DestinationView[] Destinations, long Total, string? NextToken);
}
