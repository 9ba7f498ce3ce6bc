using System.Text.Json;
using Matrix.Federation;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Storage.Federation;

namespace Matrix.ClientApi.Endpoints.Admin;

/// <summary>POST /_synapse/admin/v1/federation/destinations/{destination}/reset_connection</summary>
static class PostResetConnection
{
    public static void Map(IEndpointRouteBuilder app) =>
        app.MapPost("/_synapse/admin/v1/federation/destinations/{destination}/reset_connection", Handle);

    // Whoever has something for it tries at once.
    static async Task<Empty> Handle(
        ServerName destination, Requester requester, DestinationStore store, DestinationBackoff backoff, EphemeralChannel channel, CancellationToken ct)
    {
        requester.MustBeAdmin();
        if ((await GetDestination.Find(store, destination, ct)).FailingSince is null)
            throw new MatrixException(400, "M_UNKNOWN", "The retry timing does not need to be reset for this destination.");
        if (!await backoff.Succeeded(destination, ct))
            channel.Tell(JsonSerializer.SerializeToUtf8Bytes(new ServerHeard(ServerHeard.KindName, destination.ToString())));
        return default;
    }
}
