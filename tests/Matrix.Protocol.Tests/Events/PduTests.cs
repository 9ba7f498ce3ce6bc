using System.Text;
using System.Text.Json;

namespace Matrix.Protocol.Tests;

public class PduTests
{
    public static TheoryData<string> Versions => [.. RoomVersions.All.Select(rules => rules.Id)];

    static RoomVersionRules Rules(string version) => RoomVersions.Find(version)!;

    static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);

    [Theory, MemberData(nameof(Versions))]
    public void A_built_event_parses_to_the_same_event(string version)
    {
        var room = new TestRoom(Rules(version));
        var built = room.Event("m.room.topic", """{"topic":"a \"b\" ü"}""", stateKey: "");
        var parsed = Pdu.Parse(built.Json, room.Rules);
        Assert.Equal(Text(built.Json), Text(parsed.Json));
        Assert.Equal((built.EventId, room.RoomId, "m.room.topic", "", TestRoom.Alice, 1L, 1_700_000_000_000L),
            (parsed.EventId, parsed.RoomId, parsed.Type, parsed.StateKey, parsed.Sender, parsed.Depth, parsed.OriginServerTs));
        Assert.Equal([room.Create.EventId], parsed.PrevEvents);
        Assert.Equal("a \"b\" ü", parsed.Content.GetProperty("topic").GetString());
        Assert.True(parsed.HasValidContentHash);
        Assert.True(EventSignatures.Verify(parsed, TestRoom.Server, _ => TestRoom.Key.VerifyKey));
    }

    [Theory, MemberData(nameof(Versions))]
    public void A_redacted_event_keeps_its_id_and_its_signature(string version)
    {
        var room = new TestRoom(Rules(version));
        var redacted = room.Event("m.room.message", """{"body":"secret"}""").Redact();
        var parsed = Pdu.Parse(redacted.Json, room.Rules);
        Assert.Equal(redacted.EventId, parsed.EventId);
        Assert.Equal("{}", Text(parsed.ContentJson));
        Assert.False(parsed.HasValidContentHash);
        Assert.True(EventSignatures.Verify(parsed, TestRoom.Server, _ => TestRoom.Key.VerifyKey));
    }

    [Fact]
    public void Event_ids_have_the_form_of_their_version()
    {
        Assert.Matches(@"^\$[\w-]{24}:example\.org$", new TestRoom(RoomVersions.V1).Create.EventId.ToString());
        Assert.Matches(@"^\$[A-Za-z0-9+/]{43}$", new TestRoom(RoomVersions.V3).Create.EventId.ToString());
        Assert.Matches(@"^\$[\w-]{43}$", new TestRoom(RoomVersions.V4).Create.EventId.ToString());
    }

    [Fact]
    public void A_version_12_room_is_named_after_its_create_event()
    {
        var room = new TestRoom(RoomVersions.V12);
        Assert.Equal(room.Create.EventId.ToString()[1..], room.RoomId.ToString()[1..]);
        Assert.DoesNotContain("room_id", Text(room.Create.Json), StringComparison.Ordinal);
        Assert.Equal(room.RoomId, Pdu.Parse(room.Create.Json, room.Rules).RoomId);
    }

    [Fact]
    public void Unsigned_of_a_received_event_is_dropped()
    {
        var room = new TestRoom(RoomVersions.V11);
        var pdu = room.Event("m.room.message", "{}");
        var json = Text(pdu.Json)[..^1] + ""","unsigned":{"age":1}}""";
        Assert.Equal(Text(pdu.Json), Text(Pdu.Parse(Encoding.UTF8.GetBytes(json), room.Rules).Json));
    }

    [Theory]
    [InlineData("type")]
    [InlineData("sender")]
    [InlineData("room_id")]
    [InlineData("content")]
    [InlineData("depth")]
    [InlineData("origin_server_ts")]
    [InlineData("prev_events")]
    [InlineData("auth_events")]
    [InlineData("hashes")]
    [InlineData("signatures")]
    public void An_event_without_one_of_its_members_is_refused(string member)
    {
        var room = new TestRoom(RoomVersions.V11);
        var json = JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(room.Event("m.room.message", "{}").Json.Span)!;
        json.Remove(member);
        Assert.Throws<InvalidEventException>(() => Pdu.Parse(JsonSerializer.SerializeToUtf8Bytes(json), room.Rules));
    }

    [Theory]
    [InlineData("type", "1")]
    [InlineData("sender", "\"alice\"")]
    [InlineData("room_id", "\"!r\"")]
    [InlineData("content", "[]")]
    [InlineData("depth", "-1")]
    [InlineData("depth", "\"1\"")]
    [InlineData("state_key", "null")]
    [InlineData("prev_events", "[1]")]
    [InlineData("prev_events", "{}")]
    [InlineData("auth_events", "[[\"$a\",{}]]")]
    [InlineData("hashes", "1")]
    [InlineData("signatures", "[]")]
    public void An_event_with_a_wrong_member_is_refused(string member, string value)
    {
        var room = new TestRoom(RoomVersions.V11);
        var json = JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(room.Event("m.room.message", "{}").Json.Span)!;
        json[member] = JsonElement.Parse(value);
        Assert.Throws<InvalidEventException>(() => Pdu.Parse(JsonSerializer.SerializeToUtf8Bytes(json), room.Rules));
    }

    [Fact]
    public void An_assigned_id_must_name_a_server()
    {
        var json = Text(new TestRoom(RoomVersions.V1).Event("m.room.message", "{}").Json);
        var changed = System.Text.RegularExpressions.Regex.Replace(json, "\"event_id\":\"[^\"]*\"", "\"event_id\":\"$abc\"");
        Assert.Throws<InvalidEventException>(() => Pdu.Parse(Encoding.UTF8.GetBytes(changed), RoomVersions.V1));
    }

    [Fact]
    public void More_than_20_prev_events_or_10_auth_events_are_refused()
    {
        var room = new TestRoom(RoomVersions.V11);
        PduBuilder With(int prev, int auth) => new()
        {
            Type = "x",
            Sender = TestRoom.Alice,
            RoomId = room.RoomId,
            Content = "{}"u8.ToArray(),
            PrevEvents = [.. Enumerable.Range(0, prev).Select(i => EventId.Parse("$p" + i))],
            AuthEvents = [.. Enumerable.Range(0, auth).Select(i => EventId.Parse("$a" + i))],
        };
        With(20, 10).Build(room.Rules, TestRoom.Server, TestRoom.Key);
        Assert.Throws<InvalidEventException>(() => With(21, 10).Build(room.Rules, TestRoom.Server, TestRoom.Key));
        Assert.Throws<InvalidEventException>(() => With(20, 11).Build(room.Rules, TestRoom.Server, TestRoom.Key));
    }

    [Fact]
    public void The_size_limits_count_bytes()
    {
        var room = new TestRoom(RoomVersions.V11);
        room.Event(new string('ü', 127), "{}");
        Assert.Throws<EventTooLargeException>(() => room.Event(new string('ü', 128), "{}"));
        Assert.Throws<EventTooLargeException>(() => room.Event("x", "{}", stateKey: new string('a', 256)));
        var overhead = room.Event("m.room.message", """{"body":""}""").Json.Length;
        string Body(int length) => $$"""{"body":"{{new string('x', length)}}"}""";
        Assert.Equal(Pdu.MaxBytes, room.Event("m.room.message", Body(Pdu.MaxBytes - overhead)).Json.Length);
        Assert.Throws<EventTooLargeException>(() => room.Event("m.room.message", Body(Pdu.MaxBytes - overhead + 1)));
    }

    [Fact]
    public void A_changed_content_is_noticed_by_its_hash_alone()
    {
        var room = new TestRoom(RoomVersions.V11);
        var json = Text(room.Event("m.room.message", """{"body":"one"}""").Json);
        var changed = Pdu.Parse(Encoding.UTF8.GetBytes(json.Replace("one", "two")), room.Rules);
        Assert.False(changed.HasValidContentHash);
        Assert.True(EventSignatures.Verify(changed, TestRoom.Server, _ => TestRoom.Key.VerifyKey));
    }

    [Fact]
    public void A_redaction_names_its_target_where_its_version_wants_it()
    {
        var target = EventId.Parse("$target");
        var old = new TestRoom(RoomVersions.V10).Event("m.room.redaction", """{"reason":"spam"}""", redacts: target);
        var current = new TestRoom(RoomVersions.V11).Event("m.room.redaction", """{"reason":"spam"}""", redacts: target);
        Assert.Equal((target, target), (old.Redacts, current.Redacts));
        Assert.Equal("""{"reason":"spam"}""", Text(old.ContentJson));
        Assert.Equal("""{"reason":"spam","redacts":"$target"}""", Text(current.ContentJson));
    }
}
