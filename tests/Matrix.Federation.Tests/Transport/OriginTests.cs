using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Matrix.Federation.Tests.Harness;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Testing;
using Microsoft.Extensions.Time.Testing;

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
    public async Task A_key_that_its_server_calls_old_signs_no_request()
    {
        await using var remote = await servers.NewRemote();
        var old = remote.Key;
        remote.OldKeys[old.KeyId] = (old.VerifyKey, TimeProvider.System.GetUtcNow().AddDays(1).ToUnixTimeMilliseconds());
        remote.Key = SigningKey.Generate("next");
        (await Put(remote, body: "{}", spoil: _ => XMatrix.Sign(remote.Name, old, _node.Name, "PUT", "/signed/x", "{}"u8.ToArray()))).Refused(401, "M_UNAUTHORIZED");
        (await Put(remote, body: "{}")).Ok();
    }

    [Fact]
    public async Task A_body_that_is_not_JSON_is_refused_whoever_sends_it()
    {
        await using var remote = await servers.NewRemote();
        (await remote.Send(_node.Address, HttpMethod.Put, "/signed/x", "{"u8.ToArray(),
            XMatrix.Sign(remote.Name, remote.Key, _node.Name, "PUT", "/signed/x", "{}"u8.ToArray()).ToString())).Refused(400, "M_NOT_JSON");
    }

    [Fact]
    public async Task Who_names_servers_whose_keys_are_not_to_be_had_takes_no_place_of_those_that_are_known()
    {
        await using var node = await FederationNode.Start(_database, servers.Authority, new() { ["federation_bodies_in_flight"] = "1048576" });
        await using var known = await servers.NewRemote();
        await using var silent = await servers.NewRemote();
        var never = new TaskCompletionSource();
        silent.On(HttpMethod.Get, "/_matrix/key/", async (_, _) => { await never.Task; return silent.KeyList(); });
        Task<Reply> Put(RemoteServer remote, int size) => remote.Send(node.Address, node.Name, HttpMethod.Put, "/signed/x", $$"""{"a":"{{new string('a', size)}}"}""");
        (await Put(known, 10)).Ok();
        var waits = Put(silent, 1_000_000);
        await silent.Asked(_ => true);
        (await Put(known, 900_000)).Ok();
        Assert.False(waits.IsCompleted);
        never.SetResult();
        await waits; // the place of the body before it may not have been given back yet
    }

    [Fact]
    public async Task An_address_that_sends_its_bodies_slowly_takes_no_more_than_its_share_and_not_for_ever()
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using var node = await FederationNode.Start(_database, servers.Authority, new() { ["federation_bodies_in_flight"] = "4000000" }, time: time);
        await using var remote = await servers.NewRemote();
        Task<Reply> Put(int size) => remote.Send(node.Address, node.Name, HttpMethod.Put, "/signed/x", $$"""{"a":"{{new string('a', size)}}"}""");
        (await Put(10)).Ok();
        // whichever of the two comes first has the share of their address, until its time is over
        List<Task<string>> claims = [Claim(node, remote, 900_000), Claim(node, remote, 900_000)];
        var refused = await Task.WhenAny(claims).WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        Assert.Contains("M_LIMIT_EXCEEDED", await refused, StringComparison.Ordinal);
        (await Put(900_000)).Ok();
        var late = claims.Single(claim => claim != refused);
        while (!late.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(20));
            await Task.WhenAny(late, Task.Delay(20, TestContext.Current.CancellationToken));
        }
        Assert.Contains("The body did not come in time", await late, StringComparison.Ordinal);
    }

    [Fact]
    public void Few_requests_that_nobody_signed_make_us_ask_others_at_a_time()
    {
        var limits = new OriginLimits(new OriginLimitOptions());
        var places = Enumerable.Range(0, 16).Select(_ => limits.EnterUnsigned()).ToList();
        Assert.Equal(429, Assert.Throws<MatrixException>(limits.EnterUnsigned).Status);
        places[0].Dispose();
        places[0].Dispose();
        places[0] = limits.EnterUnsigned();
        Assert.Throws<MatrixException>(limits.EnterUnsigned);
        limits.EnterStranger().Dispose();
    }

    /// <summary>The answer to a request, from another address, that announces a body and does not send it.</summary>
    static async Task<string> Claim(FederationNode node, RemoteServer remote, int length)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Parse("127.0.0.2"), 0));
        await socket.ConnectAsync(IPAddress.Loopback, node.Address.Port, TestContext.Current.CancellationToken);
        var signature = new XMatrix(remote.Name, node.Name, remote.Key.KeyId, "AAAA");
        await socket.SendAsync(Encoding.ASCII.GetBytes(
            $"PUT /signed/x HTTP/1.1\r\nHost: x\r\nAuthorization: {signature}\r\nContent-Length: {length.ToString(CultureInfo.InvariantCulture)}\r\n\r\n{{"));
        var (answer, buffer) = ("", new byte[4096]);
        while (!answer.Contains("\"error\"", StringComparison.Ordinal) && await socket.ReceiveAsync(buffer, TestContext.Current.CancellationToken) is > 0 and var read)
            answer += Encoding.ASCII.GetString(buffer, 0, read);
        return answer;
    }
}
