using Matrix.ClientApi.Sync.Visibility;
using Matrix.Protocol;
using Matrix.Rooms.State;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync;

/// <summary>What somebody is shown of a room who was invited to it or knocks at it (Client-Server API, "Stripped state").</summary>
sealed class StrippedStateReader(StateTree states, EventCache events, IgnoredUsers ignoredUsers, BlockedInvites blockedInvites)
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
}
