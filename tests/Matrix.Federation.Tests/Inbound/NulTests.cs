using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Matrix.Federation.Tests.Harness;
using Matrix.Federation.Tests.Joins;
using Matrix.Protocol;

namespace Matrix.Federation.Tests.Inbound;

/// <summary>JSON can say NUL, and Postgres stores none: what another server says with it is taken in all the same.</summary>
public sealed class NulTests(FederatedServers all) : RemoteServerTests(all)
{
    [Fact]
    public async Task Events_that_say_it_are_part_of_the_room()
    {
        var room = await alice.CreateRoom(new { preset = "public_chat", power_level_content_override = new { events = new { }, state_default = 0 } });
        var eve = await RemoteMember.Join(servers.First, remote, room);
        var said = await eve.Text("a\0b");
        Assert.Null(await eve.Send(said));
        foreach (var (type, key, content) in Contents(eve.User.ToString(), said.EventId.ToString()))
        {
            var pdu = await eve.Build(type, content, key);
            Assert.Null(await eve.Send(pdu));
            Assert.True((await eve.Arrived(pdu.EventId)) is { Rejected: null }, $"{type} {key}");
        }
        Assert.Equal("E\0ve", (await alice.GetState(room, "m.room.member", eve.User.ToString())).String("displayname"));
        var reactions = (await alice.Get($"/_matrix/client/v1/rooms/{ApiClient.Esc(room)}/relations/{ApiClient.Esc(said.EventId.ToString())}/m.annotation")).Ok();
        Assert.Equal("+\0", reactions["chunk"].EnumerateArray().Single().GetProperty("content").GetProperty("m.relates_to").GetProperty("key").GetString());
    }

    [Fact]
    public async Task The_reason_for_which_one_is_rejected_may_say_it_too()
    {
        var room = await alice.CreateRoom(new
        {
            preset = "public_chat", power_level_content_override = new { events = new Dictionary<string, int> { ["m.room.power_levels"] = 0 } },
        });
        var eve = await RemoteMember.Join(servers.First, remote, room);
        var rejected = await eve.Build("m.room.power_levels", new { events = new Dictionary<string, int> { ["a\0b"] = 90 } }, "");
        await eve.Send(rejected);
        Assert.NotNull((await eve.Arrived(rejected.EventId)).Rejected);
    }

    [Fact]
    public async Task An_event_whose_type_or_state_key_says_it_is_none_and_those_beside_it_are_taken()
    {
        var room = await alice.CreatePublicRoom();
        var eve = await RemoteMember.Join(servers.First, remote, room);
        var good = await eve.Text("good");
        var bad = new[] { "type", "state_key" }.Select(member => With(good, member, "a\0b", eve.Room.Rules)).ToArray();
        (await eve.PutRaw(null, [.. bad, JsonElement.Parse(good.Json.Span)])).Ok();
        Assert.Null((await eve.Arrived(good.EventId)).Rejected);
    }

    [Fact]
    public async Task A_room_whose_state_says_it_is_joined()
    {
        var away = new RemoteRoom(remote, RoomVersions.Find("10")!);
        foreach (var (type, key, content) in Contents(away.Creator.ToString(), "$x").Where(e => e.Key is not null))
            away.Add(type, key, content);
        // one of them is no event
        away.Serve(answer => answer["state"]!.AsArray().Add(JsonNode.Parse(With(away.Last, "state_key", "a\0b", away.Rules).GetRawText())));
        (await alice.Post($"/_matrix/client/v3/join/{ApiClient.Esc(away.Id)}?via={ApiClient.Esc(remote.Name.ToString())}")).Ok();
        Assert.Equal("N\0", (await alice.GetState(away.Id, "m.room.name")).String("name"));
        Assert.Contains("Eve", (await alice.Get($"/_matrix/client/v3/rooms/{ApiClient.Esc(away.Id)}/joined_members")).Ok().Text, StringComparison.Ordinal);
    }

    /// <summary>Everything of which a text is kept beside the event.</summary>
    static IEnumerable<(string Type, string? Key, object Content)> Contents(string sender, string target) =>
    [
        ("m.room.member", sender, new { membership = "join", displayname = "E\0ve", avatar_url = "mxc://\0" }),
        ("m.reaction", null, new Dictionary<string, object> { ["m.relates_to"] = new { rel_type = "m.annotation", event_id = target, key = "+\0" } }),
        ("m.room.message", null, new Dictionary<string, object> { ["body"] = "\0", ["m.relates_to"] = new { rel_type = "x\0y", event_id = target } }),
        ("m.room.name", "", new { name = "N\0" }),
        ("m.room.topic", "", new Dictionary<string, object> { ["topic"] = "\0", ["m.topic"] = new Dictionary<string, object> { ["m.text"] = new[] { new { body = "T\0" } } } }),
        ("m.room.avatar", "", new { url = "\0" }),
        ("m.room.canonical_alias", "", new { alias = "#a\0:b", alt_aliases = new[] { "\0" } }),
        ("m.room.guest_access", "", new { guest_access = "\0" }),
        ("m.room.encryption", "", new { algorithm = "a\0" }),
        ("m.room.history_visibility", "", new { history_visibility = "shared\0" }),
        ("m.room.server_acl", "", new { allow = new[] { "*", "\0" }, deny = new[] { "\0" } }),
        ("m.space.child", "!x:y", new { via = new[] { "\0" }, order = "\0" }),
    ];

    /// <summary>The event with another text in this place, signed.</summary>
    JsonElement With(Pdu pdu, string member, string text, RoomVersionRules rules)
    {
        var json = JsonNode.Parse(pdu.Json.Span)!.AsObject();
        json[member] = text;
        return JsonElement.Parse(EventSignatures.Sign(Encoding.UTF8.GetBytes(json.ToJsonString()), rules, remote.Name, remote.Key));
    }
}
