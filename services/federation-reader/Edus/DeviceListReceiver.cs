using System.Text.Json;
using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Rooms.Devices;
using Matrix.Storage.Federation;

namespace Matrix.FederationReader.Edus;

/// <summary>
/// Whose devices and signing keys changed: m.device_list_update, m.signing_key_update. What they became is not taken from here but asked for when a client
/// wants it: so it does not matter which of these came, in which order, and whether one is missing before it.
/// </summary>
sealed class DeviceListReceiver(ReceivedEduStore store, LogWriter log)
{
    public async Task Receive(ServerName origin, IReadOnlyList<JsonElement> contents, CancellationToken ct)
    {
        string[] users = [.. contents.Select(content => content.Text("user_id")).OfType<string>().Where(user => origin.IsUserOf(user)).Distinct()];
        if (users.Length == 0)
            return;
        var present = await store.ListPresent(users, ct);
        if (present.Count > 0)
            await log.Append(new RemoteDevicesChanged([.. present]), ct);
    }
}
