using System.Text;
using System.Text.Json;
using Matrix.ClientApi.Sync;
using Matrix.ClientApi.Sync.Filters;
using Matrix.Http;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Tests.Sync;

public sealed class EventFilterTests
{
    [Theory]
    [InlineData("m.room.message", "m.room.message", true)]
    [InlineData("m.room.*", "m.room.message", true)]
    [InlineData("m.room.*", "m.roomx", false)]
    [InlineData("*", "", true)]
    [InlineData("*.message", "m.room.message", true)]
    [InlineData("m.*.mess*e", "m.room.message", true)]
    [InlineData("m.*.mess*x", "m.room.message", false)]
    [InlineData("m.room.message", "m.room.messages", false)]
    [InlineData("a*b*c", "aXbbYc", true)]
    public void A_star_stands_for_any_characters(string pattern, string type, bool matches) => Assert.Equal(matches, Wildcard.Match(pattern, type));

    [Fact]
    public void What_is_excluded_stays_out_even_when_it_is_included_too()
    {
        var filter = Parse("""{"types": ["m.room.*"], "not_types": ["m.room.member"], "senders": ["@a:x", "@b:x"], "not_senders": ["@b:x"]}""");
        Assert.True(filter.Passes(Event("m.room.message", "@a:x")));
        Assert.False(filter.Passes(Event("m.room.member", "@a:x")));
        Assert.False(filter.Passes(Event("m.room.message", "@b:x")));
        Assert.False(filter.Passes(Event("m.reaction", "@a:x")));
    }

    [Fact]
    public void An_empty_list_lets_nothing_pass()
    {
        Assert.True(Parse("""{"types": []}""").PassesNone);
        Assert.True(Parse("""{"not_types": ["*"]}""").PassesNone);
        Assert.False(Parse("{}").PassesNone);
    }

    [Fact]
    public void Contains_url_looks_into_the_content()
    {
        Assert.True(Parse("""{"contains_url": true}""").Passes(Event("m.x", "@a:x", """{"body":"b","url":"mxc://a/b"}""")));
        Assert.False(Parse("""{"contains_url": true}""").Passes(Event("m.x", "@a:x", """{"body":{"url":1}}""")));
        Assert.True(Parse("""{"contains_url": false}""").Passes(Event("m.x", "@a:x", """{"body":{"url":1}}""")));
    }

    [Theory]
    [InlineData("""{"types": "m.room.message"}""")]
    [InlineData("""{"senders": [1]}""")]
    [InlineData("""{"limit": -1}""")]
    [InlineData("""{"limit": "10"}""")]
    [InlineData("""{"lazy_load_members": "yes"}""")]
    [InlineData("[]")]
    public void A_filter_of_the_wrong_shape_is_refused(string json) =>
        Assert.Equal("M_BAD_JSON", Assert.Throws<MatrixException>(() => Parse(json)).Errcode);

    static EventFilter Parse(string json) => EventFilter.Parse(JsonElement.Parse(json));

    internal static EncodedEvent Event(string type, string sender, string content = "{}", string? stateKey = null)
    {
        var key = stateKey is null ? "" : $",\"state_key\":{JsonSerializer.Serialize(stateKey)}";
        var json = $$"""{"auth_events":[],"content":{{content}},"depth":3,"hashes":{"sha256":"x"},"origin_server_ts":17,"prev_events":["$p"],"room_id":"!r:x","sender":"{{sender}}","signatures":{}{{key}},"type":"{{type}}"}""";
        return EventEncoder.Encode(
            new EventRow(1, "$e", 2, "!r:x", "11", 5, type, stateKey, sender, 17, [], null, null, null, "DEV", "txn"), Encoding.UTF8.GetBytes(json));
    }
}
