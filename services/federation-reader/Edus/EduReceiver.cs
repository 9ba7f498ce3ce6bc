using System.Text.Json;
using Matrix.Protocol;

namespace Matrix.FederationReader.Edus;

/// <summary>
/// Takes in what other servers tell besides events (Server-Server API, EDUs). May be told the same again: messages to devices know it by their id, the others
/// do no harm. What is no EDU of a known kind, or is about users of another server than the one that tells it, is passed over.
/// </summary>
sealed class EduReceiver(TypingReceiver typing, ReceiptReceiver receipts, PresenceReceiver presence, DeviceListReceiver devices, DeviceMessageReceiver messages)
{
    const int Most = 100;

    /// <summary>What has nothing to do with the events that came with it: messages to devices, and whose devices changed.</summary>
    public async Task ReceiveApart(ServerName origin, IReadOnlyList<JsonElement> edus, CancellationToken ct)
    {
        var byType = ByType(edus);
        // what must not get lost comes first
        await messages.Receive(origin, [.. byType["m.direct_to_device"]], ct);
        await devices.Receive(origin, [.. byType["m.device_list_update"], .. byType["m.signing_key_update"]], ct);
    }

    /// <summary>
    /// What is about events and members: those that came with it are here by now, or wait in the inbox. Who is there and who types is passed over if nothing is
    /// known of the user yet: it is true for a moment, and said again.
    /// </summary>
    /// <param name="late">The rooms of which events wait.</param>
    public async Task ReceiveAbout(ServerName origin, IReadOnlyList<JsonElement> edus, IReadOnlySet<long> late, CancellationToken ct)
    {
        var byType = ByType(edus);
        await receipts.Receive(origin, [.. byType["m.receipt"]], late, ct);
        await presence.Receive(origin, [.. byType["m.presence"]], ct);
        await typing.Receive(origin, [.. byType["m.typing"]], ct);
    }

    static ILookup<string, JsonElement> ByType(IReadOnlyList<JsonElement> edus) =>
        edus.Take(Most).Where(edu => edu.ValueKind == JsonValueKind.Object && edu.Text("edu_type") is not null && edu.Member("content") is not null)
            .ToLookup(edu => edu.Text("edu_type")!, edu => edu.Member("content")!.Value, StringComparer.Ordinal);
}
