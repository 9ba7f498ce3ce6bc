using System.Globalization;
using System.Text;
using System.Text.Json;
using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Rooms.Unread;
using Matrix.Storage;
using Matrix.Storage.Caching;
using Matrix.Storage.Rooms;
using Matrix.Storage.Sync;
using Matrix.Testing;
using Npgsql;

namespace Matrix.Rooms.Tests.Unread;

/// <summary>
/// Two processes do at random what changes counts; after each step the counts that were kept, and those that are read afresh, are the ones that come out
/// when all events are looked at.
/// </summary>
public sealed class UnreadPropertyTests : IAsyncLifetime
{
    static readonly UserId[] Users = [.. new[] { "alice", "bob", "carol", "dave" }.Select(RoomNode.User)];

    /// <summary>MATRIX_TEST_UNREAD_STEPS makes it longer, MATRIX_TEST_UNREAD_SEED repeats one run.</summary>
    static readonly int Steps = int.TryParse(Environment.GetEnvironmentVariable("MATRIX_TEST_UNREAD_STEPS"), CultureInfo.InvariantCulture, out var n) ? n : 80;

    readonly CountOracle oracle = new();
    readonly Dictionary<UserId, (PushRuleset Rules, long Version)> rules = [];
    readonly List<string> history = [];
    TestDatabase database = null!;
    RoomNode[] nodes = null!;
    UnreadCounts[] warm = null!;
    RoomId[] rooms = null!;
    Random random = null!;
    RoomNode node = null!;
    LogPosition newest;

    public async ValueTask InitializeAsync()
    {
        database = await TestDatabase.Create();
        nodes = [await RoomNode.Start(database), await RoomNode.Start(database)];
        warm = [.. nodes.Select(n => n.Get<UnreadCounts>())];
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var each in nodes)
            await each.DisposeAsync();
        await database.DisposeAsync();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Counts_are_what_counting_all_events_gives(int seed)
    {
        seed = int.TryParse(Environment.GetEnvironmentVariable("MATRIX_TEST_UNREAD_SEED"), CultureInfo.InvariantCulture, out var wanted) ? wanted : seed;
        random = new Random(seed);
        node = nodes[0];
        rooms = [await Create(RoomPreset.PublicChat), await Create(RoomPreset.PublicChat)];
        for (var step = 0; step < Steps; step++)
        {
            node = nodes[random.Next(nodes.Length)];
            await node.Get<LogFollower>().WaitFor(newest, default);
            await Act();
            await Compare(seed);
        }
    }

    async Task<RoomId> Create(RoomPreset preset)
    {
        var created = await node.Creator.Create(new RoomCreation { Creator = Users[0], Preset = preset }, default);
        newest = created.Position;
        foreach (var e in await node.Timeline(created.RoomId))
            await Tell(created.RoomId, e);
        return created.RoomId;
    }

    async Task Act()
    {
        var room = Pick(rooms);
        var user = Pick(Users);
        if (!oracle.IsJoined(user, room))
        {
            Say($"{user.Localpart} joins");
            await Sent(room, await node.Membership.Join(room, new MembershipRequest(user), default));
            return;
        }
        switch (random.Next(20))
        {
            case 0 when user != Users[0]:
                Say($"{user.Localpart} leaves");
                await Sent(room, await node.Membership.Leave(room, new MembershipRequest(user), default));
                break;
            case 1 or 2:
                await ChangeRules(user, room);
                break;
            case 3 when random.Next(2) == 0:
                await Ignore(user);
                break;
            case 3:
                await Send(room, EventDraft.State(user, EventTypes.Member, user.ToString(), RoomNode.Json(new { membership = "join", displayname = Word() })));
                break;
            case 4 when user == Users[0]:
                await Send(room, EventDraft.State(user, Pick([EventTypes.Topic, EventTypes.Tombstone]), "", RoomNode.Json(new { topic = Guid.NewGuid() })));
                break;
            case 4 when oracle.Events(room).Where(e => e.Thread != "main").Select(e => e.Thread).Distinct().ToList() is { Count: > 0 } threads:
                await Subscribe(user, room, EventId.Parse(Pick(threads)));
                break;
            case >= 5 and <= 9:
                await MoveReceipt(user, room);
                break;
            default:
                await Send(room, Message(user, room));
                break;
        }
    }

    EventDraft Message(UserId user, RoomId room)
    {
        var content = new Dictionary<string, object> { ["body"] = Word(), ["msgtype"] = random.Next(8) == 0 ? "m.notice" : "m.text" };
        if (random.Next(3) == 0)
        {
            content["m.mentions"] = random.Next(3) == 0 ? new { room = true }
                : new { user_ids = Users.Where(_ => random.Next(2) == 0).Select(u => u.ToString()).Append("not a user") };
        }
        var events = oracle.Events(room).Where(e => !e.Pdu.IsState).ToList();
        var type = Pick([EventTypes.Message, EventTypes.Message, EventTypes.Message, EventTypes.Encrypted, "m.call.invite", "org.other"]);
        if (events.Count > 0 && random.Next(2) == 0)
            content["m.relates_to"] = Relation(Pick(events), ref type);
        if (events.LastOrDefault(e => e.Pdu.Sender == user) is { } own && random.Next(12) == 0)
            return new EventDraft(user, EventTypes.Redaction, null, RoomNode.Json(new { redacts = own.Pdu.EventId.ToString() }), own.Pdu.EventId);
        return EventDraft.Message(user, type, RoomNode.Json(content));
    }

    Dictionary<string, object> Relation(CountOracle.Written to, ref string type)
    {
        var target = to.Pdu.EventId.ToString();
        var relType = Pick(["m.thread", "m.thread", "m.thread", "m.replace", "m.annotation", "m.reference", "m.reference", ""]);
        if (relType == "m.annotation")
            type = EventTypes.Reaction;
        if (relType == "m.thread" && to.Thread != "main")
            target = to.Thread;
        else if (relType == "m.thread" && EventRelation.Read(to.Pdu) is not null)
            relType = "m.reference"; // no thread begins at what relates to something else
        return relType.Length == 0
            ? new Dictionary<string, object> { ["m.in_reply_to"] = new { event_id = target } }
            : new Dictionary<string, object> { ["rel_type"] = relType, ["event_id"] = target };
    }

    async Task MoveReceipt(UserId user, RoomId room)
    {
        var events = oracle.Events(room);
        var target = random.Next(2) == 0 ? events[^1] : Pick(events);
        var type = Pick([Receipt.Read, Receipt.PrivateRead]);
        var thread = Pick([null, "main", target.Thread]);
        Say($"{user.Localpart} reads {thread ?? "the room"} up to {target.Position}, {type}");
        var room_ = await node.Room(room);
        var receipt = new Receipt(room_.RoomNid, user.ToString(), type, thread ?? "", target.Pdu.EventId.ToString(), 1, 0);
        newest = await node.Get<LogWriter>().Append(new ReceiptMoved(receipt, target.Position), default);
        oracle.Receipt(user, room, thread, target.Position);
    }

    async Task ChangeRules(UserId user, RoomId room)
    {
        var current = rules.GetValueOrDefault(user);
        var changed = PushRuleSamples.Change(current.Rules ?? new PushRuleset(), room, Pick(Users), random, out var what);
        Say($"{user.Localpart} {what}");
        var content = $$"""{"global":{{Encoding.UTF8.GetString(PushRuleset.Compose(user, changed).ToJson())}}}""";
        await node.Get<PushRuleChanges>().Set(user, content, current.Version, default);
        newest = node.Get<LogFollower>().Position;
        rules[user] = (changed, newest.Value);
        oracle.SetRules(user, changed);
    }

    async Task Subscribe(UserId user, RoomId room, EventId thread)
    {
        var subscribes = random.Next(3) > 0;
        Say($"{user.Localpart} {(subscribes ? "subscribes to" : "leaves")} {thread}");
        newest = await node.Get<LogWriter>().Append(new ThreadSubscriptionChange(user, (await node.Room(room)).RoomNid, thread, subscribes, null), default);
        await node.Get<LogFollower>().WaitFor(newest, default);
        oracle.Subscribe(user, thread, subscribes);
    }

    async Task Ignore(UserId user)
    {
        var ignored = Users.Where(other => other != user && random.Next(3) == 0).ToList();
        Say($"{user.Localpart} ignores {string.Join(", ", ignored.Select(other => other.Localpart))}");
        newest = await node.Get<LogWriter>().Append(new IgnoredChange(user, ignored), default);
        await node.Get<LogFollower>().WaitFor(newest, default);
        oracle.Ignore(user, ignored);
    }

    async Task Send(RoomId room, EventDraft draft)
    {
        Say($"{draft.Sender.Localpart} sends {draft.Type} {Encoding.UTF8.GetString(draft.Content.Span)}");
        await Sent(room, await node.Writer.Send(room, draft, null, default));
    }

    async Task Sent(RoomId room, SentEvent sent)
    {
        if (sent.Position == LogPosition.Start)
            return;
        newest = sent.Position;
        await Tell(room, (await node.Events.FindByEventId(sent.EventId, default))!);
    }

    async Task Tell(RoomId room, StoredEvent e)
    {
        var root = e.RoomState!.Value;
        var levels = await node.State.Get(root, EventTypes.PowerLevels, "", default);
        var create = await node.State.Get(root, EventTypes.Create, "", default);
        var names = new Dictionary<UserId, string?>();
        foreach (var user in Users)
            names[user] = (await node.State.Get(root, EventTypes.Member, user.ToString(), default))?.ContentString("displayname"u8);
        oracle.Write(Pdu.FromStored(e.EventId, e.Json, e.Rules), e.Position!.Value, PowerLevels.Read(levels, create), user => names[user]);
        Assert.Equal(room, oracle.Events(room)[^1].Pdu.RoomId);
    }

    async Task Compare(int seed)
    {
        for (var i = 0; i < nodes.Length; i++)
        {
            // a process that is asked now and then has much to catch up with
            if (random.Next(2) == 0)
                await Compare(warm[i], nodes[i], seed, "kept");
        }
        await Compare(new UnreadCounts(node.Get<UnreadStore>(), node.Get<LogFollower>(), node.Get<Caches>()), node, seed, "read");
    }

    async Task Compare(UnreadCounts counts, RoomNode at, int seed, string how)
    {
        await at.Get<LogFollower>().WaitFor(newest, default);
        var nids = new List<long>();
        foreach (var room in rooms)
            nids.Add((await at.Room(room)).RoomNid);
        foreach (var user in Users)
        {
            var found = await counts.Get(user.ToString(), nids, default);
            for (var r = 0; r < rooms.Length; r++)
            {
                Assert.Equal(oracle.IsJoined(user, rooms[r]), found.ContainsKey(nids[r]));
                if (!oracle.IsJoined(user, rooms[r]))
                    continue;
                var expected = string.Join(' ', oracle.Count(user, rooms[r]).Select(c => $"{c.Key}:{c.Value.Notifications}/{c.Value.Highlights}"));
                var actual = string.Join(' ', All(found[nids[r]]).Select(c => $"{c.Key}:{c.Value.Notifications}/{c.Value.Highlights}"));
                if (expected != actual)
                    Assert.Fail($"Seed {seed}, {how}, {user.Localpart} in room {r}: expected [{expected}], found [{actual}] after\n{string.Join('\n', history)}");
            }
        }
    }

    static SortedDictionary<string, UnreadCount> All(RoomUnread unread)
    {
        var all = new SortedDictionary<string, UnreadCount>(unread.Threads.ToDictionary(), StringComparer.Ordinal);
        if (unread.Main != default)
            all["main"] = unread.Main;
        return all;
    }

    /// <summary>Account data is written by a service: this is what it comes to.</summary>
    sealed class IgnoredChange(UserId user, List<UserId> ignored) : LogChange
    {
        public override IReadOnlyList<LogEntryDraft> Entries { get; } = [new(LogKind.AccountData, UserId: user.ToString(), Key: EventTypes.IgnoredUserList)];

        public override void AddCommands(NpgsqlBatch batch, Func<int, int> back) => batch.Add(
            """
            INSERT INTO account_data (user_id, room_id, type, content, position) VALUES ($1, '', 'm.ignored_user_list', $2, log_position($3))
            ON CONFLICT (user_id, room_id, type) DO UPDATE SET content = excluded.content, position = excluded.position
            """, user, JsonSerializer.Serialize(new { ignored_users = ignored.ToDictionary(other => other.ToString(), _ => new { }) }), back(0));
    }

    void Say(string what) => history.Add($"{newest.Value + 1} {what}");

    string Word() => Pick(["cake", "hello", "the cake is a lie", "pie", "Alice"]);

    T Pick<T>(IReadOnlyList<T> list) => list[random.Next(list.Count)];
}
