using System.Text;

namespace Matrix.Protocol.Tests;

/// <summary>The vectors of the appendices, Cryptographic Test Vectors.</summary>
public class SigningTests
{
    static readonly SigningKey Key = SigningKey.ParseFile("ed25519 1 YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1\n");
    static readonly ServerName Domain = ServerName.Parse("domain");

    static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    static VerifyKey? Find(KeyId id) => id == Key.KeyId ? Key.VerifyKey : null;

    [Theory]
    [InlineData("{}",
        """{"signatures":{"domain":{"ed25519:1":"K8280/U9SSy9IVtjBuVeLr+HpOB4BQFWbg+UZaADMtTdGYI7Geitb76LTrr5QV/7Xg4ahLwYGYZzuHGZKM5ZAQ"}}}""")]
    [InlineData("""{"one": 1, "two": "Two"}""",
        """{"one":1,"signatures":{"domain":{"ed25519:1":"KqmLSbO39/Bzb0QIYE82zqLwsA+PDzYIpIRA2sRQ4sL53+sN6/fpNSoqE7BP7vBZhG6kYdD13EIMJpvhJI+6Bw"}},"two":"Two"}""")]
    public void Signed_json_is_the_specifications(string json, string signed)
    {
        var result = JsonSignatures.Sign(Bytes(json), Domain, Key);
        Assert.Equal(signed, Encoding.UTF8.GetString(result));
        Assert.True(JsonSignatures.Verify(result, Domain, Find));
    }

    [Theory]
    [InlineData(
        """
        {"room_id":"!x:domain","sender":"@a:domain","origin":"domain","origin_server_ts":1000000,"signatures":{},"hashes":{},"type":"X",
        "content":{},"prev_events":[],"auth_events":[],"depth":3,"unsigned":{"age_ts":1000000}}
        """,
        "5jM4wQpv6lnBo7CLIghJuHdW+s2CMBJPUOGOC89ncos",
        "KxwGjPSDEtvnFgU00fwFz+l6d2pJM6XBIaMEn81SXPTRl16AqLAYqfIReFGZlHi5KLjAWbOoMszkwsQma+lYAg")]
    [InlineData(
        """
        {"content":{"body":"Here is the message content"},"event_id":"$0:domain","origin":"domain","origin_server_ts":1000000,
        "type":"m.room.message","room_id":"!r:domain","sender":"@u:domain","signatures":{},"unsigned":{"age_ts":1000000}}
        """,
        "onLKD1bGljeBWQhWZ1kaP9SorVmRQNdN5aM2JYU2n/g",
        "Wm+VzmOUOz08Ds+0NTWb1d4CZrVsJSikkeRxh6aCcUwu6pNC78FunoD7KNWzqFn241eYHYMGCA5McEiVPdhzBA")]
    public void Signed_events_are_the_specifications(string json, string hash, string signature)
    {
        var signed = EventSignatures.Sign(Bytes(json), RoomVersions.V1, Domain, Key);
        var text = Encoding.UTF8.GetString(signed);
        Assert.Contains($$"""
            "hashes":{"sha256":"{{hash}}"}
            """.Trim(), text, StringComparison.Ordinal);
        Assert.Contains($$$"""
            "signatures":{"domain":{"ed25519:1":"{{{signature}}}"}}
            """.Trim(), text, StringComparison.Ordinal);
        Assert.True(EventSignatures.Verify(signed, RoomVersions.V1, Domain, Find));
    }

    [Fact]
    public void A_key_file_reads_back_as_it_was_written()
    {
        var key = SigningKey.Generate("a_x1");
        var again = SigningKey.ParseFile(key.FormatFile());
        Assert.Equal((key.KeyId, key.VerifyKey.ToString()), (again.KeyId, again.VerifyKey.ToString()));
        Assert.Equal(key.VerifyKey.ToString(), VerifyKey.Parse(key.VerifyKey.ToString()).ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("ed25519 1 short")]
    [InlineData("rsa 1 YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1")]
    public void Other_key_files_are_refused(string text) => Assert.Throws<InvalidKeyException>(() => SigningKey.ParseFile(text));

    [Fact]
    public void A_second_signature_stands_beside_the_first()
    {
        var other = SigningKey.Generate("2");
        var both = JsonSignatures.Sign(JsonSignatures.Sign("""{"a":1}"""u8, Domain, Key), Domain, other);
        Assert.Equal([KeyId.Parse("ed25519:1"), KeyId.Parse("ed25519:2")], JsonSignatures.KeyIds(both, "domain"));
        Assert.True(JsonSignatures.Verify(both, Domain, Find));
        Assert.True(JsonSignatures.Verify(both, Domain, id => id == Key.KeyId ? Key.VerifyKey : other.VerifyKey));
        Assert.False(JsonSignatures.Verify(both, Domain, id => Key.VerifyKey));
    }

    [Fact]
    public void An_unsigned_object_or_an_unknown_key_does_not_verify()
    {
        Assert.False(JsonSignatures.Verify("{}"u8, Domain, Find));
        Assert.False(JsonSignatures.Verify(JsonSignatures.Sign("{}"u8, Domain, Key), Domain, _ => null));
        Assert.False(JsonSignatures.Verify(JsonSignatures.Sign("{}"u8, Domain, Key), ServerName.Parse("other"), Find));
        Assert.False(JsonSignatures.Verify("""{"signatures":{"domain":{"ed25519:1":"%%"}}}"""u8, Domain, Find));
        Assert.False(JsonSignatures.Verify("""{"signatures":{"domain":[1]}}"""u8, Domain, Find));
    }

    [Fact]
    public void Unsigned_members_may_change()
    {
        var signed = Encoding.UTF8.GetString(JsonSignatures.Sign("""{"a":1,"unsigned":{"b":1}}"""u8, Domain, Key));
        Assert.True(JsonSignatures.Verify(Bytes(signed.Replace("\"b\":1", "\"b\":2")), Domain, Find));
        Assert.False(JsonSignatures.Verify(Bytes(signed.Replace("\"a\":1", "\"a\":2")), Domain, Find));
    }
}
