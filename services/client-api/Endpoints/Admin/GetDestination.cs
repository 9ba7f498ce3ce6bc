using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage.Federation;

namespace Matrix.ClientApi.Endpoints.Admin;

/// <summary>GET /_synapse/admin/v1/federation/destinations/{destination}</summary>
static class GetDestination
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_synapse/admin/v1/federation/destinations/{destination}", Handle);

    static async Task<DestinationView> Handle(ServerName destination, Requester requester, DestinationStore store, CancellationToken ct)
    {
        requester.MustBeAdmin();
        return DestinationView.Of(await Find(store, destination, ct));
    }

    /// <exception cref="MatrixException">404: nothing is known of it.</exception>
    public static async Task<ShownDestination> Find(DestinationStore store, ServerName destination, CancellationToken ct) =>
        await store.ListShown(null, destination.ToString(), false, 0, 1, ct) is [var shown] ? shown : throw MatrixException.NotFound("Unknown destination");
}
