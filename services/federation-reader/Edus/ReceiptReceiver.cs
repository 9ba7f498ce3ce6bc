using System.Text.Json;
using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Rooms.Unread;
using Matrix.Storage.Federation;
using Matrix.Storage.Sync;

namespace Matrix.FederationReader.Edus;

/// <summary>What users of other servers have read: m.receipt. A receipt at an event that is not here yet waits for it, and for its user's join.</summary>
sealed class ReceiptReceiver(ReceivedEduStore store, WaitingReceipts waiting, EduAcls acls, LogWriter log, TimeProvider time)
{
    const int Most = 1000;

    /// <param name="late">Rooms of which earlier events of this server wait in the inbox: whose join is among them may have read something already.</param>
    public async Task Receive(ServerName origin, IReadOnlyList<JsonElement> contents, IReadOnlySet<long> late, CancellationToken ct)
    {
        var told = contents.SelectMany(content => Read(origin, content)).Take(Most).ToList();
        if (told.Count == 0)
            return;
        var allowed = await acls.Allows([.. told.Select(receipt => RoomId.Parse(receipt.Room)).Distinct()], origin, ct);
        told.RemoveAll(receipt => !allowed.Contains(RoomId.Parse(receipt.Room)));
        var places = await store.ListReceiptPlaces([.. told.Select(r => r.Room)], [.. told.Select(r => r.User)], [.. told.Select(r => r.Event)], [.. late], ct);
        var (writing, early) = (new List<Task>(places.Count), new List<WaitingReceipt>());
        foreach (var place in places)
        {
            var (_, user, eventId, thread, ts) = told[(int)place.Number - 1];
            if (place.EventPosition is { } position)
                writing.Add(await log.Post(new ReceiptMoved(new Receipt(place.RoomNid, user, Receipt.Read, thread, eventId, ts, 0), position), ct));
            else
                early.Add(new WaitingReceipt(place.RoomNid, user, thread, eventId, ts, null));
        }
        await Task.WhenAll(writing);
        if (early.Count > 0)
            await waiting.Keep(origin.ToString(), early, ct);
    }

    IEnumerable<Told> Read(ServerName origin, JsonElement content)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        foreach (var room in content.EnumerateObject())
        {
            if (!RoomId.TryParse(room.Name, out _) || room.Value.Member("m.read") is not { } users)
                continue;
            foreach (var user in users.EnumerateObject())
            {
                if (!origin.IsUserOf(user.Name) || user.Value.ValueKind != JsonValueKind.Object || FirstEvent(user.Value) is not { } eventId)
                    continue;
                var data = user.Value.Member("data");
                yield return new Told(room.Name, user.Name, eventId, data?.Text("thread_id") ?? "", Math.Clamp(data?.Number("ts") ?? now, 0, now));
            }
        }
    }

    static string? FirstEvent(JsonElement receipt) =>
        receipt.TryGetProperty("event_ids", out var ids) && ids.ValueKind == JsonValueKind.Array && ids.GetArrayLength() > 0
            && ids[0].ValueKind == JsonValueKind.String && EventId.TryParse(ids[0].GetString(), out var eventId) ? eventId.ToString() : null;

    readonly record struct Told(string Room, string User, string Event, string Thread, long Ts);
}
