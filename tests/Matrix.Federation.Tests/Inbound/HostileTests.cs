using System.Text.Json;
using Matrix.Federation.Tests.Harness;
using Matrix.Federation.Tests.Joins;
using Matrix.Protocol;
using Npgsql;
using Microsoft.Extensions.DependencyInjection;

namespace Matrix.Federation.Tests.Inbound;

/// <summary>Rooms with a member whose server means ill, or has died at the wrong moment. MATRIX_TEST_HOSTILE=full sends as much as such a server might: 10,000 branches.</summary>
public sealed class HostileTests(FederatedServers all) : RemoteServerTests(all)
{
    internal static bool IsFull { get; } = Environment.GetEnvironmentVariable("MATRIX_TEST_HOSTILE") == "full";

    [Fact]
    public async Task Events_that_build_on_each_other_in_a_circle_end_as_events_with_a_gap()
    {
        // since version 3 an event's id is its hash
        var history = await RemoteHistory.Make(servers.First, remote, alice, 0, version: "1");
        var (room, state) = (history.Room.ToString(), history.State.ToList());
        var eve = await RemoteMember.Find(servers.First, remote, room);
        var auth = (await eve.Text("x")).AuthEvents;
        EventId first = EventId.Create("first", remote.Name), second = EventId.Create("second", remote.Name);
        var (a, b) = (Circular(eve, first, second, auth), Circular(eve, second, first, auth));
        remote.On(HttpMethod.Post, "/_matrix/federation/v1/get_missing_events/", _ => new { events = new[] { JsonElement.Parse(b.Json.Span) } });
        remote.On(HttpMethod.Get, "/_matrix/federation/v1/state_ids/", _ => new { pdu_ids = state, auth_chain_ids = state });
        Assert.Null(await eve.Send(a));
        await eve.Arrived(a.EventId);
        await alice.Say(room, "the room goes on");
        Assert.InRange(remote.Requests.Count, 1, 20);
    }

    [Fact]
    public async Task Auth_events_that_cite_each_other_in_a_circle_are_never_kept()
    {
        var room = (await RemoteHistory.Make(servers.First, remote, alice, 0, version: "1")).Room.ToString();
        var eve = await RemoteMember.Find(servers.First, remote, room);
        EventId first = EventId.Create("auth1", remote.Name), second = EventId.Create("auth2", remote.Name);
        Pdu Member(EventId id, EventId cited) => remote.Build(eve.Room.Rules, new PduBuilder
        {
            EventId = id, Type = EventTypes.Member, StateKey = eve.User.ToString(), Sender = eve.User, RoomId = eve.Room.RoomId, Content = """{"membership":"join"}"""u8.ToArray(),
            PrevEvents = [cited], AuthEvents = [cited], Depth = 5, OriginServerTs = 1,
        });
        var circle = new[] { Member(first, second), Member(second, first) };
        remote.On(HttpMethod.Get, "/_matrix/federation/v1/event_auth/", _ => new { auth_chain = circle.Select(pdu => JsonElement.Parse(pdu.Json.Span)) });
        remote.On(HttpMethod.Get, "/_matrix/federation/v1/event/", request => new
        {
            pdus = circle.Where(pdu => request.Path.EndsWith(Uri.EscapeDataString(pdu.EventId.ToString()), StringComparison.Ordinal)).Select(pdu => JsonElement.Parse(pdu.Json.Span)),
        });
        var citing = await eve.Text("cites the circle", auth: [.. (await eve.Text("x")).AuthEvents, first]);
        Assert.Null(await eve.Send(citing));
        await remote.Asked(request => request.Path.Contains("/event/", StringComparison.Ordinal) && request.Path.Contains("auth2", StringComparison.Ordinal));
        await alice.Say(room, "the room goes on");
        Assert.Null(await eve.Stored(first));
        Assert.Null(await eve.Stored(second));
        Assert.Null(await eve.Stored(citing.EventId));
    }

    [Fact]
    public async Task A_room_gets_few_ends_however_many_events_are_sent_on_one()
    {
        var room = await alice.CreatePublicRoom();
        var eve = await RemoteMember.Join(servers.First, remote, room);
        IReadOnlyList<EventId> prev = [(await eve.Head()).Extremities[0].EventId];
        var rounds = IsFull ? 200 : 3;
        for (var round = 0; round < rounds; round++)
        {
            var many = new List<Pdu>();
            for (var i = 0; i < 50; i++)
                many.Add(await eve.Text($"branch {round} {i}", prev));
            Assert.DoesNotContain("error", (await eve.Put(pdus: many)).Ok().Text, StringComparison.Ordinal);
        }
        Assert.InRange((await eve.Head()).Extremities.Count, 2, 50);
        await alice.Say(room, "one");
        await alice.Say(room, "two");
        await alice.Say(room, "three");
        Assert.Single((await eve.Head()).Extremities);
        var (shown, from) = (0, (string?)null);
        do
        {
            var page = await alice.Messages(room, from, limit: 500);
            shown += page["chunk"].Items().Count(e => e.String("type") == "m.room.message");
            from = page.Json.TryGetProperty("end", out var end) ? end.GetString() : null;
        } while (from is not null);
        Assert.Equal((50 * rounds) + 3, shown);
    }

    [Fact]
    public async Task A_room_of_a_version_that_nobody_knows_is_not_joined()
    {
        var away = new RemoteRoom(remote, RoomVersions.V11);
        away.Serve();
        remote.On(HttpMethod.Get, "/_matrix/federation/v1/make_join/", request =>
        {
            var template = JsonSerializer.SerializeToNode(away.Template(request, "join"))!;
            template["room_version"] = "99";
            return template;
        });
        (await alice.Post($"/_matrix/client/v3/join/{Uri.EscapeDataString(away.Id)}?via={remote.Name}")).Refused(502, "M_UNKNOWN");
        Assert.DoesNotContain(remote.Requests, request => request.Path.Contains("/send_join/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_a_killed_process_held_is_taken_up_by_another()
    {
        var room = await alice.CreatePublicRoom();
        var eve = await RemoteMember.Join(servers.First, remote, room);
        var chain = await eve.Chain(3);
        remote.On(HttpMethod.Post, "/_matrix/federation/v1/get_missing_events/", _ => new { events = chain.Take(2).Select(pdu => JsonElement.Parse(pdu.Json.Span)) });
        // as a process leaves it that is killed while it works on it
        await using var command = servers.First.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand(
            """
            WITH lane AS (
                INSERT INTO federation_lanes (origin, room_nid, due_at, holder) VALUES ($1, $2, now() + interval '1 second', gen_random_uuid())
            )
            INSERT INTO federation_inbox (origin, room_nid, event_id, json) VALUES ($1, $2, $3, $4)
            """);
        foreach (var value in new object[] { remote.Name.ToString(), eve.Room.RoomNid, chain[2].EventId.ToString(), chain[2].Json.ToArray() })
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        await command.ExecuteNonQueryAsync();
        Assert.NotNull((await eve.Arrived(chain[2].EventId)).Position);
    }

    Pdu Circular(RemoteMember eve, EventId id, EventId prev, IReadOnlyList<EventId> auth) => remote.Build(eve.Room.Rules, new PduBuilder
    {
        EventId = id, Type = "m.room.message", Sender = eve.User, RoomId = eve.Room.RoomId, Content = """{"msgtype":"m.text","body":"round and round"}"""u8.ToArray(),
        PrevEvents = [prev], AuthEvents = auth, Depth = 20, OriginServerTs = 1,
    });
}
