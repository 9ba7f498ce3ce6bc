using System.Text.Json;
using Matrix.Protocol;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync.Sliding;

/// <summary>Reads what an answer tells of its rooms: for all of them together, not one after the other.</summary>
sealed class SlidingRooms(
    SlidingTimelines timelines, SlidingState states, SlidingMembers sentMembers, RoomBumps bumps, RoomCountsCache counts, StrippedStateReader stripped,
    EventCache events)
{
    static readonly StateKeyPair Name = new(EventTypes.Name, ""), Avatar = new(EventTypes.Avatar, "");

    /// <summary>A room with the numbers of the events that are needed of it.</summary>
    sealed class Draft(SlidingRoom room, StateChange change)
    {
        public SlidingRoom Room => room;

        public RoomPlan Plan => room.Plan;

        public StateChange Change => change;

        public List<long> State { get; } = [];

        public long? Name { get; set; }

        public long? Avatar { get; set; }

        public List<(string UserId, long? EventNid)>? Heroes { get; set; }

        public IEnumerable<long> Nids => State.Concat([Name ?? 0, Avatar ?? 0]).Concat(Heroes?.Select(hero => hero.EventNid ?? 0) ?? []).Where(nid => nid > 0);
    }

    public async Task Fill(SlidingRequest request, ConnectionKey key, SlidingResult result, IReadOnlyList<RoomPlan> plans, SlidingWindow window, CancellationToken ct)
    {
        if (plans.Count == 0)
            return;
        var rooms = plans.Where(plan => plan.View != RoomView.Stripped).Select(plan => new SlidingRoom(plan)).ToList();
        var known = await timelines.Fill(request, result, rooms, window, ct);
        var changes = await states.Find(result, rooms, known, ct);
        var drafts = rooms.Select(room => new Draft(room, changes[room.Plan.Entry.RoomNid])).ToList();
        await AddCounts(drafts, ct);
        foreach (var draft in drafts)
            await Look(request, key, draft, ct);
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

    async Task AddCounts(List<Draft> drafts, CancellationToken ct)
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

    async Task Look(SlidingRequest request, ConnectionKey key, Draft draft, CancellationToken ct)
    {
        var plan = draft.Plan;
        if (plan.Outside)
        {
            // never in it: all there is to know is how it ended
            draft.State.Add(plan.Entry.EventNid);
            return;
        }
        if (plan.Initial)
            draft.State.AddRange((await states.List(plan.Entry.RoomNid, draft.Change.Root, plan.State, ct)).Select(entry => entry.EventNid));
        else
            await LookAtChanges(draft, ct);
        if (plan.View == RoomView.Left)
            draft.State.Add(plan.Entry.EventNid);
        if (plan.State.Lazy)
            await LookAtSenders(request, key, draft, ct);
        await LookAtName(request, draft, ct);
    }

    async Task LookAtChanges(Draft draft, CancellationToken ct)
    {
        var plan = draft.Plan;
        foreach (var (changed, nid) in draft.Change.Changes)
        {
            // members that came, went or changed while nothing was left out are news to who loads members lazily
            var wanted = plan.State.Matches(changed.Type, changed.StateKey)
                || (plan.State.Lazy && changed.Type == EventTypes.Member && !draft.Room.Timeline.Limited);
            if (!wanted)
                continue;
            if (nid is { } now)
                draft.State.Add(now);
            else
                draft.Room.Removed.Add(changed);
        }
        if (plan.ExpandsState)
        {
            var added = await states.List(plan.Entry.RoomNid, draft.Change.Root, plan.State, ct);
            draft.State.AddRange(added.Where(entry => !plan.Sent!.State.Matches(entry.Key.Type, entry.Key.StateKey)).Select(entry => entry.EventNid));
        }
    }

    // Those who sent what is shown, and those whom it is about.
    async Task LookAtSenders(SlidingRequest request, ConnectionKey key, Draft draft, CancellationToken ct)
    {
        var shown = draft.Room.Timeline.Events;
        var users = shown.Select(e => e.Sender)
            .Concat(shown.Where(e => e is { Type: EventTypes.Member, IsState: true }).Select(e => e.StateKey!)).Distinct().ToList();
        if (users.Count == 0)
            return;
        var since = draft.Plan.Initial ? null : request.Since;
        var found = await states.Find(draft.Change.Root, [.. users.Select(user => new StateKeyPair(EventTypes.Member, user))], ct);
        draft.State.AddRange(users.Zip(found)
            .Where(member => member.Second is { } nid && !sentMembers.WasSent(key, since, draft.Plan.Entry.RoomNid, member.First, nid))
            .Select(member => member.Second!.Value));
    }

    async Task LookAtName(SlidingRequest request, Draft draft, CancellationToken ct)
    {
        var (plan, room) = (draft.Plan, draft.Room);
        room.HasName = plan.Initial || draft.Change.Touches(EventTypes.Name);
        room.HasAvatar = plan.Initial || draft.Change.Touches(EventTypes.Avatar);
        if (!room.HasName && !room.HasAvatar && room.Counts is null)
            return;
        List<string> heroes = [.. (room.Counts?.Heroes ?? []).Where(hero => hero != request.UserId).Take(RoomPreview.MaxHeroes)];
        var found = await states.Find(draft.Change.Root, [Name, Avatar, .. heroes.Select(hero => new StateKeyPair(EventTypes.Member, hero))], ct);
        (draft.Name, draft.Avatar) = (found[0], found[1]);
        if (room.Counts is not null)
            draft.Heroes = [.. heroes.Zip(found.Skip(2))];
    }

    void Take(ConnectionKey key, SlidingResult result, Draft draft)
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
            room.Heroes = [.. heroes.Select(hero => new SlidingHero(hero.UserId, hero.EventNid is { } nid ? result.Events.Find(nid) : null))];
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
