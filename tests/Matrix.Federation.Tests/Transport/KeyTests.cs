using System.Text;
using System.Text.Json;
using Matrix.Federation.Tests.Harness;
using Matrix.LocalStack;
using Matrix.Protocol;
using Matrix.Testing;
using Microsoft.Extensions.Time.Testing;

namespace Matrix.Federation.Tests.Transport;

/// <summary>Keys of other servers, and who vouches for them (Server-Server API, Retrieving server keys).</summary>
public sealed class KeyTests(FederatedServers servers)
{
    static CancellationToken Ct => TestContext.Current.CancellationToken;

    static long Now => TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();

    static JsonElement List(Reply reply) => reply["server_keys"].Items().Single();

    [Fact]
    public async Task A_server_vouches_for_the_keys_of_another()
    {
        await using var remote = await servers.NewRemote();
        var list = List((await servers.First.Anonymous.Get($"/_matrix/key/v2/query/{remote.Name}")).Ok());
        var bytes = Encoding.UTF8.GetBytes(list.GetRawText());
        Assert.True(JsonSignatures.Verify(bytes, remote.Name, id => id == remote.Key.KeyId ? remote.Key.VerifyKey : null));
        var own = (await servers.First.Anonymous.Get("/_matrix/key/v2/server"))["verify_keys"].EnumerateObject().Single();
        Assert.True(JsonSignatures.Verify(bytes, ServerName.Parse(servers.First.ServerName),
            id => id.ToString() == own.Name ? VerifyKey.Parse(own.Value.String("key")) : null));
    }

    [Fact]
    public async Task Several_servers_are_asked_for_at_once_and_who_cannot_be_reached_is_left_out()
    {
        await using var remote = await servers.NewRemote();
        var query = new Dictionary<string, object>
        {
            [remote.Name.ToString()] = new Dictionary<string, object> { [remote.Key.KeyId.ToString()] = new { minimum_valid_until_ts = Now } },
            [$"localhost:{FreePort.Find()}"] = new { },
            [servers.First.ServerName] = new { },
        };
        var reply = (await servers.First.Anonymous.Post("/_matrix/key/v2/query", new { server_keys = query })).Ok();
        Assert.Equal(new[] { remote.Name.ToString(), servers.First.ServerName }.Order(), reply["server_keys"].Items().Select(list => list.String("server_name")).Order());
        Assert.Empty((await servers.First.Anonymous.Post("/_matrix/key/v2/query", new { server_keys = new { } })).Ok()["server_keys"].Items());
        (await servers.First.Anonymous.Post("/_matrix/key/v2/query", new { server_keys = new Dictionary<string, object> { ["a b"] = new { } } })).Refused(400, "M_INVALID_PARAM");
    }

    [Fact]
    public async Task A_trusted_server_is_asked_before_the_one_that_may_be_gone()
    {
        await using var database = await TestDatabase.Create(Ct);
        await using var gone = await servers.NewRemote();
        await using var trusted = await servers.NewRemote();
        await using var unsigned = await servers.NewRemote();
        byte[] Vouch(SigningKey key) => Encoding.UTF8.GetBytes(
            $$"""{"server_keys":[{{Encoding.UTF8.GetString(JsonSignatures.Sign(gone.KeyList(), trusted.Name, key))}}]}""");
        gone.On(HttpMethod.Get, "/_matrix/key/", _ => new RemoteAnswer(System.Net.HttpStatusCode.ServiceUnavailable));
        using var wrong = SigningKey.FromSeed(trusted.Key.KeyId.Version, new byte[32]);
        var key = new KeyRequest(gone.Name, gone.Key.KeyId, Now);
        Dictionary<string, string?> configuration = new()
        {
            ["trusted_key_servers:0:server_name"] = trusted.Name.ToString(),
            [$"trusted_key_servers:0:verify_keys:{trusted.Key.KeyId}"] = trusted.Key.VerifyKey.ToString(),
        };

        trusted.On(HttpMethod.Post, "/_matrix/key/v2/query", _ => Vouch(wrong));
        await using (var node = await FederationNode.Start(database, servers.Authority, configuration))
            Assert.Empty(await node.Get<KeyRing>().Find([key], Ct));
        trusted.On(HttpMethod.Post, "/_matrix/key/v2/query", _ => Vouch(trusted.Key));
        await using (var node = await FederationNode.Start(database, servers.Authority, configuration))
            Assert.Equal(gone.Key.VerifyKey.ToString(), Assert.Single(await node.Get<KeyRing>().Find([key], Ct)).Value.ToString());
        // and once known it is known to all processes
        await using (var node = await FederationNode.Start(database, servers.Authority))
            Assert.Single(await node.Get<KeyRing>().Find([key], Ct));
    }

    [Fact]
    public async Task Old_keys_are_published_with_the_new_one()
    {
        using var old = SigningKey.Generate("old");
        await using var server = await servers.Start(configuration =>
        {
            configuration[$"old_signing_keys:{old.KeyId}:key"] = old.VerifyKey.ToString();
            configuration[$"old_signing_keys:{old.KeyId}:expired_ts"] = "1700000000000";
        });
        var list = (await server.Anonymous.Get("/_matrix/key/v2/server")).Ok().Json;
        var entry = list.At("old_verify_keys").EnumerateObject().Single();
        Assert.Equal((old.KeyId.ToString(), old.VerifyKey.ToString(), 1700000000000), (entry.Name, entry.Value.String("key"), entry.Value.At("expired_ts").GetInt64()));
    }

    [Fact]
    public async Task A_list_that_names_another_server_or_is_signed_by_nobody_is_not_believed()
    {
        await using var database = await TestDatabase.Create(Ct);
        await using var node = await FederationNode.Start(database, servers.Authority);
        await using var liar = await servers.NewRemote();
        await using var victim = await servers.NewRemote();
        liar.On(HttpMethod.Get, "/_matrix/key/", _ => victim.KeyList());
        Assert.Empty(await node.Get<KeyRing>().Find([new KeyRequest(liar.Name, victim.Key.KeyId, Now)], Ct));
        await using var unsigned = await servers.NewRemote();
        using var other = SigningKey.Generate("other");
        unsigned.On(HttpMethod.Get, "/_matrix/key/", _ => JsonSignatures.Sign(JsonSerializer.SerializeToUtf8Bytes(new
        {
            server_name = unsigned.Name.ToString(),
            verify_keys = new Dictionary<string, object> { [unsigned.Key.KeyId.ToString()] = new { key = unsigned.Key.VerifyKey.ToString() } },
            valid_until_ts = Now + 100_000,
        }), unsigned.Name, other));
        Assert.Empty(await node.Get<KeyRing>().Find([new KeyRequest(unsigned.Name, unsigned.Key.KeyId, Now)], Ct));
    }

    [Fact]
    public async Task A_list_that_names_a_key_twice_or_hundreds_of_them_costs_nobody_else_his_keys()
    {
        await using var database = await TestDatabase.Create(Ct);
        await using var node = await FederationNode.Start(database, servers.Authority);
        await using var twice = await servers.NewRemote();
        await using var many = await servers.NewRemote();
        await using var good = await servers.NewRemote();
        string Entry(RemoteServer remote, string id) => $$"""
            "{{id}}":{"key":"{{remote.Key.VerifyKey}}"}
            """;
        string All(RemoteServer remote, IEnumerable<string> ids) => $$"""
            {"server_name":"{{remote.Name}}","valid_until_ts":{{Now + 100_000}},"verify_keys":{ {{string.Join(",", ids.Select(id => Entry(remote, id)))}} } }
            """;
        twice.On(HttpMethod.Get, "/_matrix/key/", _ => Encoding.UTF8.GetBytes(All(twice, [twice.Key.KeyId.ToString(), twice.Key.KeyId.ToString()])));
        many.On(HttpMethod.Get, "/_matrix/key/", _ => JsonSignatures.Sign(
            Encoding.UTF8.GetBytes(All(many, Enumerable.Range(0, 300).Select(i => $"ed25519:k{i}").Prepend(many.Key.KeyId.ToString()))), many.Name, many.Key));
        var found = await node.Get<KeyRing>().Find([.. new[] { twice, many, good }.Select(remote => new KeyRequest(remote.Name, remote.Key.KeyId, Now))], Ct);
        Assert.Equal((good.Name, good.Key.KeyId), Assert.Single(found).Key);
    }

    [Fact]
    public async Task A_trusted_server_that_is_away_is_not_asked_each_time()
    {
        await using var database = await TestDatabase.Create(Ct);
        await using var trusted = await servers.NewRemote();
        await using var one = await servers.NewRemote();
        await using var two = await servers.NewRemote();
        await using var three = await servers.NewRemote();
        trusted.On(HttpMethod.Post, "/_matrix/key/v2/query", _ => new RemoteAnswer(System.Net.HttpStatusCode.ServiceUnavailable));
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using var node = await FederationNode.Start(database, servers.Authority,
            new() { ["trusted_key_servers:0:server_name"] = trusted.Name.ToString(), [$"trusted_key_servers:0:verify_keys:{trusted.Key.KeyId}"] = trusted.Key.VerifyKey.ToString() }, time: time);
        Assert.Single(await node.Get<KeyRing>().Find([new KeyRequest(one.Name, one.Key.KeyId, Now)], Ct));
        Assert.Single(await node.Get<KeyRing>().Find([new KeyRequest(two.Name, two.Key.KeyId, Now)], Ct));
        Assert.Single(trusted.Requests);
        time.Advance(TimeSpan.FromSeconds(6));
        Assert.Single(await node.Get<KeyRing>().Find([new KeyRequest(three.Name, three.Key.KeyId, Now)], Ct));
        Assert.Equal(2, trusted.Requests.Count);
    }

    [Fact]
    public async Task A_server_that_was_away_for_long_is_asked_again_within_minutes_of_its_return()
    {
        await using var database = await TestDatabase.Create(Ct);
        await using var remote = await servers.NewRemote();
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using var node = await FederationNode.Start(database, servers.Authority, time: time);
        var isAway = true;
        remote.On(HttpMethod.Get, "/_matrix/key/", _ => isAway ? new RemoteAnswer(System.Net.HttpStatusCode.ServiceUnavailable) : remote.KeyList());
        async Task<int> Find() => (await node.Get<KeyRing>().Find([new KeyRequest(remote.Name, remote.Key.KeyId, 0)], Ct)).Count;
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(0, await Find());
            time.Advance(TimeSpan.FromMinutes(10));
        }
        await Find();
        isAway = false;
        Assert.Equal(0, await Find());
        time.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal(1, await Find());
    }

    [Fact]
    public async Task A_server_that_has_other_keys_each_time_is_not_asked_without_end()
    {
        await using var database = await TestDatabase.Create(Ct);
        await using var remote = await servers.NewRemote();
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using var node = await FederationNode.Start(database, servers.Authority, time: time);
        var number = 0;
        string Entry(string id) => $$"""
            "{{id}}":{"key":"{{remote.Key.VerifyKey}}"}
            """;
        remote.On(HttpMethod.Get, "/_matrix/key/", _ => JsonSignatures.Sign(Encoding.UTF8.GetBytes($$"""
            {"server_name":"{{remote.Name}}","valid_until_ts":{{Now + 100_000_000}},"verify_keys":{ {{Entry(remote.Key.KeyId.ToString())}},{{string.Join(",", Enumerable.Range(0, 199).Select(_ => Entry($"ed25519:k{number++}")))}} } }
            """), remote.Name, remote.Key));
        for (var i = 0; i < 12; i++)
        {
            Assert.Empty(await node.Get<KeyRing>().Find([new KeyRequest(remote.Name, KeyId.Parse("ed25519:wanted"), Now)], Ct));
            time.Advance(TimeSpan.FromSeconds(6));
        }
        Assert.Equal(6, remote.Requests.Count);
    }

    [Fact]
    public async Task Who_waits_for_the_keys_of_one_server_does_not_wait_for_those_of_others()
    {
        await using var database = await TestDatabase.Create(Ct);
        await using var node = await FederationNode.Start(database, servers.Authority);
        await using var silent = await servers.NewRemote();
        await using var good = await servers.NewRemote();
        var (never, soon) = (new TaskCompletionSource(), new TaskCompletionSource());
        silent.On(HttpMethod.Get, "/_matrix/key/", async (_, _) => { await never.Task; return silent.KeyList(); });
        good.On(HttpMethod.Get, "/_matrix/key/", async (_, _) => { await soon.Task; return good.KeyList(); });
        KeyRequest Wanted(RemoteServer remote) => new(remote.Name, remote.Key.KeyId, Now);
        var both = node.Get<KeyRing>().Find([Wanted(silent), Wanted(good)], Ct).AsTask();
        await good.Asked(_ => true);
        await silent.Asked(_ => true);
        var one = node.Get<KeyRing>().Find([Wanted(good)], Ct).AsTask();
        soon.SetResult();
        Assert.Single(await one);
        Assert.False(both.IsCompleted);
        never.SetResult();
        Assert.Equal(2, (await both).Count);
        Assert.Single(good.Requests);
    }
}
