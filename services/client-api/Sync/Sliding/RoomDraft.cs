using Matrix.Protocol;

namespace Matrix.ClientApi.Sync.Sliding;

/// <summary>A room of an answer with the numbers of the events that are needed of it.</summary>
sealed class RoomDraft(SlidingRoom room, StateChange change)
{
    static readonly StateKeyPair NameKey = new(EventTypes.Name, ""), AvatarKey = new(EventTypes.Avatar, "");

    public SlidingRoom Room => room;

    public RoomPlan Plan => room.Plan;

    public StateChange Change => change;

    public List<long> State { get; } = [];

    public long? Name { get; private set; }

    public long? Avatar { get; private set; }

    /// <summary>Null: they are not told.</summary>
    public List<string>? Heroes { get; private set; }

    public Dictionary<string, long> HeroEvents { get; } = new(StringComparer.Ordinal);

    public IEnumerable<long> Nids => State.Concat([Name ?? 0, Avatar ?? 0]).Concat(HeroEvents.Values).Where(nid => nid > 0);

    /// <summary>Something of the room's state is asked for that single look-ups do not find.</summary>
    public bool NeedsOutline => !Plan.Outside && !Plan.State.IsExact && (Plan.Initial || Plan.ExpandsState);

    /// <summary>State that the client does not have: all that it wants, or what it wants beyond what it wanted before.</summary>
    public void WishState(StateWishes wishes, IReadOnlyDictionary<StateKeyPair, long>? outline)
    {
        if (Plan.Outside)
        {
            // never in it: all there is to know is how it ended
            State.Add(Plan.Entry.EventNid);
            return;
        }
        if (Plan.View == RoomView.Left)
            State.Add(Plan.Entry.EventNid);
        if (!Plan.Initial && !Plan.ExpandsState)
            return;
        if (outline is not null)
            State.AddRange(outline.Where(entry => IsNew(entry.Key)).Select(entry => entry.Value));
        foreach (var key in Plan.State.Clauses.SelectMany(Single).Distinct().Where(IsNew))
            wishes.Add(Change.Root, key, State.Add);
    }

    public bool IsNew(StateKeyPair key) =>
        Plan.State.Matches(key.Type, key.StateKey) && (Plan.Initial || !Plan.Sent!.State.Matches(key.Type, key.StateKey));

    /// <summary>What changed of the state that the client has.</summary>
    public void TakeChanges()
    {
        if (Plan.Initial || Plan.Outside)
            return;
        foreach (var (changed, nid) in Change.Changes)
        {
            // members that came, went or changed while nothing was left out are news to who loads members lazily
            var wanted = Plan.State.Matches(changed.Type, changed.StateKey)
                || (Plan.State.Lazy && changed.Type == EventTypes.Member && !room.Timeline.Limited);
            if (!wanted)
                continue;
            if (nid is { } now)
                State.Add(now);
            else
                room.Removed.Add(changed);
        }
    }

    /// <summary>Those who sent what is shown, and those whom it is about.</summary>
    public void WishSenders(StateWishes wishes, Func<string, long, bool> wasSent)
    {
        if (!Plan.State.Lazy || Plan.Outside)
            return;
        var shown = room.Timeline.Events;
        var users = shown.Select(e => e.Sender).Concat(shown.Where(e => e is { Type: EventTypes.Member, IsState: true }).Select(e => e.StateKey!)).Distinct();
        foreach (var user in users)
        {
            wishes.Add(Change.Root, new StateKeyPair(EventTypes.Member, user), nid =>
            {
                if (!wasSent(user, nid))
                    State.Add(nid);
            });
        }
    }

    /// <summary>What the room is called, when that is told.</summary>
    public void WishName(StateWishes wishes, string userId)
    {
        if (Plan.Outside)
            return;
        room.HasName = Plan.Initial || Change.Touches(EventTypes.Name);
        room.HasAvatar = Plan.Initial || Change.Touches(EventTypes.Avatar);
        if (!room.HasName && !room.HasAvatar && room.Counts is null)
            return;
        wishes.Add(Change.Root, NameKey, nid => Name = nid);
        wishes.Add(Change.Root, AvatarKey, nid => Avatar = nid);
        if (room.Counts is not { } counts)
            return;
        Heroes = [.. counts.Heroes.Where(hero => hero != userId).Take(RoomPreview.MaxHeroes)];
        foreach (var hero in Heroes)
            wishes.Add(Change.Root, new StateKeyPair(EventTypes.Member, hero), nid => HeroEvents[hero] = nid);
    }

    // The events that are named one by one; and members, whom the outline leaves out, where all types are wanted for one key.
    static IEnumerable<StateKeyPair> Single(StateClause clause) => clause.Exact.Select(pattern => new StateKeyPair(pattern.Type!, pattern.StateKey!))
        .Concat(clause.Include.Where(pattern => pattern is { Type: null, StateKey: not null }).Select(pattern => new StateKeyPair(EventTypes.Member, pattern.StateKey!)));
}
