using Matrix.ClientApi.Sync.Devices;
using Matrix.ClientApi.Sync.Filters;
using Matrix.ClientApi.Sync.Presence;
using Matrix.ClientApi.Sync.Receipts;
using Matrix.ClientApi.Sync.Relations;
using Matrix.ClientApi.Sync.Typing;
using Matrix.ClientApi.Sync.Visibility;
using Matrix.Protocol;
using Matrix.Rooms.Joining;
using Matrix.Replication;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync;

/// <summary>Puts together an answer to a sync request as of a position. What many ask for at once comes from the caches.</summary>
sealed class SyncBuilder(
    SyncStore store, ChangeFinder finder, TimelineReader timelines, RoomStateReader states, RoomCountsCache counts,
    StrippedStateReader stripped, SyncReceipts receipts, SyncTyping typing, SyncAccountData accountData, RoomSights sights,
    ToDeviceReader toDevice, DeviceListReader deviceLists, OneTimeKeyCounts keyCounts, SyncUnread unread, Bundles bundles, SyncPresence presence,
    PartialRooms partial)
{
    public async Task<SyncResult> Build(SyncRequest request, UserRooms rooms, CancellationToken ct)
    {
        var unknown = await partial.Among(rooms.Rooms.ContainsKey, ct);
        if (ShowsAllMembers(request.Filter))
            rooms = rooms.Without(unknown);
        var result = new SyncResult(request.Since > rooms.Position ? request.Since.Value : rooms.Position);
        var changes = request.Since is { } since
            ? await finder.FindSince(request, since, rooms, ct)
            : await finder.FindAll(request, rooms, ct);
        await AddRooms(request, changes.Rooms, unknown, result, ct);
        foreach (var room in changes.Invited)
        {
            if (await stripped.Read(room, result.Events, ct) is { } invited)
                result.Invited.Add(invited);
        }
        foreach (var room in changes.Knocked)
        {
            if (await stripped.Read(room, result.Events, ct) is { } knocked)
                result.Knocked.Add(knocked);
        }
        await receipts.Fill(request, rooms, changes, result, ct);
        typing.Fill(request, rooms, result);
        if (changes.AccountData)
            await accountData.Fill(request, rooms, result, ct);
        await AddDevices(request, rooms, changes, result, ct);
        await unread.Fill(request, rooms, changes, result, ct);
        await presence.Fill(request, rooms, changes, result, ct);
        return result;
    }

    static bool ShowsAllMembers(FilterDefinition filter) =>
        !filter.Room.State.LazyLoadMembers && !filter.Room.State.IsEmpty && filter.Room.State.AllowsType(EventTypes.Member);

    async Task AddDevices(SyncRequest request, UserRooms rooms, Changes changes, SyncResult result, CancellationToken ct)
    {
        if (changes.ToDevice)
        {
            var after = request.ToDeviceSince ?? request.Since ?? LogPosition.Start;
            result.ToDevice = await toDevice.Read(request.UserId, request.DeviceId, after, result.NextBatch, ToDeviceReader.MostAtOnce, ct);
        }
        if (changes.Window is { } window && request.Since is { } since)
            result.DeviceLists = await deviceLists.Read(request.UserId, since, rooms, window, ct);
        result.KeyCounts = await keyCounts.Get(request.UserId, request.DeviceId, ct);
    }

    /// <param name="unknown">Rooms whose members are not known yet: neither is how many there are.</param>
    async Task AddRooms(SyncRequest request, List<RoomChange> changes, IReadOnlyCollection<long> unknown, SyncResult result, CancellationToken ct)
    {
        if (changes.Count == 0)
            return;
        var limit = request.Filter.TimelineLimit();
        var known = await FindKnown(request, changes, limit, ct);
        await Prefetch(request, changes, known, limit, result, ct);
        var seen = await sights.Get([.. changes.Where(change => change.VisibleUntil is not null).Select(change => change.RoomNid)], request.UserId, ct);
        var updates = new List<(RoomChange Change, RoomUpdate Update)>();
        foreach (var change in changes)
        {
            var range = new TimelineRange(
                change.RoomNid, change.After, change.UpTo, known[change.RoomNid].Places, known[change.RoomNid].Complete, request.UserId, seen.GetValueOrDefault(change.RoomNid));
            var update = new RoomUpdate(change.RoomNid, change.RoomId)
            {
                Timeline = change.Outside is { } left
                    ? await ReadOutside(left, change, result.Events, ct)
                    : await timelines.ReadNewest(range, request.Filter.Room.Timeline, TimelineLimit(request, change), result.Events, ct),
            };
            updates.Add((change, update));
        }
        await bundles.Fill(
            result.Events, updates.Where(u => u.Update.Timeline.Limited).SelectMany(u => u.Update.Timeline.Events), request.UserId, seen.GetValueOrDefault, ct);
        await AddCounts([.. updates.Where(u => !unknown.Contains(u.Change.RoomNid))], ct);
        await states.Fill(request, result, updates, ct);
        foreach (var (change, update) in updates)
        {
            if (change.Full || !update.IsEmpty)
                (change.Left ? result.Left : result.Joined).Add(update);
        }
    }

    async Task<Timeline> ReadOutside(long left, RoomChange change, EventBatch batch, CancellationToken ct)
    {
        await timelines.Prefetch([left], batch, ct);
        return new Timeline(batch.List([left]), false, new TimelineEdge(change.After), []);
    }

    static int TimelineLimit(SyncRequest request, RoomChange change) =>
        request.Filter.Room.Timeline.PassesRoom(change.RoomId) && !request.Filter.Room.Timeline.PassesNone() ? request.Filter.TimelineLimit() : 0;

    // Of every room whose newest events this process does not remember, in one query.
    async Task<Dictionary<long, (IReadOnlyList<TimelinePlace> Places, bool Complete)>> FindKnown(
        SyncRequest request, List<RoomChange> changes, int limit, CancellationToken ct)
    {
        var known = new Dictionary<long, (IReadOnlyList<TimelinePlace>, bool)>();
        var unknown = new List<RoomChange>();
        foreach (var change in changes)
        {
            if (change.Known is { } places)
                known[change.RoomNid] = ([.. places.Reverse()], true);
            else
                unknown.Add(change);
        }
        if (unknown.Count == 0)
            return known;
        var count = request.Filter.Room.Timeline.AllowsAll ? limit + 1 : 2 * limit + 10;
        var found = (await store.ListNewest(
            [.. unknown.Select(c => c.RoomNid)], [.. unknown.Select(c => c.After)], [.. unknown.Select(c => c.UpTo)], count, ct)).ToLookup(p => p.RoomNid);
        foreach (var change in unknown)
            known[change.RoomNid] = ([.. found[change.RoomNid].OrderByDescending(p => p.Position)], found[change.RoomNid].Count() < count);
        return known;
    }

    // The events of all rooms in one fetch, rather than one for each room.
    async Task Prefetch(
        SyncRequest request, List<RoomChange> changes, Dictionary<long, (IReadOnlyList<TimelinePlace> Places, bool Complete)> known, int limit,
        SyncResult result, CancellationToken ct)
    {
        if (changes.Count > 1 && request.Filter.Room.Timeline.AllowsAll)
            await timelines.Prefetch([.. known.Values.SelectMany(k => k.Places.Take(limit + 1)).Select(p => p.EventNid)], result.Events, ct);
    }

    async Task AddCounts(List<(RoomChange Change, RoomUpdate Update)> updates, CancellationToken ct)
    {
        var wanted = updates.Where(u => !u.Change.Left && (u.Change.Full || u.Change.Merged || u.Update.Timeline.Limited
            || u.Update.Timeline.Events.Concat(u.Update.Timeline.HiddenState).Any(e => e is { Type: EventTypes.Member, IsState: true }))).ToList();
        if (wanted.Count == 0)
            return;
        var found = await counts.Get([.. wanted.Select(u => u.Change.RoomNid)], ct);
        foreach (var (change, update) in wanted)
            update.Counts = found.GetValueOrDefault(change.RoomNid);
    }
}
