using System.Collections.Immutable;
using Matrix.Replication;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync.Sliding;

/// <summary>A user's list as it was at a position.</summary>
/// <param name="Partial">Only the rooms that were active since the time asked for are there: the rest is as it was when all was settled.</param>
/// <param name="Entries">Most recently active first.</param>
/// <param name="Rooms">The user's memberships as sync knows them.</param>
sealed record ListSnapshot(
    RoomList List, long Version, LogPosition Position, bool Partial, IReadOnlyList<RoomEntry> Entries, ImmutableDictionary<long, UserMembership> Rooms, RoomLabels Labels);

/// <summary>Hands out users' lists, and reads what they lack.</summary>
sealed class RoomLists(SyncHub hub, SlidingStore store, LogFollower follower)
{
    /// <param name="settled">If the list only moved since, what was active after <paramref name="since"/> is enough.</param>
    /// <param name="kinds">Filters look at what kind of rooms they are.</param>
    public async ValueTask<ListSnapshot> Read(SyncUser user, LogPosition? since, Settled? settled, bool kinds, CancellationToken ct)
    {
        await Load(user).WaitAsync(ct);
        while (true)
        {
            await hub.GetRooms(user, ct);
            var (snapshot, lacking, labels) = hub.Read(position => Take(user, position, since, settled, kinds));
            if (snapshot is not null)
                return snapshot;
            if (lacking.Length > 0)
            {
                var read = await store.ListKinds(lacking, ct);
                hub.Read(_ => SetKinds(user.List!, lacking, read));
            }
            if (labels is { } wanted)
            {
                var read = new RoomLabels(await store.ListLabels(user.UserId, ct));
                hub.Read(_ => SetLabels(user.List!, read, wanted));
            }
        }
    }

    Task Load(SyncUser user) => hub.Read(_ =>
    {
        var list = user.List ??= new RoomList();
        return list.Loaded is null or { IsFaulted: true } or { IsCanceled: true } ? list.Loaded = Load(user, list) : list.Loaded;
    });

    async Task Load(SyncUser user, RoomList list)
    {
        await Task.Yield(); // not under the lock
        var rooms = await store.ListRooms(user.UserId, CancellationToken.None);
        // The rows may be ahead of what the follower has told us: catch up with them first.
        await follower.WaitFor(new LogPosition(rooms.Count == 0 ? 0 : rooms.Max(room => room.Activity)), CancellationToken.None);
        hub.Read(_ =>
        {
            list.Load(rooms);
            return true;
        });
    }

    /// <summary>Null when something has to be read first: kinds of rooms, labels, or the user's newest memberships.</summary>
    static (ListSnapshot? Snapshot, long[] Lacking, long? Labels) Take(SyncUser user, LogPosition position, LogPosition? since, Settled? settled, bool kinds)
    {
        var list = user.List!;
        if (user.Unread.Count > 0)
            return (null, [], null);
        var after = settled is not null && settled.List == list && settled.ListVersion == list.Version ? since : null;
        var entries = (after is { } seen ? list.Entries.TakeWhile(entry => entry.Activity > seen.Value) : list.Entries).ToList();
        long[] lacking = kinds ? [.. entries.Where(entry => entry.Kind is null).Select(entry => entry.RoomNid)] : [];
        if (lacking.Length > 0 || list.Labels is null)
            return (null, lacking, list.Labels is null ? list.LabelsVersion : null);
        return (new ListSnapshot(list, list.Version, position, after is not null, entries, user.Rooms, list.Labels), [], null);
    }

    // A room that is not there has nothing to be filtered by.
    static bool SetKinds(RoomList list, long[] asked, IReadOnlyList<ListedRoomKind> found)
    {
        list.SetKinds(asked.Except(found.Select(kind => kind.RoomNid)).Select(nid => new ListedRoomKind(nid, false, null)));
        list.SetKinds(found);
        return true;
    }

    static bool SetLabels(RoomList list, RoomLabels labels, long version)
    {
        list.SetLabels(labels, version);
        return true;
    }
}
