using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Matrix.Protocol.Tests;

public class ClientEventTests
{
    static readonly TestRoom Room = new(RoomVersions.V11);

    static string Encode(Pdu pdu, ClientEventOptions? options = null) => Encoding.UTF8.GetString(ClientEvent.Encode(pdu, options));

    [Fact]
    public void A_message_has_what_clients_need_and_no_more()
    {
        var pdu = Room.Event("m.room.message", """{"body":"hi"}""");
        Assert.Equal(
            $$$"""{"content":{"body":"hi"},"event_id":"{{{pdu.EventId}}}","origin_server_ts":1700000000000,"room_id":"!r:example.org","sender":"@alice:example.org","type":"m.room.message"}""",
            Encode(pdu));
    }

    [Fact]
    public void A_sync_response_leaves_out_the_room()
    {
        var json = JsonElement.Parse(Encode(Room.Event("m.room.topic", "{}", stateKey: ""), ClientEventOptions.WithoutRoomId));
        Assert.False(json.TryGetProperty("room_id", out _));
        Assert.Equal("", json.GetProperty("state_key").GetString());
    }

    [Fact]
    public void Unsigned_members_are_written_or_spliced_alike()
    {
        var pdu = Room.Event("m.room.topic", "{}", stateKey: "");
        var options = new ClientEventOptions
        {
            Age = 5,
            TransactionId = "t\"1",
            Membership = "join",
            PrevSender = TestRoom.Bob,
            ReplacesState = EventId.Parse("$old"),
            PrevContent = """{"topic":"x"}"""u8.ToArray(),
            RedactedBecause = """{"type":"m.room.redaction"}"""u8.ToArray(),
            Relations = """{"m.thread":{}}"""u8.ToArray(),
        };
        var output = new ArrayBufferWriter<byte>();
        ClientEvent.Splice(output, ClientEvent.Encode(pdu), options);
        Assert.Equal(Encode(pdu, options), Encoding.UTF8.GetString(output.WrittenSpan));
        Assert.Equal(
            """{"age":5,"membership":"join","prev_sender":"@bob:example.org","replaces_state":"$old","transaction_id":"t\"1","prev_content":{"topic":"x"},"redacted_because":{"type":"m.room.redaction"},"m.relations":{"m.thread":{}}}""",
            JsonElement.Parse(output.WrittenSpan).GetProperty("unsigned").GetRawText());
    }

    [Theory]
    [InlineData("10", "{}")]
    [InlineData("10", """{"reason":"x"}""")]
    [InlineData("11", "{}")]
    public void The_target_of_a_redaction_stands_in_both_places(string version, string content)
    {
        var room = new TestRoom(RoomVersions.Find(version)!);
        var json = JsonElement.Parse(Encode(room.Event("m.room.redaction", content, redacts: EventId.Parse("$t"))));
        Assert.Equal("$t", json.GetProperty("redacts").GetString());
        Assert.Equal("$t", json.GetProperty("content").GetProperty("redacts").GetString());
    }

    [Fact]
    public void A_json_writer_takes_events_as_values()
    {
        var output = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(output);
        writer.WriteStartArray();
        ClientEvent.Write(writer, Room.Create);
        ClientEvent.Write(writer, Room.Create);
        writer.WriteEndArray();
        writer.Flush();
        Assert.Equal(2, JsonElement.Parse(output.WrittenSpan).GetArrayLength());
    }

    [Fact]
    public void Stripped_state_has_four_members()
    {
        var output = new ArrayBufferWriter<byte>();
        ClientEvent.WriteStripped(output, Room.Event("m.room.name", """{"name":"n"}""", stateKey: ""));
        Assert.Equal("""{"content":{"name":"n"},"sender":"@alice:example.org","state_key":"","type":"m.room.name"}""",
            Encoding.UTF8.GetString(output.WrittenSpan));
    }
}
