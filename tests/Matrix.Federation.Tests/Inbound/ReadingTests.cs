using System.Text.Json;
using Matrix.Federation.Tests.Harness;
using Matrix.Protocol;
using Matrix.Storage.Rooms;
using Microsoft.Extensions.DependencyInjection;

namespace Matrix.Federation.Tests.Inbound;

/// <summary>What another server may ask of a room, and what it sees (Server-Server API, Retrieving events, Backfilling and retrieving missing events).</summary>
public sealed class ReadingTests(FederatedServers all) : RemoteRoomTests(all)
{
    [Fact]
    public async Task The_state_before_an_event_is_given_whole_and_as_ids_with_its_auth_chain()
    {
        var eve = await RemoteMember.Join(servers.First, remote, room);
        var before = await alice.Say(room, "before the topic");
        var topic = await alice.SetState(room, "m.room.topic", new { topic = "x" });
        var after = await alice.Say(room, "after the topic");

        var ids = (await eve.Get($"state_ids/{Esc(room)}?event_id={Esc(after.EventId)}")).Ok();
        var state = (await eve.Get($"state/{Esc(room)}?event_id={Esc(after.EventId)}")).Ok();
        Assert.Contains(topic.EventId, Strings(ids["pdu_ids"]));
        Assert.Equal(Strings(ids["pdu_ids"]).Order(), Ids(eve, state["pdus"]).Order());
        Assert.Equal(Strings(ids["auth_chain_ids"]).Order(), Ids(eve, state["auth_chain"]).Order());
        var types = state["auth_chain"].Items().Select(e => e.String("type")).ToHashSet();
        Assert.Superset(new HashSet<string> { "m.room.power_levels", "m.room.member", "m.room.join_rules" }, types);
        Assert.DoesNotContain(topic.EventId, Strings((await eve.Get($"state_ids/{Esc(room)}?event_id={Esc(before.EventId)}")).Ok()["pdu_ids"]));

        var chain = Ids(eve, (await eve.Get($"event_auth/{Esc(room)}/{Esc(after.EventId)}")).Ok()["auth_chain"]);
        var stored = await servers.First.Services.GetRequiredService<EventStore>().FindByEventId(EventId.Parse(after.EventId), default);
        Assert.Superset(Pdu.FromStored(stored!.EventId, stored.Json, stored.Rules).AuthEvents.Select(id => id.ToString()).ToHashSet(), chain.ToHashSet());
        (await eve.Get($"state_ids/{Esc(room)}?event_id=%24nothing")).Refused(404, "M_NOT_FOUND");
        (await eve.Get($"state/{Esc(room)}")).Refused(400, "M_MISSING_PARAM");
    }

    [Fact]
    public async Task Events_are_given_back_from_a_place_and_between_places()
    {
        var eve = await RemoteMember.Join(servers.First, remote, room);
        var sent = new List<string>();
        for (var i = 0; i < 12; i++)
            sent.Add((await alice.Say(room, $"message {i}")).EventId);

        Assert.Equal(sent[5..10].AsEnumerable().Reverse(), Ids(eve, (await eve.Get($"backfill/{Esc(room)}?v={Esc(sent[9])}&limit=5")).Ok()["pdus"]));
        Assert.Equal(100, (await eve.Get($"backfill/{Esc(room)}?v={Esc(await Fill())}&limit=9999")).Ok()["pdus"].GetArrayLength());
        var between = await remote.Post(servers.First, $"/_matrix/federation/v1/get_missing_events/{Esc(room)}",
            new { earliest_events = new[] { sent[3] }, latest_events = new[] { sent[8] }, limit = 10 });
        Assert.Equal(sent[4..8], Ids(eve, between.Ok()["events"]));
        var few = await remote.Post(servers.First, $"/_matrix/federation/v1/get_missing_events/{Esc(room)}",
            new { earliest_events = new[] { sent[0] }, latest_events = new[] { sent[8] }, limit = 3 });
        Assert.Equal(sent[5..8], Ids(eve, few.Ok()["events"]));
        var single = (await eve.Get($"event/{Esc(sent[2])}")).Ok();
        Assert.Equal(servers.First.ServerName, single.String("origin"));
        Assert.Equal([sent[2]], Ids(eve, single["pdus"]));
        var ts = single["pdus"][0].GetProperty("origin_server_ts").GetInt64();
        Assert.Equal(ts, (await eve.Get($"timestamp_to_event/{Esc(room)}?ts={ts}&dir=f")).Ok()["origin_server_ts"].GetInt64());
        (await eve.Get($"timestamp_to_event/{Esc(room)}?ts=1&dir=b")).Refused(404, "M_NOT_FOUND");

        async Task<string> Fill()
        {
            var last = "";
            for (var i = 0; i < 100; i++)
                last = (await alice.Say(room, "more")).EventId;
            return last;
        }
    }

    [Fact]
    public async Task Limits_and_directions_are_what_they_may_be()
    {
        var eve = await RemoteMember.Join(servers.First, remote, room);
        var (first, last) = (await alice.Say(room, "first"), await alice.Say(room, "last"));
        var backfill = $"backfill/{Esc(room)}?v={Esc(last.EventId)}";
        Assert.Empty((await eve.Get($"{backfill}&limit=0")).Ok()["pdus"].Items());
        (await eve.Get($"{backfill}&limit=-1")).Refused(400, "M_INVALID_PARAM");
        (await eve.Get(backfill)).Refused(400, "M_MISSING_PARAM");
        (await eve.Get($"backfill/{Esc(room)}?limit=1")).Refused(400, "M_MISSING_PARAM");

        async Task<int> Missing(int limit, long minDepth = 0) => (await remote.Post(servers.First, $"/_matrix/federation/v1/get_missing_events/{Esc(room)}",
            new { earliest_events = Array.Empty<string>(), latest_events = new[] { last.EventId }, limit, min_depth = minDepth })).Ok()["events"].GetArrayLength();
        Assert.Equal((0, 0, 1), (await Missing(0), await Missing(-5), await Missing(1)));
        Assert.InRange(await Missing(int.MaxValue), 5, 100);
        Assert.Equal(0, await Missing(10, long.MaxValue));

        var at = (await eve.Get($"event/{Esc(first.EventId)}")).Ok()["pdus"][0].GetProperty("origin_server_ts").GetInt64();
        Assert.Equal(first.EventId, (await eve.Get($"timestamp_to_event/{Esc(room)}?ts={at}&dir=f")).Ok().String("event_id"));
        Assert.Equal(last.EventId, (await eve.Get($"timestamp_to_event/{Esc(room)}?ts={long.MaxValue}&dir=b")).Ok().String("event_id"));
        (await eve.Get($"timestamp_to_event/{Esc(room)}?ts={at}")).Refused(400, "M_MISSING_PARAM");
        (await eve.Get($"timestamp_to_event/{Esc(room)}?ts={at}&dir=x")).Refused(400, "M_INVALID_PARAM");
        (await eve.Get($"timestamp_to_event/{Esc(room)}?ts=soon&dir=f")).Refused(400, "M_INVALID_PARAM");
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_server_that_is_not_in_the_room_sees_nothing_of_it(bool hasLeft)
    {
        if (hasLeft)
        {
            var eve = await RemoteMember.Join(servers.First, remote, room);
            Assert.Null(await eve.Send(await eve.Build(EventTypes.Member, new { membership = "leave" }, eve.User.ToString())));
        }
        var sent = (await alice.Say(room, "hello")).EventId;
        foreach (var path in new[] { $"event/{Esc(sent)}", $"state/{Esc(room)}?event_id={Esc(sent)}", $"state_ids/{Esc(room)}?event_id={Esc(sent)}",
            $"event_auth/{Esc(room)}/{Esc(sent)}", $"backfill/{Esc(room)}?v={Esc(sent)}&limit=1", $"timestamp_to_event/{Esc(room)}?ts=0&dir=f" })
            (await remote.Get(servers.First, $"/_matrix/federation/v1/{path}")).Refused(403, "M_FORBIDDEN");
        (await remote.Post(servers.First, $"/_matrix/federation/v1/get_missing_events/{Esc(room)}", new { earliest_events = Array.Empty<string>(), latest_events = new[] { sent } }))
            .Refused(403, "M_FORBIDDEN");
        (await remote.Get(servers.First, "/_matrix/federation/v1/backfill/!nowhere:x?v=$x&limit=1")).Refused(404, "M_NOT_FOUND");
    }

    [Fact]
    public async Task What_was_said_before_the_servers_users_came_is_redacted_where_history_is_for_those_who_were_there()
    {
        await alice.SetState(room, "m.room.history_visibility", new { history_visibility = "joined" });
        var secret = await alice.Say(room, "not for the others");
        var eve = await RemoteMember.Join(servers.First, remote, room);
        var open = await alice.Say(room, "for all who are here");

        var shown = (await eve.Get($"backfill/{Esc(room)}?v={Esc(open.EventId)}&limit=10")).Ok()["pdus"].Items();
        Assert.Equal("for all who are here", Body(shown, eve, open.EventId));
        Assert.Null(Body(shown, eve, secret.EventId));
        Assert.Equal("{}", (await eve.Get($"event/{Esc(secret.EventId)}")).Ok()["pdus"][0].GetProperty("content").GetRawText());
    }

    [Fact]
    public async Task What_was_redacted_and_what_erased_users_said_goes_out_redacted()
    {
        var eve = await RemoteMember.Join(servers.First, remote, room);
        var bob = await servers.First.NewUser();
        await bob.Join(room);
        var (redacted, erased) = (await alice.Say(room, "a mistake"), await bob.Say(room, "bob was here"));
        await alice.Redact(room, redacted.EventId);
        Assert.Equal("bob was here", (await eve.Get($"event/{Esc(erased.EventId)}")).Ok()["pdus"][0].GetProperty("content").String("body"));
        var identifier = new { type = "m.id.user", user = bob.UserId };
        (await bob.Post("/_matrix/client/v3/account/deactivate", new { erase = true, auth = new { type = "m.login.password", identifier, password = bob.Password } })).Ok();
        foreach (var id in new[] { redacted.EventId, erased.EventId })
            Assert.Equal("{}", (await eve.Get($"event/{Esc(id)}")).Ok()["pdus"][0].GetProperty("content").GetRawText());
    }

    static string? Body(IEnumerable<JsonElement> pdus, RemoteMember member, string id) =>
        pdus.Single(pdu => IdOf(member, pdu) == id).GetProperty("content").TryGetProperty("body", out var body) ? body.GetString() : null;

    static string IdOf(RemoteMember member, JsonElement pdu) => Pdu.Parse(JsonSerializer.SerializeToUtf8Bytes(pdu), member.Room.Rules).EventId.ToString();

    static IEnumerable<string> Ids(RemoteMember member, JsonElement pdus) => pdus.Items().Select(pdu => IdOf(member, pdu));

    static IEnumerable<string> Strings(JsonElement array) => array.Items().Select(e => e.GetString()!);

    static string Esc(string text) => Uri.EscapeDataString(text);
}
