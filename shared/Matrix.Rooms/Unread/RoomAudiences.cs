using Matrix.Federation;
using Matrix.Protocol;
using Matrix.Rooms.State;
using Matrix.Rooms.Writing;
using Matrix.Storage.Caching;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Unread;

/// <summary>
/// The audiences of the rooms that this process writes in. Read from Postgres once, and from then on carried from state to state by what differs
/// between them, so that an audience fits exactly the state that an event is built on, committed or not.
/// </summary>
public sealed class RoomAudiences(UnreadStore store, StateTree tree, StateEvents stateEvents, PushRuleCache rules, ServerSigningKey server, Caches caches)
{
    const int MembersAtOnce = 1000;

    readonly BoundedCache<long, RoomAudience> audiences =
        caches.Create<long, RoomAudience>("room_audiences", 8 << 20, (_, audience) => 100 + 64L * audience.Holders.Count);

    /// <summary>The audience of a room in a state.</summary>
    /// <param name="isNew">The room is being made.</param>
    public async ValueTask<RoomAudience> Get(Room room, StateNodeId root, bool isNew, CancellationToken ct)
    {
        if (isNew)
            audiences.Set(room.RoomNid, new RoomAudience(StateTree.Empty, rules.Changes, 0, []));
        if (!audiences.TryGet(room.RoomNid, out var audience) || rules.ChangedSince(audience.Seen) is not var (_, seen))
            return await Move(room, await Read(room, ct), root, ct);
        if (audience.StateRoot == root && audience.Seen == seen)
            return audience;
        try
        {
            return await Move(room, audience, root, ct);
        }
        catch (Exception e) when (e is InvalidDataException or KeyNotFoundException)
        {
            // it belongs to a state that never came to be: the events that lead to it were not committed, and are forgotten
            return await Move(room, await Read(room, ct), root, ct);
        }
    }

    /// <summary>
    /// The audience of a room that this server has just joined. Who of other servers is in it may be fifty thousand: they are counted already, and none of them
    /// is looked at.
    /// </summary>
    internal async ValueTask<RoomAudience> Adopt(Room room, StateNodeId root, StateMerge merge, CancellationToken ct)
    {
        var before = await Read(room, ct);
        var locals = merge.Members.Select(member => member.Key.StateKey).Where(IsLocal).ToList();
        var holders = await Holders(room, [.. locals.Union(before.Holders.Select(holder => holder.UserId))], root, ct);
        var audience = new RoomAudience(root, before.Seen, before.Joined + merge.Counts!.Value.Joined, holders);
        audiences.Set(room.RoomNid, audience);
        return audience;
    }

    /// <summary>The members of the room have become known, of which there may be fifty thousand: they are counted, and none of them is looked at.</summary>
    internal void Forget(long roomNid) => audiences.Remove(roomNid);

    async Task<RoomAudience> Read(Room room, CancellationToken ct)
    {
        var seen = rules.Changes;
        return await store.ListAudiences([room.RoomNid], ct) is [var row] ? await Make(room, row, seen, ct)
            : throw new InvalidDataException($"Room {room.RoomNid} has no head.");
    }

    /// <summary>Reads those of the rooms' audiences that are not known, at once.</summary>
    public async Task Load(IReadOnlyCollection<Room> rooms, CancellationToken ct)
    {
        var seen = rules.Changes;
        var unknown = rooms.Where(room => !audiences.TryGet(room.RoomNid, out _)).ToDictionary(room => room.RoomNid);
        if (unknown.Count == 0)
            return;
        var rows = await store.ListAudiences(unknown.Keys, ct);
        await rules.Get([.. rows.SelectMany(row => row.UsersWithRules).Distinct()], ct);
        foreach (var row in rows)
            audiences.Set(row.RoomNid, await Make(unknown[row.RoomNid], row, seen, ct));
    }

    async Task<RoomAudience> Make(Room room, AudienceRow row, long seen, CancellationToken ct) =>
        new(StateNodeId.Read(row.StateRoot), seen, row.JoinedCount, await Holders(room, row.UsersWithRules, ct));

    /// <summary>The audience in another state of the room, and after changes of rules.</summary>
    async ValueTask<RoomAudience> Move(Room room, RoomAudience from, StateNodeId root, CancellationToken ct)
    {
        var (changed, seen) = rules.ChangedSince(from.Seen) ?? ([], from.Seen);
        var joined = from.Joined;
        var moved = new HashSet<string>(changed, StringComparer.Ordinal);
        var differences = from.StateRoot == root ? [] : (await tree.Diff(from.StateRoot, root, ct)).Where(d => d.Key.Type == EventTypes.Member).ToList();
        foreach (var some in differences.Chunk(MembersAtOnce))
        {
            var members = await stateEvents.Get(some.SelectMany(d => new[] { d.Before, d.After }).OfType<long>().ToHashSet(), ct);
            foreach (var difference in some)
            {
                var (was, isNow) = (IsJoin(members, difference.Before), IsJoin(members, difference.After));
                joined += (isNow ? 1 : 0) - (was ? 1 : 0);
                if (was != isNow && IsLocal(difference.Key.StateKey))
                    moved.Add(difference.Key.StateKey);
            }
        }
        var holders = moved.Count == 0 ? from.Holders
            : [.. from.Holders.Where(holder => !moved.Contains(holder.UserId)), .. await Holders(room, [.. moved], root, ct)];
        var audience = new RoomAudience(root, seen, joined, holders);
        audiences.Set(room.RoomNid, audience);
        return audience;
    }

    static bool IsJoin(IReadOnlyDictionary<long, Pdu> members, long? nid) => nid is { } known && members[known].Membership == "join";

    /// <summary>Those of the users who are in the room.</summary>
    public async ValueTask<List<string>> Present(StateNodeId root, IReadOnlyList<string> users, CancellationToken ct)
    {
        var found = await stateEvents.Find(root, [.. users.Select(user => new StateKeyPair(EventTypes.Member, user))], ct);
        return [.. users.Where((_, i) => found[i]?.Membership == "join")];
    }

    /// <summary>Of those of the users who are in the room.</summary>
    async ValueTask<List<RuleHolder>> Holders(Room room, IReadOnlyList<string> users, StateNodeId root, CancellationToken ct) =>
        await Holders(room, await Present(root, users, ct), ct);

    async ValueTask<List<RuleHolder>> Holders(Room room, IReadOnlyList<string> users, CancellationToken ct)
    {
        var holders = new List<RuleHolder>();
        var found = await rules.Get(users, ct);
        for (var i = 0; i < users.Count; i++)
        {
            // whoever has rules that make no difference here is like everybody
            if (found[i] is { } own && own.In(room.RoomId) is var pushClass && pushClass != PushClass.Ordinary)
                holders.Add(new RuleHolder(users[i], own, pushClass));
        }
        return holders;
    }

    bool IsLocal(string userId) => UserId.TryParse(userId, out var user) && user.Server == server.ServerName;
}
