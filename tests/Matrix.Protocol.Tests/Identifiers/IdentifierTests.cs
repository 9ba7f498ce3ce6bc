using System.Text.Json;

namespace Matrix.Protocol.Tests;

public class IdentifierTests
{
    [Theory]
    [InlineData("matrix.org", "matrix.org", null)]
    [InlineData("matrix.org:8888", "matrix.org", 8888)]
    [InlineData("1.2.3.4", "1.2.3.4", null)]
    [InlineData("1.2.3.4:1234", "1.2.3.4", 1234)]
    [InlineData("[1234:5678::abcd]", "[1234:5678::abcd]", null)]
    [InlineData("[::]", "[::]", null)]
    [InlineData("[::ffff:1.2.3.4]:80", "[::ffff:1.2.3.4]", 80)]
    [InlineData("[1234:5678::abcd]:5678", "[1234:5678::abcd]", 5678)]
    public void Server_names_split_into_host_and_port(string text, string host, int? port)
    {
        var server = ServerName.Parse(text);
        Assert.Equal((host, port, text), (server.Host, server.Port, server.ToString()));
    }

    [Theory]
    [InlineData("")]
    [InlineData(":80")]
    [InlineData("a:")]
    [InlineData("a:b")]
    [InlineData("a:123456")]
    [InlineData("a:65536")]
    [InlineData("a:1:2")]
    [InlineData("under_score")]
    [InlineData("ü.org")]
    [InlineData("[]")]
    [InlineData("[::1")]
    [InlineData("[::1]x")]
    [InlineData("[:::::1]")]
    [InlineData("[fe80::1%eth0]")]
    [InlineData("[1.2.3.4]")]
    [InlineData("[127]")]
    [InlineData("[0:0:0:0:0:0:0:0:0]")]
    [InlineData("a b")]
    [InlineData("a/b")]
    public void Other_server_names_are_refused(string text) => Assert.False(ServerName.TryParse(text, out _));

    [Theory]
    [InlineData("1.2.3.4", true)]
    [InlineData("1.2.3.4:80", true)]
    [InlineData("[::1]", true)]
    [InlineData("1.2.3.400", false)]
    [InlineData("1.2.3", false)]
    [InlineData("matrix.org", false)]
    public void Addresses_are_told_from_names(string text, bool isIp) => Assert.Equal(isIp, ServerName.Parse(text).IsIpLiteral);

    [Theory]
    [InlineData("@alice:example.org", "alice", true)]
    [InlineData("@a/b+c=d:example.org:8448", "a/b+c=d", true)]
    [InlineData("@Alice:example.org", "Alice", false)]
    [InlineData("@:example.org", "", false)]
    [InlineData("@ü😀:example.org", "ü😀", false)]
    public void User_ids_keep_historical_localparts(string text, string localpart, bool strict)
    {
        var user = UserId.Parse(text);
        Assert.Equal((localpart, strict, text), (user.Localpart, user.IsStrictLocalpart, user.ToString()));
    }

    [Theory]
    [InlineData("alice")]
    [InlineData("@alice")]
    [InlineData("@alice:")]
    [InlineData("@al\0ice:example.org")]
    [InlineData("@alice:exa mple.org")]
    [InlineData("#alice:example.org")]
    public void Other_user_ids_are_refused(string text) => Assert.False(UserId.TryParse(text, out _));

    [Fact]
    public void A_lone_surrogate_is_refused() => Assert.False(UserId.TryParse("@al" + '\ud800' + "ice:example.org", out _));

    [Fact]
    public void The_limit_of_255_counts_bytes()
    {
        var room = new string('ü', 121);
        Assert.True(UserId.TryParse("@" + room + ":example.org", out _));
        Assert.False(UserId.TryParse("@ab" + room + ":example.org", out _));
    }

    [Fact]
    public void Room_ids_come_with_and_without_a_server()
    {
        Assert.Equal("example.org", RoomId.Parse("!abc:example.org").Server.ToString());
        Assert.Null(RoomId.Parse("!31hneApxJ_1o-63DmFrpeqnkFfWppnzWso1JvH3ogLM").Server);
        Assert.Equal("!31hneApx", RoomId.FromCreateEvent(EventId.Parse("$31hneApx")).ToString());
        Assert.Equal("$31hneApx", RoomId.Parse("!31hneApx").CreateEventId.ToString());
    }

    [Theory]
    [InlineData("mxc://example.org/abc_-1", true)]
    [InlineData("mxc://example.org:80/abc", true)]
    [InlineData("mxc://example.org/", false)]
    [InlineData("mxc://example.org/../x", false)]
    [InlineData("mxc://example.org/a/b", false)]
    [InlineData("mxc:///abc", false)]
    [InlineData("http://example.org/abc", false)]
    public void Media_uris_hold_a_server_and_a_plain_media_id(string text, bool valid) =>
        Assert.Equal(valid, MxcUri.TryParse(text, out _));

    [Fact]
    public void A_media_uri_gives_back_its_parts()
    {
        var uri = MxcUri.Create(ServerName.Parse("[::1]:80"), "abc");
        Assert.Equal(("[::1]:80", "abc", "mxc://[::1]:80/abc"), (uri.Server.ToString(), uri.MediaId, uri.ToString()));
    }

    [Theory]
    [InlineData("ed25519:a_1", "ed25519", "a_1")]
    [InlineData("ed25519:JLAFKJWSCS", "ed25519", "JLAFKJWSCS")]
    [InlineData("signed_curve25519:AAAAAA:b", "signed_curve25519", "AAAAAA:b")]
    public void Key_ids_split_at_the_first_colon(string text, string algorithm, string version)
    {
        var key = KeyId.Parse(text);
        Assert.Equal((algorithm, version, text), (key.Algorithm, key.Version, key.ToString()));
    }

    [Theory]
    [InlineData("ed25519")]
    [InlineData("ed25519:")]
    [InlineData(":1")]
    [InlineData("ed25519:a\0b")]
    public void Other_key_ids_are_refused(string text) => Assert.False(KeyId.TryParse(text, out _));

    [Theory]
    [InlineData("!r:example.org", true)]
    [InlineData("!:example.org", true)]
    [InlineData("!r:example.org:80", true)]
    [InlineData("!r\u0001:example.org", true)]
    [InlineData("!hash", true)]
    [InlineData("!", false)]
    [InlineData("!r:", false)]
    [InlineData("!r:under_score", false)]
    [InlineData("!r\0:example.org", false)]
    [InlineData("r:example.org", false)]
    public void Room_ids_keep_to_their_grammar(string text, bool valid) => Assert.Equal(valid, RoomId.TryParse(text, out _));

    [Theory]
    [InlineData("$e:example.org", true)]
    [InlineData("$acR1l0raoZnm60CBwAVgqbZqoO/mYU81xysh1u7XcJk", true)]
    [InlineData("$", false)]
    [InlineData("e", false)]
    public void Event_ids_are_opaque_after_their_sigil(string text, bool valid) => Assert.Equal(valid, EventId.TryParse(text, out _));

    [Theory]
    [InlineData("#a b/c?:example.org", true)]
    [InlineData("#ü:example.org", true)]
    [InlineData("#a", false)]
    [InlineData("#a\0:example.org", false)]
    public void Aliases_keep_to_their_grammar(string text, bool valid) => Assert.Equal(valid, RoomAlias.TryParse(text, out _));

    [Theory]
    [InlineData("@alice:example.org", true)]
    [InlineData("@Alice!:example.org", true)]
    [InlineData("@:example.org", false)]
    [InlineData("@a b:example.org", false)]
    [InlineData("@ü:example.org", false)]
    public void Only_printable_localparts_are_compliant(string text, bool compliant) => Assert.Equal(compliant, UserId.Parse(text).IsCompliant);

    [Fact]
    public void What_is_put_together_may_have_no_colon_of_its_own()
    {
        var server = ServerName.Parse("80");
        Assert.Equal("@a:80", UserId.Create("a", server).ToString());
        Assert.Throws<InvalidIdentifierException>(() => UserId.Create("a:b", server));
        Assert.Throws<InvalidIdentifierException>(() => RoomId.Create("a:b", server));
        Assert.Throws<InvalidIdentifierException>(() => RoomAlias.Create("a:b", server));
        Assert.Throws<InvalidIdentifierException>(() => EventId.Create("a:b", server));
    }

    [Theory]
    [InlineData(255, true)]
    [InlineData(256, false)]
    public void Every_identifier_has_at_most_255_bytes(int length, bool valid)
    {
        string Padded(string before, string after) => before + new string('a', length - before.Length - after.Length) + after;
        Assert.Equal(valid, UserId.TryParse(Padded("@", ":b.org"), out _));
        Assert.Equal(valid, RoomId.TryParse(Padded("!", ":b.org"), out _));
        Assert.Equal(valid, RoomId.TryParse(Padded("!", ""), out _));
        Assert.Equal(valid, RoomAlias.TryParse(Padded("#", ":b.org"), out _));
        Assert.Equal(valid, EventId.TryParse(Padded("$", ""), out _));
        Assert.Equal(valid, DeviceId.TryParse(Padded("", ""), out _));
        Assert.Equal(valid, KeyId.TryParse(Padded("ed25519:", ""), out _));
        Assert.Equal(valid, ServerName.TryParse(Padded("", ""), out _));
    }

    [Fact]
    public void Identifiers_are_json_strings_and_object_keys()
    {
        var json = """{"@a:b":["!r:b"]}""";
        var value = JsonSerializer.Deserialize<Dictionary<UserId, RoomId[]>>(json)!;
        Assert.Equal(RoomId.Parse("!r:b"), value[UserId.Parse("@a:b")][0]);
        Assert.Equal(json, JsonSerializer.Serialize(value));
    }

    [Fact]
    public void An_identifier_that_was_never_set_does_not_pass_for_text() =>
        Assert.Throws<InvalidOperationException>(() => default(UserId).ToString());

    [Fact]
    public void Parse_refuses_with_the_librarys_exception() =>
        Assert.Equal("M_INVALID_PARAM", Assert.Throws<InvalidIdentifierException>(() => RoomAlias.Parse("x")).Errcode);
}
