using Matrix.Protocol;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync;

/// <summary>
/// Gives the events of an answer the form in which servers exchange them, for who asks for it by <c>event_format</c> (Client-Server API, "Filtering").
/// Few do: they are read for this answer alone, so that no cache has to tell two forms of an event apart. What events show in their unsigned part, and
/// stripped state, are no such events and stay as they are.
/// </summary>
sealed class FederationFormat(SyncStore store)
{
    public async Task Apply(SyncResult result, CancellationToken ct)
    {
        var rooms = result.Joined.Concat(result.Left).ToList();
        var nids = rooms.SelectMany(room => room.Timeline.Events.Concat(room.State)).Select(e => e.Nid).ToHashSet();
        if (nids.Count == 0)
            return;
        var stored = (await store.ListEvents([.. nids], ct)).ToDictionary(row => row.EventNid);
        foreach (var room in rooms)
        {
            room.Timeline = room.Timeline with { Events = [.. room.Timeline.Events.Select(Convert)] };
            var state = room.State.ConvertAll(Convert);
            room.State.Clear();
            room.State.AddRange(state);
        }

        EncodedEvent Convert(EncodedEvent e)
        {
            var row = stored[e.Nid];
            var pdu = Pdu.FromStored(EventId.Parse(row.EventId), row.Json, e.Rules);
            var json = ClientEvent.EncodeAsFederated(row.RedactedBy is null && !e.IsCut ? pdu : pdu.Redact());
            return e with { Head = json.AsMemory(0, json.Length - 1) };
        }
    }
}
