using System.Text.Json;
using System.Text.Json.Nodes;
using Matrix.Protocol;

namespace Matrix.ClientApi.Tests.Sync;

/// <summary>The member <c>event_format</c> of a filter.</summary>
public sealed class EventFormatTests(MatrixServer server)
{
    static readonly object Federation = new { event_format = "federation", room = new { timeline = new { limit = 4 }, include_leave = true } };

    [Fact]
    public async Task Events_come_as_servers_exchange_them_and_as_clients_know_them_to_whoever_asks_for_which()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var rules = RoomVersions.Find((await alice.GetState(room, "m.room.create")).String("room_version"))!;
        var redacted = await alice.Say(room, "redacted");
        await alice.Redact(room, redacted.EventId);
        await alice.SetState(room, "org.example.state", new { });
        await alice.SetState(room, "org.example.state", new { a = 1 });
        await bob.Say(room, "last");
        var clients = await alice.SyncUntil(sync => sync.HasMessage(room, "last"));

        var servers = await alice.Sync(filter: Federation);
        Assert.Equal(4, servers.Timeline(room).Count);
        Assert.Equal(clients.Timeline(room).TakeLast(4).Select(Id), servers.Timeline(room).Select(Id));
        Assert.NotEmpty(servers.State(room));
        foreach (var e in servers.Timeline(room).Concat(servers.State(room)))
        {
            Assert.Equal(Id(e), Pdu.Parse(AsSigned(e), rules).EventId.ToString());
            Assert.True(e.At("unsigned.age").GetInt64() >= 0);
        }
        // what follows from other events is said as to everybody
        Assert.Equal(1, servers.Timeline(room)[^2].At("content.a").GetInt32());
        Assert.Equal("{}", servers.Timeline(room)[^2].At("unsigned.prev_content").GetRawText());
        Assert.All((await alice.Sync()).Timeline(room), e => Assert.Null(e.Find("hashes")));
        Assert.Equal("{}", (await alice.Sync(filter: new { event_format = "federation" })).Timeline(room).Single(e => Id(e) == redacted.EventId).At("content").GetRawText());
    }

    [Fact]
    public async Task News_rooms_that_were_left_and_invites_keep_to_the_form_that_was_asked_for()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var since = (await bob.SyncUntil(sync => sync.Joined(room) is not null, filter: Federation)).NextBatch;
        var waiting = bob.SyncUntil(sync => sync.Timeline(room).Count > 0, since, filter: Federation);
        await alice.Say(room, "x");
        var news = await waiting;
        Assert.NotNull(news.Timeline(room)[^1].Find("auth_events"));
        var invited = await alice.CreateRoom();
        await alice.Invite(invited, bob);
        await bob.Leave(room);
        var left = await bob.SyncUntil(sync => sync.Left(room) is not null && sync.Invited(invited) is not null, news.NextBatch, filter: Federation);
        Assert.NotNull(left.Timeline(room)[^1].Find("auth_events"));
        Assert.All(left.Invited(invited)!.Value.At("invite_state.events").Items(), e => Assert.Null(e.Find("auth_events")));
    }

    static string Id(JsonElement e) => e.String("event_id");

    /// <summary>Without what is no part of the event in rooms of today.</summary>
    static byte[] AsSigned(JsonElement e)
    {
        var json = JsonNode.Parse(e.GetRawText())!.AsObject();
        json.Remove("event_id");
        json.Remove("unsigned");
        return System.Text.Encoding.UTF8.GetBytes(json.ToJsonString());
    }
}
