using System.Text;
using System.Text.Json;
using Matrix.ClientApi.Sync.Visibility;
using Matrix.Protocol;
using Matrix.Rooms.State;
using Matrix.Storage.Rooms;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync;

/// <summary>What somebody is shown of a room who was invited to it or knocks at it (Client-Server API, "Stripped state").</summary>
sealed class StrippedStateReader(
    StateTree states, EventCache events, StrippedStateStore outside, IgnoredUsers ignoredUsers, BlockedInvites blockedInvites)
{
    static readonly StateKeyPair[] Shown = [.. RoomPreview.StrippedStateTypes.Select(type => new StateKeyPair(type, ""))];

    /// <summary>Null: the invite is by somebody whom the user ignores, or the user wants none, and is not shown.</summary>
    public async Task<StrippedRoom?> Read(UserMembership room, EventBatch batch, CancellationToken ct)
    {
        await events.Load(batch, [room.EventNid], ct);
        if (batch.Find(room.EventNid) is not { } own)
            return new StrippedRoom(room.RoomId, []);
        if (own.Membership == "invite"
            && ((await ignoredUsers.Get(own.StateKey!, ct)).Contains(own.Sender) || await blockedInvites.Hides(own.StateKey!, ct)))
            return null;
        if (own.StateBefore is null)
            return new StrippedRoom(room.RoomId, [.. await ReadOutside(room, own, ct), own]);
        var nids = new List<long>();
        if (own.StateBefore is { } state)
        {
            var found = await states.Find(state, [.. Shown, new StateKeyPair(EventTypes.Member, own.Sender)], ct);
            nids.AddRange(found.OfType<long>().Where(nid => nid != own.Nid));
        }
        await events.Load(batch, nids, ct);
        // a knocker's own former membership says nothing
        var shown = batch.List(nids).Where(e => e.Type != EventTypes.Member || e.StateKey != own.StateKey);
        return new StrippedRoom(room.RoomId, [.. shown, own]);
    }

    /// <summary>What another server told of a room that this one is not in.</summary>
    async Task<IEnumerable<EncodedEvent>> ReadOutside(UserMembership room, EncodedEvent own, CancellationToken ct)
    {
        if (await outside.Find(room.RoomNid, own.StateKey!, ct) is not { } told)
            return [];
        return JsonElement.Parse(told).EnumerateArray()
            .Select(e => (Type: e.GetProperty("type").GetString()!, Key: e.GetProperty("state_key").GetString()!, Sender: e.GetProperty("sender").GetString()!,
                Content: Encoding.UTF8.GetBytes(e.GetProperty("content").GetRawText())))
            .Where(e => e.Type != EventTypes.Member || e.Key != own.StateKey)
            .Select(e => new EncodedEvent(0, "", room.RoomNid, room.RoomId, null, e.Type, e.Key, e.Sender, 0, default, e.Content, null, null, null, null, null, null, null, own.Rules));
    }
}
