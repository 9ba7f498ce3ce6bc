using System.Text.Json;

namespace Matrix.ClientApi.Tests.Sync;

/// <summary>
/// A client that applies its syncs one after the other, however rarely it asks and however small its timelines are, knows the state of every room,
/// and can fill every gap of the timeline with /messages.
/// </summary>
public sealed class GapTests(MatrixServer server)
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Syncs_at_any_interval_add_up_to_the_whole_room(int seed)
    {
        var random = new Random(seed);
        var alice = await server.NewUser();
        var room = await alice.CreatePublicRoom();
        var others = new[] { await server.NewUser(), await server.NewUser(), await server.NewUser() };
        var watcher = new Watcher(await server.NewUser(), room, random.Next(1, 6), lazy: seed % 2 == 0);
        await watcher.User.Join(room);
        var present = new HashSet<User>();
        for (var step = 0; step < 60; step++)
        {
            await Act(random, alice, others, present, room, step);
            if (random.Next(6) == 0)
                await watcher.Sync();
        }
        await watcher.SyncUntil((await alice.Say(room, "the end")).EventId);
        await watcher.Check(alice);
    }

    static async Task Act(Random random, User alice, User[] others, HashSet<User> present, string room, int step)
    {
        var other = others[random.Next(others.Length)];
        switch (random.Next(6))
        {
            case 0 when present.Add(other):
                await other.Join(room);
                break;
            case 0 or 1 when present.Remove(other):
                await other.Leave(room);
                break;
            case 2:
                await alice.SetState(room, "m.room.topic", new { topic = $"topic {step}" });
                break;
            case 3:
                await alice.SetState(room, "org.example.state", new { step }, $"key{random.Next(4)}");
                break;
            default:
                await (present.Contains(other) ? other : alice).Say(room, $"message {step}");
                break;
        }
    }

    sealed class Watcher(User user, string room, int limit, bool lazy)
    {
        readonly Dictionary<(string Type, string Key), string> state = [];
        readonly List<string> timeline = [];
        string? since;

        public User User => user;

        /// <summary>Another replica than the one that wrote the event may learn of it a moment later.</summary>
        public async Task SyncUntil(string eventId)
        {
            for (var round = 0; round < 10 && !timeline.Contains(eventId); round++)
                await Sync(timeout: 5_000);
        }

        public async Task Sync(int timeout = 0)
        {
            object filter = new { room = new { timeline = new { limit }, state = new { lazy_load_members = lazy } } };
            var sync = await user.Sync(since, timeout, filter);
            if (sync.Joined(room) is { } joined)
            {
                if (joined.At("timeline.limited").GetBoolean())
                    await FillGap(joined.String("timeline.prev_batch"));
                foreach (var e in sync.State(room))
                    Apply(e);
                foreach (var e in sync.Timeline(room))
                {
                    timeline.Add(e.String("event_id"));
                    Apply(e);
                }
            }
            since = sync.NextBatch;
        }

        async Task FillGap(string from)
        {
            var missing = new List<string>();
            for (var at = from; at is not null;)
            {
                var to = since is null ? "" : $"&to={since}";
                var page = (await user.Get($"/_matrix/client/v3/rooms/{ApiClient.Esc(room)}/messages?dir=b&limit=3&from={at}{to}")).Ok();
                missing.AddRange(page["chunk"].Items().Select(e => e.String("event_id")));
                at = page.Json.Find("end")?.GetString();
            }
            missing.Reverse();
            timeline.AddRange(missing);
        }

        void Apply(JsonElement e)
        {
            if (e.Find("state_key")?.GetString() is { } key)
                state[(e.String("type"), key)] = e.String("event_id");
        }

        public async Task Check(User alice)
        {
            var truth = (await alice.Get($"/_matrix/client/v3/rooms/{ApiClient.Esc(room)}/state")).Ok().Json.Items()
                .ToDictionary(e => (e.String("type"), e.String("state_key")), e => e.String("event_id"));
            foreach (var (key, id) in truth)
            {
                // who never spoke need not be known where members are loaded lazily
                if (!lazy || key.Item1 != "m.room.member" || state.ContainsKey(key))
                    Assert.True(state.TryGetValue(key, out var known) && known == id, $"The state at {key} is not known.");
            }
            Assert.Empty(state.Keys.Except(truth.Keys));
            var all = (await alice.Messages(room, dir: "f", limit: 1000))["chunk"].Items().Select(e => e.String("event_id"));
            Assert.Equal(all, timeline);
        }
    }
}
