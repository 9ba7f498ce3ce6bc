using System.Text;
using System.Text.Json.Nodes;

namespace Matrix.Protocol.Tests;

/// <summary>What each room version keeps of an event that has everything, as the specification lists it.</summary>
public class RedactionTests
{
    const string EventV1 =
        "auth_events content depth event_id hashes membership origin origin_server_ts prev_events prev_state room_id sender signatures state_key type";

    const string EventV11 = "auth_events content depth event_id hashes origin_server_ts prev_events room_id sender signatures state_key type";

    const string PowerLevelsV1 = "ban events events_default kick redact state_default users users_default";

    static readonly string[] ContentKeys =
    [
        "additional_creators", "aliases", "allow", "ban", "body", "creator", "events", "events_default", "history_visibility", "invite",
        "join_authorised_via_users_server", "join_rule", "kick", "membership", "notifications", "redact", "redacts", "room_version",
        "state_default", "third_party_invite", "users", "users_default",
    ];

    static JsonObject Redact(string type, RoomVersionRules rules)
    {
        var content = new JsonObject();
        foreach (var key in ContentKeys)
            content[key] = "x";
        content["third_party_invite"] = new JsonObject { ["display_name"] = "B", ["signed"] = new JsonObject { ["token"] = "t" } };
        var json = new JsonObject { ["content"] = content, ["type"] = type };
        foreach (var key in EventV1.Split(' ').Append("redacts").Append("unsigned").Append("age_ts").Append("origin").Except(["content", "type"]))
            json[key] = "x";
        return JsonNode.Parse(Redaction.Redact(Encoding.UTF8.GetBytes(json.ToJsonString()), rules))!.AsObject();
    }

    static string Keys(JsonNode? node) => string.Join(" ", node!.AsObject().Select(member => member.Key).Order(StringComparer.Ordinal));

    [Fact]
    public void The_members_of_the_event_are_those_of_its_version()
    {
        foreach (var rules in RoomVersions.All)
            Assert.Equal($"{rules.Id}: {(int.Parse(rules.Id) < 11 ? EventV1 : EventV11)}", $"{rules.Id}: {Keys(Redact("m.room.message", rules))}");
    }

    [Theory]
    [InlineData("m.room.message", 1, 12, "")]
    [InlineData("m.room.topic", 1, 12, "")]
    [InlineData("m.room.member", 1, 8, "membership")]
    [InlineData("m.room.member", 9, 10, "join_authorised_via_users_server membership")]
    [InlineData("m.room.member", 11, 12, "join_authorised_via_users_server membership third_party_invite")]
    [InlineData("m.room.create", 1, 10, "creator")]
    [InlineData("m.room.join_rules", 1, 7, "join_rule")]
    [InlineData("m.room.join_rules", 8, 12, "allow join_rule")]
    [InlineData("m.room.power_levels", 1, 10, PowerLevelsV1)]
    [InlineData("m.room.power_levels", 11, 12, "ban events events_default invite kick redact state_default users users_default")]
    [InlineData("m.room.aliases", 1, 5, "aliases")]
    [InlineData("m.room.aliases", 6, 12, "")]
    [InlineData("m.room.history_visibility", 1, 12, "history_visibility")]
    [InlineData("m.room.redaction", 1, 10, "")]
    [InlineData("m.room.redaction", 11, 12, "redacts")]
    public void The_members_of_the_content_are_those_of_type_and_version(string type, int from, int to, string expected)
    {
        for (var version = from; version <= to; version++)
            Assert.Equal($"{version}: {expected}", $"{version}: {Keys(Redact(type, RoomVersions.All[version - 1])["content"])}");
    }

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    public void Since_version_11_create_keeps_everything_and_a_third_party_invite_what_was_signed(int version)
    {
        var rules = RoomVersions.All[version - 1];
        Assert.Equal(string.Join(" ", ContentKeys), Keys(Redact("m.room.create", rules)["content"]));
        Assert.Equal("""{"signed":{"token":"t"}}""", Redact("m.room.member", rules)["content"]!["third_party_invite"]!.ToJsonString());
    }
}
