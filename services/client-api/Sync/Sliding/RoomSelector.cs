using Matrix.ClientApi.Sync.Visibility;
using Matrix.Rooms.Joining;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync.Sliding;

/// <summary>What a request is about: the rooms with news, and what is to be remembered of the others.</summary>
/// <param name="Behind">Rooms that the client has, but whose news it is not sent, because they are in no list now.</param>
/// <param name="Gone">Rooms that the user has left, which the client knows.</param>
/// <param name="Counts">How long each list is, whatever its ranges.</param>
/// <param name="Listed">The rooms of each list, as far as they were looked at.</param>
sealed record Selection(
    IReadOnlyList<RoomPlan> Rooms, IReadOnlyList<long> Behind, IReadOnlyList<long> Gone, IReadOnlyDictionary<string, int> Counts,
    IReadOnlyDictionary<string, HashSet<long>> Listed)
{
    public static readonly Selection Nothing = new([], [], [], new Dictionary<string, int>(), new Dictionary<string, HashSet<long>>());
}

/// <summary>Decides which rooms belong into an answer, from where on, and as what.</summary>
sealed class RoomSelector(SlidingStore store, SyncStore timelines, MembershipHistory history, VisibilityFilter visibility, RoomSights sights, EventCache events,
    SpaceChildren spaces, PartialRooms partial)
{
    const int MostOwnEvents = 100;

    public async Task<Selection> Select(
        SlidingRequest request, ConnectionState state, Settled? settled, ListSnapshot snapshot, SlidingWindow window, CancellationToken ct)
    {
        var lost = snapshot.Partial ? [] : await FindLost(request, state, snapshot, ct);
        IReadOnlyList<RoomEntry> entries = lost.Count == 0 ? snapshot.Entries : [.. snapshot.Entries, .. lost];
        long[] gone = [.. lost.Where(entry => entry.Position <= (state.Rooms[entry.RoomNid].BehindAt ?? request.Since?.Value)).Select(entry => entry.RoomNid)];
        var kept = await WithoutOwnLeaves(request, state, entries, ct);
        var chosen = new Dictionary<long, Choice>();
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        var listed = new Dictionary<string, HashSet<long>>(StringComparer.Ordinal);
        foreach (var list in request.Shape.Lists)
        {
            var filter = await spaces.Resolve(list.Filter, snapshot, ct);
            var count = Choose(list, filter, kept, snapshot.Labels, chosen, listed);
            counts[list.Name] = snapshot.Partial ? settled!.Counts.GetValueOrDefault(list.Name) : count;
        }
        ChooseSubscribed(request, kept, chosen);
        var plans = new List<RoomPlan>();
        var behind = new List<long>();
        foreach (var entry in kept)
        {
            var sent = state.Rooms.GetValueOrDefault(entry.RoomNid);
            if (chosen.TryGetValue(entry.RoomNid, out var choice))
            {
                if (await Plan(request, entry, choice, sent, snapshot, window, ct) is { HasNews: true } plan)
                    plans.Add(plan);
            }
            else if (entry.Membership is "leave" or "ban" && sent is not null)
            {
                // that one is no longer in the room the client is always told
                if (await Plan(request, entry, new Choice(), sent, snapshot, window, ct) is { HasNews: true } plan)
                    plans.Add(plan);
            }
            else if (sent is { BehindAt: null } && request.Since is { } since && entry.Activity > since.Value)
                behind.Add(entry.RoomNid);
        }
        return new Selection(plans, behind, gone, counts, listed);
    }

    static int Choose(
        ListShape list, ResolvedFilter filter, IReadOnlyList<RoomEntry> entries, RoomLabels labels, Dictionary<long, Choice> chosen,
        Dictionary<string, HashSet<long>> listed)
    {
        var index = 0;
        var rooms = listed[list.Name] = [];
        foreach (var entry in entries)
        {
            if (!filter.Passes(entry, labels))
                continue;
            if (list.Contains(index++))
            {
                rooms.Add(entry.RoomNid);
                ChoiceOf(chosen, entry).Add(list);
            }
        }
        return index;
    }

    static void ChooseSubscribed(SlidingRequest request, IReadOnlyList<RoomEntry> entries, Dictionary<long, Choice> chosen)
    {
        if (request.Shape.Subscriptions.Count == 0)
            return;
        foreach (var entry in entries)
        {
            if (request.Shape.Subscriptions.TryGetValue(entry.RoomId, out var config))
                ChoiceOf(chosen, entry).Add(config);
        }
    }

    static Choice ChoiceOf(Dictionary<long, Choice> chosen, RoomEntry entry)
    {
        if (!chosen.TryGetValue(entry.RoomNid, out var choice))
            chosen.Add(entry.RoomNid, choice = new Choice());
        return choice;
    }

    /// <summary>The rooms that the client has and the user has left so long ago that this process never heard of it.</summary>
    async Task<IReadOnlyList<RoomEntry>> FindLost(SlidingRequest request, ConnectionState state, ListSnapshot snapshot, CancellationToken ct)
    {
        if (state.Rooms.IsEmpty)
            return [];
        var present = snapshot.Entries.Select(entry => entry.RoomNid).ToHashSet();
        long[] lost = [.. state.Rooms.Keys.Where(room => !present.Contains(room))];
        if (lost.Length == 0)
            return [];
        var kind = new RoomKind(false, null);
        return [.. (await store.ListMemberships(request.UserId, lost, ct)).Where(room => room.Position <= snapshot.Position.Value).Select(room =>
            new RoomEntry(room.RoomNid, room.RoomId, room.Membership, room.EventNid, room.Position, room.Position, kind))];
    }

    // Who goes knows it. Who was put out of a room does not, and finds the room in the list: if there ever was more than an invite.
    async Task<IReadOnlyList<RoomEntry>> WithoutOwnLeaves(
        SlidingRequest request, ConnectionState state, IReadOnlyList<RoomEntry> entries, CancellationToken ct)
    {
        var doubtful = entries.Where(entry => entry.Membership is "leave" or "ban" && !state.Rooms.ContainsKey(entry.RoomNid)).ToList();
        if (doubtful.Count == 0)
            return entries;
        var batch = new EventBatch();
        await events.Load(batch, [.. doubtful.Select(entry => entry.EventNid)], ct);
        var hidden = new HashSet<long>();
        foreach (var entry in doubtful)
        {
            if (batch.Find(entry.EventNid) is not { StateBefore: { } before } left || left.Sender == request.UserId
                || await visibility.FindMembership(before, request.UserId, ct) != "join")
                hidden.Add(entry.RoomNid);
        }
        return hidden.Count == 0 ? entries : [.. entries.Where(entry => !hidden.Contains(entry.RoomNid))];
    }

    async ValueTask<RoomPlan?> Plan(
        SlidingRequest request, RoomEntry entry, Choice choice, SentRoom? sent, ListSnapshot snapshot, SlidingWindow window, CancellationToken ct)
    {
        var config = choice.Config ?? new RoomConfig(sent?.TimelineLimit ?? 0, sent?.State ?? RequiredState.Nothing);
        var from = sent is null ? null : sent.BehindAt ?? request.Since?.Value;
        var direct = snapshot.Labels.IsDirect(entry.RoomId);
        var plan = new RoomPlan(entry, RoomView.Joined, config, sent, from, snapshot.Position.Value, from is null, direct, choice.Lists);
        if (entry.Membership is "invite" or "knock")
            return from >= entry.Position ? null : plan with { View = RoomView.Stripped, From = null };
        // who wants all members would take those that are known for all: the room comes when it is whole
        if (plan.State.AllMembers && entry.Membership == "join" && (await partial.Among(nid => nid == entry.RoomNid, ct)).Count > 0)
            return null;
        if (from is null)
            return entry.Membership == "join" ? plan : await PlanLeft(request, plan, ct);
        if (entry.Position <= from)
            return entry.Membership == "join" ? plan : null;
        var own = await OwnMemberships(request, entry, from.Value, snapshot, window, ct);
        // without an event of its own: branches of the room met
        var stay = own.Count > 0 ? await history.Read(request.UserId, own, ct) : new Stay(true, false, 0);
        if (entry.Membership == "join")
            return stay.Unbroken ? plan : plan with { From = null, Judged = true };
        var fresh = !stay.JoinedBefore && stay.End > 0;
        return plan with
        {
            View = RoomView.Left,
            From = fresh ? null : from,
            UpTo = Math.Min(entry.Position, plan.UpTo),
            Judged = true,
            Outside = !stay.JoinedBefore && stay.End == 0,
        };
    }

    async Task<RoomPlan> PlanLeft(SlidingRequest request, RoomPlan plan, CancellationToken ct) => plan with
    {
        View = RoomView.Left,
        UpTo = Math.Min(plan.Entry.Position, plan.UpTo),
        Outside = !(await sights.Get(plan.Entry.RoomNid, request.UserId, ct)).WasJoined,
    };

    /// <summary>Oldest first.</summary>
    async ValueTask<IReadOnlyList<TimelinePlace>> OwnMemberships(
        SlidingRequest request, RoomEntry entry, long from, ListSnapshot snapshot, SlidingWindow window, CancellationToken ct) =>
        window.OwnMemberships(entry.RoomNid, from)
        ?? [.. (await timelines.ListOwnMembershipsInRoom(request.UserId, entry.RoomNid, MostOwnEvents, ct))
            .Where(place => place.Position > from && place.Position <= snapshot.Position.Value).Reverse()];

    /// <summary>What the lists and the subscription that a room matches ask for together.</summary>
    sealed class Choice
    {
        public RoomConfig? Config { get; private set; }

        public List<string> Lists { get; } = [];

        public void Add(ListShape list)
        {
            Lists.Add(list.Name);
            Add(list.Config);
        }

        public void Add(RoomConfig config) => Config = Config?.Union(config) ?? config;
    }
}
