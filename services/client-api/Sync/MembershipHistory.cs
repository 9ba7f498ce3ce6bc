using Matrix.ClientApi.Sync.Visibility;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync;

/// <summary>When a user was in a room: from the user's own membership events.</summary>
sealed class MembershipHistory(SyncStore store, EventCache events, VisibilityFilter visibility)
{
    const int MostEvents = 200;

    /// <summary>The position at which the user's last stay ended; <see cref="long.MaxValue"/> while it lasts, 0 when there never was one.</summary>
    public async Task<long> FindStayEnd(string userId, long roomNid, CancellationToken ct)
    {
        var own = await store.ListOwnMembershipsInRoom(userId, roomNid, MostEvents, ct);
        var batch = new EventBatch();
        await events.Load(batch, [.. own.Select(place => place.EventNid)], ct);
        var end = long.MaxValue;
        foreach (var place in own)
        {
            if (batch.Find(place.EventNid)?.Membership == "join")
                return end;
            end = place.Position;
        }
        return 0;
    }

    /// <summary>The membership that the last of the user's own events in a room made; null without events.</summary>
    public async Task<UserMembership?> FindMembership(IReadOnlyList<TimelinePlace> own, CancellationToken ct)
    {
        if (own.Count == 0)
            return null;
        var batch = new EventBatch();
        await events.Load(batch, [own[^1].EventNid], ct);
        return batch.Find(own[^1].EventNid) is { } e
            ? new UserMembership(e.RoomNid, e.RoomId, e.Membership ?? "leave", e.Nid, own[^1].Position)
            : null;
    }

    /// <summary>
    /// What became of a stay in a stretch of a room's log: was the user in it when it began, did the user go and come back, and where did the last
    /// stay end (0: there was none)?
    /// </summary>
    public async Task<Stay> Read(string userId, IReadOnlyList<TimelinePlace> own, CancellationToken ct)
    {
        var batch = new EventBatch();
        await events.Load(batch, [.. own.Select(place => place.EventNid)], ct);
        if (own.Count == 0)
            return new Stay(true, true, long.MaxValue);
        var before = await FindBefore(userId, own[0], batch.Find(own[0].EventNid), ct);
        long end = 0;
        long? outside = batch.Find(own[^1].EventNid) is { Position: null } last ? last.Nid : null;
        var inside = before == "join";
        var unbroken = inside;
        foreach (var place in own)
        {
            var joined = batch.Find(place.EventNid)?.Membership == "join";
            unbroken &= joined;
            if (inside && !joined)
                end = place.Position;
            inside = joined;
        }
        return new Stay(before == "join", unbroken, inside ? long.MaxValue : end, outside);
    }

    // The state before an event says it, unless a merge of branches brought the event back.
    async ValueTask<string> FindBefore(string userId, TimelinePlace place, EncodedEvent? e, CancellationToken ct)
    {
        if (e?.Position == place.Position)
            return e.StateBefore is { } state ? await visibility.FindMembership(state, userId, ct) : "leave";
        return await store.FindMembershipBeforeMerge(userId, place.Position, ct) ?? "leave";
    }
}

/// <param name="JoinedBefore">The user was in the room when the stretch began.</param>
/// <param name="Unbroken">And was in it all the time.</param>
/// <param name="End">The position at which the last stay ended; <see cref="long.MaxValue"/> while it lasts, 0 when there was none.</param>
/// <param name="Outside">The last of the events, if it has no place in a timeline: this server was not in the room.</param>
readonly record struct Stay(bool JoinedBefore, bool Unbroken, long End, long? Outside = null);
