using Matrix.Protocol;

namespace Matrix.Rooms.Tests.Unread;

/// <summary>Counts what is unread by looking at every event anew, straight from the specification (C-S API, Receiving notifications).</summary>
sealed class CountOracle
{
    readonly List<Written> events = [];
    readonly List<Read> reads = [];
    readonly Dictionary<(UserId User, RoomId Room), long> joinedAt = [];
    readonly Dictionary<UserId, PushRuleset> rules = [];
    readonly HashSet<(UserId User, UserId Ignored)> ignoring = [];
    readonly HashSet<(UserId User, EventId Thread)> subscribed = [];

    public sealed record Written(Pdu Pdu, long Position, string Thread, IReadOnlyDictionary<UserId, (bool Notify, bool Highlight)> Outcomes);

    /// <param name="Thread">Null: the whole room.</param>
    sealed record Read(UserId User, RoomId Room, string? Thread, long Position);

    public IReadOnlyList<Written> Events(RoomId room) => [.. events.Where(e => e.Pdu.RoomId == room)];

    public List<UserId> Members(RoomId room) => [.. joinedAt.Keys.Where(key => key.Room == room).Select(key => key.User)];

    public bool IsJoined(UserId user, RoomId room) => joinedAt.ContainsKey((user, room));

    public void SetRules(UserId user, PushRuleset stored) => rules[user] = stored;

    public void Ignore(UserId user, IEnumerable<UserId> ignored)
    {
        ignoring.RemoveWhere(pair => pair.User == user);
        ignoring.UnionWith(ignored.Select(other => (user, other)));
    }

    public void Subscribe(UserId user, EventId thread, bool subscribes)
    {
        if (subscribes)
            subscribed.Add((user, thread));
        else
            subscribed.Remove((user, thread));
    }

    /// <summary>An event was written at a position.</summary>
    /// <param name="names">Display names in the room after the event.</param>
    public void Write(Pdu pdu, long position, PowerLevels levels, Func<UserId, string?> names)
    {
        if (pdu is { Type: EventTypes.Member, StateKey: { } key })
        {
            var user = UserId.Parse(key);
            if (pdu.Membership != "join")
                joinedAt.Remove((user, pdu.RoomId));
            else
                joinedAt.TryAdd((user, pdu.RoomId), position);
        }
        var members = Members(pdu.RoomId);
        var outcomes = new Dictionary<UserId, (bool, bool)>();
        foreach (var member in members)
        {
            var ruleset = PushRuleset.Compose(member, rules.GetValueOrDefault(member) ?? new PushRuleset());
            var outcome = PushRules.Compile(ruleset, member).Evaluate(new PushEvent(pdu), new PushContext(
                members.Count, names(member), levels, EventRelation.Read(pdu)?.ThreadRoot is { } root && subscribed.Contains((member, root))));
            var notify = outcome?.Notify == true && !ignoring.Contains((member, pdu.Sender));
            outcomes[member] = (notify, notify && outcome!.Highlight);
        }
        var thread = ThreadOf(pdu);
        events.Add(new Written(pdu, position, thread, outcomes));
        var relation = EventRelation.Read(pdu);
        // a message of one's own is read, and what stands before it
        if (!pdu.IsState && pdu.Type != EventTypes.Redaction && relation?.RelType is null or EventRelation.Thread)
            reads.Add(new Read(pdu.Sender, pdu.RoomId, thread, position));
    }

    public void Receipt(UserId user, RoomId room, string? thread, long position) => reads.Add(new Read(user, room, thread, position));

    /// <summary>By thread; threads without anything unread are left out.</summary>
    public SortedDictionary<string, (int Notifications, int Highlights)> Count(UserId user, RoomId room)
    {
        var counts = new SortedDictionary<string, (int, int)>(StringComparer.Ordinal);
        var joined = joinedAt[(user, room)];
        foreach (var e in Events(room).Where(e => e.Position > joined && e.Pdu.Sender != user))
        {
            var isRead = reads.Any(r => r.User == user && r.Room == room && r.Position >= e.Position && r.Position > joined && (r.Thread is null || r.Thread == e.Thread));
            if (isRead || !e.Outcomes.TryGetValue(user, out var outcome) || !outcome.Notify)
                continue;
            var (notifications, highlights) = counts.GetValueOrDefault(e.Thread);
            counts[e.Thread] = (notifications + 1, highlights + (outcome.Highlight ? 1 : 0));
        }
        return counts;
    }

    public string ThreadOf(Pdu pdu)
    {
        var relation = EventRelation.Read(pdu);
        for (var hop = 0; hop <= 3 && relation?.EventId is { } target; hop++)
        {
            if (relation.ThreadRoot is { } root)
                return root.ToString();
            var parent = events.FirstOrDefault(e => e.Pdu.EventId == target && e.Pdu.RoomId == pdu.RoomId)?.Pdu;
            relation = parent is null ? null : EventRelation.Read(parent);
        }
        return "main";
    }
}
