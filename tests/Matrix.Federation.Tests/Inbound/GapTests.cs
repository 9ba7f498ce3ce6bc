using System.Text.Json;
using Matrix.Federation.Tests.Harness;
using Matrix.Protocol;
using Matrix.Rooms;
using Microsoft.Extensions.DependencyInjection;

namespace Matrix.Federation.Tests.Inbound;

/// <summary>Events whose surroundings are not here: they are answered for, and fetched.</summary>
public sealed class GapTests(FederatedServers all) : RemoteMemberTests(all)
{
    const string Missing = "/_matrix/federation/v1/get_missing_events/", StateIds = "/_matrix/federation/v1/state_ids/",
        EventAuth = "/_matrix/federation/v1/event_auth/";

    [Fact]
    public async Task What_is_missing_before_an_event_is_fetched_and_shown_in_order()
    {
        var chain = await eve.Chain(30);
        remote.On(HttpMethod.Post, Missing, _ => new { events = chain[..29].Select(Json) });
        Assert.Null(await eve.Send(chain[29]));
        await eve.Arrived(chain[29].EventId);
        var shown = (await alice.Messages(room, limit: 100))["chunk"].Items().Where(e => e.String("type") == "m.room.message").Select(e => e.String("event_id"));
        Assert.Equal(chain.Select(pdu => pdu.EventId.ToString()).Reverse(), shown);
        var asked = (await remote.Asked(request => request.Path.StartsWith(Missing, StringComparison.Ordinal))).Json;
        Assert.Equal([chain[29].EventId.ToString()], asked.GetProperty("latest_events").Items().Select(id => id.GetString()));
    }

    [Fact]
    public async Task A_receipt_that_comes_before_its_event_counts_when_the_event_is_here()
    {
        var chain = await eve.Chain(3);
        var (user, last) = (eve.User.ToString(), chain[2].EventId.ToString());
        var since = (await alice.Sync()).NextBatch;
        (await remote.Put(servers.First, $"/_matrix/federation/v1/send/{Guid.NewGuid():N}", new
        {
            edus = new[] { new { edu_type = "m.receipt", content = new Dictionary<string, object> { [room] = new Dictionary<string, object>
                { ["m.read"] = new Dictionary<string, object> { [user] = new { data = new { ts = 1 }, event_ids = new[] { last } } } } } } },
        })).Ok();
        (await eve.Put(pdus: chain)).Ok();
        await alice.SyncUntil(sync => HasReceipt(sync, last, user), since);
    }

    [Fact]
    public async Task A_receipt_of_a_user_whose_join_still_waits_counts_when_the_user_is_here()
    {
        var answer = new TaskCompletionSource();
        var (chain, said) = (await eve.Chain(1), (await alice.Say(room, "welcome")).EventId);
        remote.On(HttpMethod.Post, Missing, async (_, _) =>
        {
            await answer.Task;
            return new { events = chain.Select(Json) };
        });
        var late = await RemoteMember.Find(servers.First, remote, room, "late");
        var user = late.User.ToString();
        var join = await late.Build(EventTypes.Member, new { membership = "join" }, user, prev: [chain[0].EventId]);
        var since = (await alice.Sync()).NextBatch;
        (await remote.Put(servers.First, $"/_matrix/federation/v1/send/{Guid.NewGuid():N}", new { pdus = new[] { Json(join) }, edus = new[] { Receipt("", said) } })).Ok();
        await remote.Asked(request => request.Path.StartsWith(Missing, StringComparison.Ordinal));
        (await remote.Put(servers.First, $"/_matrix/federation/v1/send/{Guid.NewGuid():N}", new { edus = new[] { Receipt("main", join.EventId.ToString()) } })).Ok();
        answer.SetResult();
        var seen = new List<SyncReply>();
        await alice.SyncUntil(sync =>
        {
            seen.Add(sync);
            return seen.Any(s => HasReceipt(s, said, user)) && seen.Any(s => HasReceipt(s, join.EventId.ToString(), user));
        }, since);

        object Receipt(string thread, string at) => new { edu_type = "m.receipt", content = new Dictionary<string, object> { [room] = new Dictionary<string, object>
            { ["m.read"] = new Dictionary<string, object> { [user] = new { data = thread == "" ? (object)new { ts = 1 } : new { ts = 1, thread_id = thread }, event_ids = new[] { at } } } } } };
    }

    [Fact]
    public async Task What_comes_after_an_event_that_waits_waits_too()
    {
        var answer = new TaskCompletionSource();
        var chain = await eve.Chain(4);
        remote.On(HttpMethod.Post, Missing, async (_, _) =>
        {
            await answer.Task;
            return new { events = chain[..1].Select(Json) };
        });
        Assert.Null(await eve.Send(chain[1]));
        Assert.Null(await eve.Send(chain[2]));
        // it could be taken at once, but its server sent it after the others
        var aside = await eve.Text("on the side", prev: [(await eve.Head()).Extremities[0].EventId]);
        Assert.Null(await eve.Send(aside));
        await remote.Asked(request => request.Path.StartsWith(Missing, StringComparison.Ordinal));
        Assert.Null(await eve.Stored(aside.EventId));
        answer.SetResult();
        await eve.Arrived(aside.EventId);
        Assert.True((await eve.Stored(chain[2].EventId))!.Position < (await eve.Stored(aside.EventId))!.Position);
    }

    [Fact]
    public async Task Where_the_events_before_are_not_to_be_had_the_state_is_asked_for()
    {
        var state = await eve.State();
        var hidden = await eve.Text("nobody gives this");
        var topic = await eve.Build(EventTypes.Member, new { membership = "join", displayname = "Eve" }, eve.User.ToString(), prev: [hidden.EventId]);
        var after = await eve.Text("after the gap", prev: [topic.EventId], auth: [.. (await eve.Text("x")).AuthEvents.SkipLast(1), topic.EventId]);
        remote.On(HttpMethod.Post, Missing, _ => new { events = Array.Empty<object>() });
        remote.On(HttpMethod.Get, StateIds, _ => new { pdu_ids = state.Where(pdu => pdu.StateKey != eve.User.ToString()).Append(topic).Select(Id), auth_chain_ids = state.Select(Id) });
        Assert.Null(await eve.Send(after));
        var stored = await eve.Arrived(after.EventId);
        Assert.NotNull(stored.Position);
        var member = await servers.First.Services.GetRequiredService<RoomState>().Get(stored.StateBefore!.Value, EventTypes.Member, eve.User.ToString(), default);
        Assert.Equal(topic.EventId, member!.EventId);
    }

    [Fact]
    public async Task An_event_that_cannot_be_stored_is_refused_alone_and_the_room_goes_on()
    {
        var state = await eve.State();
        var good = await eve.Chain(3);
        // NUL in its type: those beside it are one run, and those that build on it get the state instead
        var bad = JsonElement.Parse(System.Text.Encoding.UTF8.GetString(good[1].Json.Span).Replace("m.room.message", "m.room\\u0000message", StringComparison.Ordinal));
        (await eve.PutRaw(null, Json(good[0]), Json(good[1]), bad, Json(good[2]))).Ok();
        foreach (var pdu in good)
            Assert.NotNull((await eve.Arrived(pdu.EventId)).Position);
        remote.On(HttpMethod.Post, Missing, _ => new { events = new[] { bad } });
        remote.On(HttpMethod.Get, StateIds, _ => new { pdu_ids = state.Select(Id), auth_chain_ids = state.Select(Id) });
        var after = await eve.Text("after it", prev: [good[2].EventId, EventId.Parse("$" + new string('b', 43))]);
        Assert.Null(await eve.Send(after));
        Assert.NotNull((await eve.Arrived(after.EventId)).Position);
        var wordy = await eve.Build("m.room.message", new Dictionary<string, object>
        {
            ["body"] = "a relation of a type that no index takes",
            ["m.relates_to"] = new { rel_type = Convert.ToHexString(System.Security.Cryptography.RandomNumberGenerator.GetBytes(8000)), event_id = Id(after) },
        });
        Assert.Null(await eve.Send(wordy));
        Assert.NotNull((await eve.Arrived(wordy.EventId)).Position);
    }

    [Fact]
    public async Task An_endless_past_is_followed_for_a_few_steps_only()
    {
        // whatever is asked for, there is one more event before it
        var chain = await eve.Chain(300, [EventId.Parse("$" + new string('x', 43))]);
        var next = 298;
        remote.On(HttpMethod.Post, Missing, _ => new { events = new[] { Json(chain[Math.Max(0, next--)]) } });
        remote.On(HttpMethod.Get, StateIds, _ => new { pdu_ids = Array.Empty<string>(), auth_chain_ids = Array.Empty<string>() });
        Assert.Null(await eve.Send(chain[299]));
        await remote.Asked(request => request.Path.StartsWith(StateIds, StringComparison.Ordinal) && request.Target.Contains(Uri.EscapeDataString(Id(chain[299])), StringComparison.Ordinal));
        Assert.InRange(remote.Requests.Count(request => request.Path.StartsWith(Missing, StringComparison.Ordinal)), 1, 10);
        Assert.InRange(remote.Requests.Count(request => request.Path.StartsWith(StateIds, StringComparison.Ordinal)), 1, 4);
        // and the room goes on
        await alice.Say(room, "still here");
    }

    [Fact]
    public async Task Auth_events_are_fetched_and_an_auth_chain_without_end_is_not()
    {
        var hidden = await eve.Build(EventTypes.Member, new { membership = "join", displayname = "Eve 2" }, eve.User.ToString());
        var citing = await eve.Text("cites what is not here", auth: [.. (await eve.Text("x")).AuthEvents.SkipLast(1), hidden.EventId]);
        Assert.Null(await eve.Send(citing));
        Assert.Null((await eve.Arrived(citing.EventId)).Rejected);

        var large = new byte[20 << 20];
        "{\"auth_chain\":[\""u8.CopyTo(large);
        large.AsSpan(16).Fill((byte)'x');
        remote.On(HttpMethod.Get, EventAuth, _ => large);
        var deep = await eve.Text("cites much", auth: [.. Enumerable.Range(0, 9).Select(i => EventId.Parse("$" + new string((char)('a' + i), 43)))]);
        Assert.Null(await eve.Send(deep));
        await remote.Asked(request => request.Path.StartsWith(EventAuth, StringComparison.Ordinal));
        Assert.Null(await eve.Stored(deep.EventId));
    }

    [Fact]
    public async Task A_state_that_fails_the_rules_gives_nobody_power()
    {
        var state = await eve.State();
        var power = await eve.Build(EventTypes.PowerLevels, new { users = new Dictionary<string, int> { [eve.User.ToString()] = 100 } }, "");
        var hidden = await eve.Text("nobody gives this");
        var name = await eve.Build("m.room.name", new { name = "Eve's now" }, "", prev: [hidden.EventId],
            auth: [.. (await eve.Text("x")).AuthEvents.Where(id => id != state.First(pdu => pdu.Type == EventTypes.PowerLevels).EventId), power.EventId]);
        remote.On(HttpMethod.Post, Missing, _ => new { events = Array.Empty<object>() });
        remote.On(HttpMethod.Get, StateIds, _ => new
        {
            pdu_ids = state.Where(pdu => pdu.Type != EventTypes.PowerLevels).Append(power).Select(Id), auth_chain_ids = state.Append(power).Select(Id),
        });
        Assert.Null(await eve.Send(name));
        Assert.NotNull((await eve.Arrived(name.EventId)).Rejected);
        (await alice.Get($"/_matrix/client/v3/rooms/{Uri.EscapeDataString(room)}/state/m.room.name")).Refused(404, "M_NOT_FOUND");
    }

    bool HasReceipt(SyncReply sync, string at, string user) => sync.Joined(room)?.Find("ephemeral.events")?.Items()
        .Any(e => e.String("type") == "m.receipt" && e.At("content").Find(at)?.Find("m.read")?.Find(user) is not null) == true;

    static JsonElement Json(Pdu pdu) => JsonElement.Parse(pdu.Json.Span);

    static string Id(Pdu pdu) => pdu.EventId.ToString();
}
