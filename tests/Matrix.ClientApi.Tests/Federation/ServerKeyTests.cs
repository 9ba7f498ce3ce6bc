using Matrix.Protocol;

namespace Matrix.ClientApi.Tests.Federation;

/// <summary>What other servers ask before anything else (Server-Server API, Retrieving server keys; Server version).</summary>
public sealed class ServerKeyTests(MatrixServer server)
{
    [Fact]
    public async Task The_key_list_is_signed_by_every_key_in_it()
    {
        var reply = (await server.Anonymous.Get("/_matrix/key/v2/server")).Ok();
        Assert.Equal(server.ServerName, reply.String("server_name"));
        var keys = reply["verify_keys"].EnumerateObject().ToDictionary(key => KeyId.Parse(key.Name), key => VerifyKey.Parse(key.Value.String("key")));
        Assert.NotEmpty(keys);
        Assert.All(keys, key => Assert.True(JsonSignatures.Verify(reply.Bytes, server.ServerName, id => id == key.Key ? key.Value : null)));
        Assert.False(JsonSignatures.Verify(reply.Bytes, server.ServerName, id => keys.ContainsKey(id) ? SigningKey.Generate("other").VerifyKey : null));
    }

    [Fact]
    public async Task The_key_list_is_valid_for_hours_to_come()
    {
        var validUntil = (await server.Anonymous.Get("/_matrix/key/v2/server")).Ok()["valid_until_ts"].GetInt64();
        Assert.InRange(DateTimeOffset.FromUnixTimeMilliseconds(validUntil) - TimeProvider.System.GetUtcNow(), TimeSpan.FromHours(1), TimeSpan.FromDays(7));
    }

    [Fact]
    public async Task The_server_names_its_implementation() =>
        Assert.NotEmpty((await server.Anonymous.Get("/_matrix/federation/v1/version")).Ok().String("server.version"));

    [Fact]
    public async Task Without_delegation_there_is_no_well_known() =>
        (await server.Anonymous.Get("/.well-known/matrix/server")).Refused(404, "M_NOT_FOUND");
}
