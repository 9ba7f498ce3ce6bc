using System.Buffers;
using Matrix.ClientApi.Sync;
using Matrix.ClientApi.Sync.Devices;
using Matrix.Http;

namespace Matrix.ClientApi.Endpoints.Keys;

/// <summary>GET /_matrix/client/v3/keys/changes</summary>
static class GetKeysChanges
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/keys/changes", Handle);

    // What changed after "to" is told too: the client would hear of it next.
    static async Task Handle(
        HttpContext context, string? from, string? to, Requester requester, SyncHub hub, DeviceListReader lists, CancellationToken ct)
    {
        if (string.IsNullOrEmpty(from) || string.IsNullOrEmpty(to))
            throw MatrixException.MissingParam(string.IsNullOrEmpty(from) ? "from" : "to");
        if (!SyncToken.TryParse(from, out var since) || !SyncToken.TryParse(to, out _))
            throw MatrixException.InvalidParam("'from' and 'to' must be tokens of this server.");
        var user = await hub.Acquire(requester.UserId.ToString(), ct);
        DeviceListChanges changes;
        try
        {
            changes = await lists.ReadSince(
                requester.UserId.ToString(), requester.DeviceId.ToString(), since.Position, await hub.GetRooms(user, ct), ct);
        }
        finally
        {
            hub.Release(user);
        }
        var output = new ArrayBufferWriter<byte>();
        DeviceWriter.Lists(new JsonSplicer(output), changes);
        await JsonBytes.Write(context, output.WrittenMemory, ct);
    }
}
