using Matrix.Federation.Tests.Harness;
using Matrix.Protocol;
using Matrix.Testing;

namespace Matrix.Federation.Tests.Transport;

/// <summary>Whose request it is (Server-Server API, Request Authentication).</summary>
public sealed class OriginTests(FederatedServers servers) : IAsyncLifetime
{
    TestDatabase _database = null!;
    FederationNode _node = null!;

    public async ValueTask InitializeAsync()
    {
        _database = await TestDatabase.Create(TestContext.Current.CancellationToken);
        _node = await FederationNode.Start(_database, servers.Authority);
    }

    public async ValueTask DisposeAsync()
    {
        await _node.DisposeAsync();
        await _database.DisposeAsync();
    }

    Task<Reply> Put(RemoteServer remote, string name = "x", object? body = null, Func<XMatrix, XMatrix>? spoil = null) =>
        remote.Send(_node.Address, _node.Name, HttpMethod.Put, $"/signed/{name}", body ?? new { a = 1 }, spoil);

    [Fact]
    public async Task A_signed_request_is_its_signers()
    {
        await using var remote = await servers.NewRemote();
        var reply = (await Put(remote, "a%2Fb?c=%20d", """{ "z": "\u00fc", "a": [1, 2] }""")).Ok();
        Assert.Equal((remote.Name.ToString(), "a/b", 2), (reply.String("origin"), reply.String("name"), reply["count"].GetInt32()));
        (await Put(remote)).Ok();
        Assert.Single(remote.Requests);
    }

    [Fact]
    public async Task A_request_that_names_no_destination_is_taken_from_servers_of_old()
    {
        await using var remote = await servers.NewRemote();
        var signed = JsonSignatures.Signature(System.Text.Encoding.UTF8.GetBytes($$$"""{"method":"PUT","uri":"/signed/x","origin":"{{{remote.Name}}}","content":{}}"""), remote.Key);
        (await Put(remote, body: "{}", spoil: header => header with { Destination = null, Signature = signed })).Ok();
    }

    [Fact]
    public async Task Forged_and_stolen_signatures_are_refused()
    {
        await using var remote = await servers.NewRemote();
        await using var other = await servers.NewRemote();
        XMatrix? stolen = null;
        (await Put(remote, spoil: header => stolen = header)).Ok();
        (await Put(remote, "y", spoil: _ => stolen!)).Refused(401, "M_UNAUTHORIZED");
        (await Put(remote, body: new { a = 2 }, spoil: _ => stolen!)).Refused(401, "M_UNAUTHORIZED");
        (await Put(remote, spoil: header => header with { Origin = other.Name })).Refused(401, "M_UNAUTHORIZED");
        (await Put(remote, spoil: header => header with { Key = KeyId.Parse("ed25519:none") })).Refused(401, "M_UNAUTHORIZED");
        (await Put(remote, spoil: header => header with { Destination = other.Name })).Refused(401, "M_UNAUTHORIZED");
        (await Put(remote, spoil: header => header with { Signature = "AAAA" })).Refused(401, "M_UNAUTHORIZED");
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("Bearer abc")]
    [InlineData("X-Matrix")]
    [InlineData("X-Matrix origin=")]
    [InlineData("X-Matrix origin=\"a.org")]
    [InlineData("X-Matrix origin=a.org,origin=b.org,key=\"ed25519:a\",sig=\"x\"")]
    [InlineData("X-Matrix origin=a b,key=\"ed25519:a\",sig=\"x\"")]
    public async Task A_request_without_a_signature_is_refused(string? header)
    {
        await using var remote = await servers.NewRemote();
        (await remote.Send(_node.Address, HttpMethod.Put, "/signed/x", "{}"u8.ToArray(), header)).Refused(401, "M_UNAUTHORIZED");
    }

    [Fact]
    public async Task Keys_that_cannot_be_had_or_have_run_out_sign_nothing()
    {
        await using var away = await servers.NewRemote();
        away.On(HttpMethod.Get, "/_matrix/key/", _ => "{}"u8.ToArray());
        (await Put(away)).Refused(401, "M_UNAUTHORIZED");
        await using var late = await servers.NewRemote();
        late.KeysValidFor = TimeSpan.FromSeconds(-1);
        (await Put(late)).Refused(401, "M_UNAUTHORIZED");
        // somebody who forges requests does not make us ask and ask
        for (var i = 0; i < 5; i++)
            (await Put(late)).Refused(401, "M_UNAUTHORIZED");
        Assert.Single(late.Requests);
    }

    [Fact]
    public async Task A_body_that_is_not_JSON_is_refused_whoever_sends_it()
    {
        await using var remote = await servers.NewRemote();
        (await remote.Send(_node.Address, HttpMethod.Put, "/signed/x", "{"u8.ToArray(),
            XMatrix.Sign(remote.Name, remote.Key, _node.Name, "PUT", "/signed/x", "{}"u8.ToArray()).ToString())).Refused(400, "M_NOT_JSON");
    }
}
