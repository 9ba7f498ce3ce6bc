using System.Text.Json;
using Matrix.Protocol;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync.Sliding;

/// <summary>Reads what an answer tells of its rooms: of all of them together, not one after the other.</summary>
sealed class SlidingRooms(
    SlidingTimelines timelines, SlidingState states, SlidingMembers sentMembers, RoomBumps bumps, RoomCountsCache counts, StrippedStateReader stripped,
    EventCache events)
{
    public async Task Fill(SlidingRequest request, ConnectionKey key, SlidingResult result, IReadOnlyList<RoomPlan> plans, SlidingWindow window, CancellationToken ct)
    {
        if (plans.Count == 0)
            return;
        var rooms = plans.Where(plan => plan.View != RoomView.Stripped).Select(plan => new SlidingRoom(plan)).ToList();
        var known = await timelines.Fill(request, result, rooms, window, ct);
        var changes = await states.Find(result, rooms, known, ct);
        var drafts = rooms.Select(room => new RoomDraft(room, changes[room.Plan.Entry.RoomNid])).ToList();
        await AddCounts(drafts, ct);
        await Look(request, key, drafts, ct);
        await events.Load(result.Events, [.. drafts.SelectMany(draft => draft.Nids)], ct);
        foreach (var draft in drafts)
            Take(key, result, draft);
        foreach (var plan in plans.Where(plan => plan.View == RoomView.Stripped))
        {
            if (await Strip(plan, result, ct) is { } shown)
                result.Rooms.Add(shown);
        }
        result.Rooms.AddRange(rooms.Where(room => !room.IsEmpty));
        await AddBumps(result.Rooms, ct);
    }

    // Null: the user ignores who invited them.
    async Task<SlidingRoom?> Strip(RoomPlan plan, SlidingResult result, CancellationToken ct)
    {
        var entry = plan.Entry;
        var shown = await stripped.Read(new UserMembership(entry.RoomNid, entry.RoomId, entry.Membership, entry.EventNid, entry.Position), result.Events, ct);
        return shown is null ? null : new SlidingRoom(plan) { Stripped = shown.State, Bump = entry.Position };
    }

    async Task AddCounts(List<RoomDraft> drafts, CancellationToken ct)
    {
        var wanted = drafts.Where(draft => draft.Plan.View == RoomView.Joined && (draft.Plan.Initial || draft.Change.TouchesMembers)).ToList();
        if (wanted.Count == 0)
            return;
        var found = await counts.Get([.. wanted.Select(draft => draft.Plan.Entry.RoomNid)], ct);
        foreach (var draft in wanted)
            draft.Room.Counts = found.GetValueOrDefault(draft.Plan.Entry.RoomNid);
    }

    async Task AddBumps(IReadOnlyList<SlidingRoom> rooms, CancellationToken ct)
    {
        var joined = rooms.Where(room => room.Plan.View == RoomView.Joined && (room.Plan.Initial || room.Timeline.Events.Count > 0)).ToList();
        if (joined.Count == 0)
            return;
        var found = await bumps.Get([.. joined.Select(room => room.Plan.Entry.RoomNid)], ct);
        foreach (var room in joined)
            room.Bump = found.TryGetValue(room.Plan.Entry.RoomNid, out var stamp) ? stamp : null;
        foreach (var room in rooms.Where(room => room.Plan.View == RoomView.Left))
            room.Bump = room.Plan.Entry.Position;
    }

    // Of all rooms at once: as many round trips as for one.
    async Task Look(SlidingRequest request, ConnectionKey key, List<RoomDraft> drafts, CancellationToken ct)
    {
        var open = drafts.Where(draft => draft.NeedsOutline).Select(draft => (draft.Plan.Entry.RoomNid, draft.Change.Root)).ToList();
        var outlines = open.Count == 0 ? [] : await states.Outline(open, ct);
        var wishes = new StateWishes();
        foreach (var draft in drafts)
        {
            var room = draft.Plan.Entry.RoomNid;
            var since = draft.Plan.Initial ? null : request.Since;
            draft.WishState(wishes, outlines.GetValueOrDefault(room));
            if (draft.NeedsOutline && draft.Plan.State.AllMembers)
            {
                var members = await states.ReadAll(draft.Change.Root, ct);
                draft.State.AddRange(members.Where(entry => entry.Key.Type == EventTypes.Member && draft.IsNew(entry.Key)).Select(entry => entry.EventNid));
            }
            draft.TakeChanges();
            draft.WishSenders(wishes, (user, nid) => sentMembers.WasSent(key, since, room, user, nid));
            draft.WishName(wishes, request.UserId);
        }
        await states.Find(wishes, ct);
    }

    void Take(ConnectionKey key, SlidingResult result, RoomDraft draft)
    {
        var (plan, room) = (draft.Plan, draft.Room);
        room.State.AddRange(result.Events.List(draft.State.Distinct()));
        if (plan.State.Lazy)
        {
            sentMembers.Remember(key, result.Position, plan.Entry.RoomNid, plan.Initial,
                room.State.Where(e => e.Type == EventTypes.Member && e.IsState));
        }
        room.Name = Text(draft.Name, "name"u8, result.Events);
        room.Avatar = Text(draft.Avatar, "url"u8, result.Events);
        if (room.Name is null && draft.Heroes is { } heroes)
            room.Heroes = [.. heroes.Select(hero => new SlidingHero(hero, draft.HeroEvents.TryGetValue(hero, out var nid) ? result.Events.Find(nid) : null))];
    }

    static string? Text(long? nid, ReadOnlySpan<byte> member, EventBatch batch) =>
        nid is { } known && batch.Find(known) is { } e ? Text(e, member) : null;

    /// <summary>A text in the content of an event; null if it is empty or none.</summary>
    public static string? Text(EncodedEvent e, ReadOnlySpan<byte> member)
    {
        var reader = new Utf8JsonReader(e.Content.Span);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var found = reader.ValueTextEquals(member);
            reader.Read();
            if (found)
                return reader.TokenType == JsonTokenType.String && reader.GetString() is { Length: > 0 } text ? text : null;
            reader.Skip();
        }
        return null;
    }
}
