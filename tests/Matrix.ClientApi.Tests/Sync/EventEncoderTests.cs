using System.Buffers;
using System.Text;
using System.Text.Json;
using Matrix.ClientApi.Sync;

namespace Matrix.ClientApi.Tests.Sync;

public sealed class EventEncoderTests
{
    [Fact]
    public void A_client_gets_its_members_and_no_other()
    {
        var json = Write(Encoded.Event("m.room.name", "@a:x", """{"name":"Ä \"quoted\""}""", ""), Reader("@b:x", "OTHER", withRoomId: true));
        Assert.Equal(
            ["content", "event_id", "origin_server_ts", "room_id", "sender", "state_key", "type", "unsigned"],
            json.EnumerateObject().Select(member => member.Name).Order());
        Assert.Equal("Ä \"quoted\"", json.GetProperty("content").GetProperty("name").GetString());
        Assert.Equal("$e", json.GetProperty("event_id").GetString());
        Assert.Equal(17, json.GetProperty("origin_server_ts").GetInt64());
    }

    [Theory]
    [InlineData("@a:x", "DEV", true)]
    [InlineData("@a:x", "OTHER", false)]
    [InlineData("@b:x", "DEV", false)]
    public void Only_the_device_that_sent_an_event_is_told_its_transaction(string user, string device, bool told)
    {
        var json = Write(Encoded.Event("m.room.message", "@a:x"), Reader(user, device));
        Assert.Equal(told, json.GetProperty("unsigned").TryGetProperty("transaction_id", out _));
        Assert.Equal(983, json.GetProperty("unsigned").GetProperty("age").GetInt64());
    }

    [Fact]
    public void The_target_of_a_redaction_is_found_in_the_content_and_shown_at_the_top_too()
    {
        var redaction = Encoded.Event("m.room.redaction", "@a:x", """{"reason":"r","redacts":"$target"}""");
        Assert.Equal("$target", redaction.Redacts);
        Assert.Equal("$target", Write(redaction, Reader("@b:x", "D")).GetProperty("redacts").GetString());
    }

    [Fact]
    public void The_target_of_an_old_redaction_is_shown_in_the_content_too()
    {
        var redaction = Encoded.Event("m.room.redaction", "@a:x", """{"reason":"r"}""", version: "10", redacts: "$target");
        Assert.Equal("$target", redaction.Redacts);
        var json = Write(redaction, Reader("@b:x", "D"));
        Assert.Equal("$target", json.GetProperty("redacts").GetString());
        Assert.Equal("""{"reason":"r","redacts":"$target"}""", json.GetProperty("content").GetRawText());
        Assert.Equal("""{"reason":"r","redacts":"$target"}""", Encoding.UTF8.GetString(redaction.Content.Span));
    }

    [Fact]
    public void A_membership_is_read_once() =>
        Assert.Equal("join", Encoded.Event("m.room.member", "@a:x", """{"x":{"membership":"ban"},"membership":"join"}""", "@a:x").Membership);

    static EventAudience Reader(string user, string device, bool withRoomId = false) => new(user, device, 1000, withRoomId);

    static JsonElement Write(EncodedEvent e, EventAudience audience)
    {
        var output = new ArrayBufferWriter<byte>();
        EventWriter.Write(new JsonSplicer(output), e, new EventBatch(), audience);
        return JsonElement.Parse(Encoding.UTF8.GetString(output.WrittenSpan));
    }
}
