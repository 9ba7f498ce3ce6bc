using Matrix.ClientApi.Sync.Devices;

namespace Matrix.ClientApi.Sync.Sliding;

/// <summary>Whose keys the client has to ask for again, and what is left of its own, which every answer says: clients upload keys by it.</summary>
sealed class E2eeExtension(DeviceListReader deviceLists, OneTimeKeyCounts keyCounts)
{
    public async Task Fill(ExtensionContext context, CancellationToken ct)
    {
        var (request, result) = (context.Request, context.Result);
        if (request.Since is { } since && since < result.Position)
        {
            var rooms = new UserRooms(context.Memberships, result.Position);
            result.Extensions.DeviceLists = await deviceLists.ReadSince(request.UserId, request.DeviceId, since, rooms, ct);
        }
        result.Extensions.KeyCounts = await keyCounts.Get(request.UserId, request.DeviceId, ct);
    }
}
