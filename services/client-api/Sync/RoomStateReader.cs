using Matrix.ClientApi.Sync.Filters;
using Matrix.Protocol;
using Matrix.Rooms.State;
using Matrix.Storage.Rooms;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync;

/// <summary>Fills in the state of the rooms of an answer: all of it, or what changed while nobody looked; members lazily if so asked.</summary>
sealed class RoomStateReader(SyncStore store, StateTree states, EventCache events, LazyMembers sentMembers)
{
    /// <summary>A room with the roots that its part of the answer is made from.</summary>
    sealed record Plan(RoomChange Change, RoomUpdate Update)
    {
        public StateNodeId? From { get; set; }

        public StateNodeId? To { get; set; }

        public List<long> Nids { get; } = [];
    }

    public async Task Fill(SyncRequest request, SyncResult result, IReadOnlyList<(RoomChange Change, RoomUpdate Update)> rooms, CancellationToken ct)
    {
        if (request.Filter.Room.State.IsEmpty)
            return;
        var plans = rooms.Where(room => request.Filter.Room.State.PassesRoom(room.Update.RoomId)).Select(room => new Plan(room.Change, room.Update)).ToList();
        await FindRoots(request, plans, ct);
        foreach (var plan in plans)
            await FindEvents(request, plan, ct);
        await events.Load(result.Events, [.. plans.SelectMany(plan => plan.Nids)], ct);
        foreach (var plan in plans)
            Take(request, result, plan);
    }

    async Task FindRoots(SyncRequest request, List<Plan> plans, CancellationToken ct)
    {
        var wanted = new HashSet<(long Room, long Position)>();
        foreach (var plan in plans)
        {
            if (!NeedsDifference(request, plan))
                continue;
            wanted.Add((plan.Change.RoomNid, End(request, plan)));
            if (!plan.Change.Full)
                wanted.Add((plan.Change.RoomNid, plan.Change.After));
        }
        if (wanted.Count == 0)
            return;
        var found = await store.ListStatesAt([.. wanted.Select(w => w.Room)], [.. wanted.Select(w => w.Position)], ct);
        var roots = found.ToDictionary(at => (at.RoomNid, at.Position), at => at.RoomState is { } root ? StateNodeId.Read(root) : StateTree.Empty);
        foreach (var plan in plans.Where(plan => NeedsDifference(request, plan)))
        {
            plan.To = roots[(plan.Change.RoomNid, End(request, plan))];
            plan.From = plan.Change.Full ? StateTree.Empty : roots[(plan.Change.RoomNid, plan.Change.After)];
        }
    }

    // A timeline without a gap brings the state's changes itself, unless branches of the room met.
    static bool NeedsDifference(SyncRequest request, Plan plan) => plan.Change.Full || plan.Change.Merged || plan.Update.Timeline.Limited
        || (request.StateAfter != StateAfter.No
            && (plan.Update.Timeline.Events.Any(e => e.IsState) || plan.Update.Timeline.HiddenState.Count > 0));

    // What a merge changed is not in the timeline: without state_after, too, the state must bring it.
    static long End(SyncRequest request, Plan plan) =>
        request.StateAfter == StateAfter.No && !plan.Change.Merged ? plan.Update.Timeline.StartsAfter.Position : plan.Change.UpTo;

    // In this order: of two events for the same key the later one counts.
    async Task FindEvents(SyncRequest request, Plan plan, CancellationToken ct)
    {
        var filter = request.Filter.Room.State;
        var members = filter.LazyLoadMembers ? MembersToShow(request, plan) : null;
        if (plan.Change.Full)
        {
            var all = await states.ReadAll(plan.To!.Value, ct);
            plan.Nids.AddRange(all.Where(entry => filter.AllowsType(entry.Key.Type)
                && (members is null || entry.Key.Type != EventTypes.Member || members.Contains(entry.Key.StateKey))).Select(entry => entry.EventNid));
        }
        else if (members is { Count: > 0 } && filter.AllowsType(EventTypes.Member))
            plan.Nids.AddRange(await FindMembers(request, plan, members, ct));
        if (plan is { Change.Full: false, From: { } from, To: { } to })
        {
            var changed = await states.Diff(from, to, ct);
            plan.Nids.AddRange(changed.Where(difference => filter.AllowsType(difference.Key.Type)).Select(difference => difference.After).OfType<long>());
        }
        if (request.StateAfter == StateAfter.No)
            plan.Nids.AddRange(plan.Update.Timeline.HiddenState.Select(e => e.Nid));
    }

    async Task<IEnumerable<long>> FindMembers(SyncRequest request, Plan plan, HashSet<string> members, CancellationToken ct)
    {
        var first = plan.Update.Timeline.Events.Count > 0 ? plan.Update.Timeline.Events[0] : null;
        var last = plan.Update.Timeline.Events.Count > 0 ? plan.Update.Timeline.Events[^1] : null;
        if ((plan.To ?? (request.StateAfter == StateAfter.No ? first?.StateBefore : last?.RoomState)) is not { } root)
            return [];
        var users = members.ToList();
        var found = await states.Find(root, [.. users.Select(user => new StateKeyPair(EventTypes.Member, user))], ct);
        return users.Zip(found)
            .Where(member => member.Second is { } nid
                && (request.Filter.Room.State.IncludeRedundantMembers || !sentMembers.WasSent(request, plan.Change.RoomNid, member.First, nid)))
            .Select(member => member.Second!.Value);
    }

    // The senders of what is shown, those whom the room is named after, and in a room that is new to the client the user.
    static HashSet<string> MembersToShow(SyncRequest request, Plan plan)
    {
        var members = plan.Update.Timeline.Events.Select(e => e.Sender).ToHashSet(StringComparer.Ordinal);
        if (plan.Change.Full)
            members.Add(request.UserId);
        members.UnionWith(plan.Update.Counts?.Heroes ?? []);
        return members;
    }

    void Take(SyncRequest request, SyncResult result, Plan plan)
    {
        var inTimeline = request.StateAfter == StateAfter.No ? plan.Update.Timeline.Events.Select(e => e.Nid).ToHashSet() : [];
        var byKey = new Dictionary<StateKeyPair, EncodedEvent>();
        foreach (var e in result.Events.List(plan.Nids))
        {
            if (!inTimeline.Contains(e.Nid) && request.Filter.Room.State.Passes(e))
                byKey[new StateKeyPair(e.Type, e.StateKey!)] = e;
        }
        plan.Update.State.AddRange(byKey.Values);
        if (request.Filter.Room.State is { LazyLoadMembers: true, IncludeRedundantMembers: false })
        {
            sentMembers.Remember(request, plan.Change.RoomNid, result.NextBatch,
                plan.Update.State.Concat(plan.Update.Timeline.Events).Where(e => e.Type == EventTypes.Member && e.IsState));
        }
    }
}
