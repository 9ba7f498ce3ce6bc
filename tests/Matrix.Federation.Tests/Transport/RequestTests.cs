using System.Net;
using System.Text.Json;
using Matrix.Federation.Tests.Harness;
using Matrix.Protocol;
using Microsoft.Extensions.DependencyInjection;

namespace Matrix.Federation.Tests.Transport;

/// <summary>What we ask of other servers (Server-Server API, Authentication).</summary>
public sealed class RequestTests(FederatedServers servers)
{
    FederationClient Client => servers.First.Services.GetRequiredService<FederationClient>();

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Our_servers_answer_each_other()
    {
        var version = await Client.Get<JsonElement>(ServerName.Parse(servers.Second.ServerName), "/_matrix/federation/v1/version", Ct);
        Assert.Equal("Matrix.NET", version.String("server.name"));
    }

    [Fact]
    public async Task A_request_bears_a_signature_over_all_of_it()
    {
        await using var remote = await servers.NewRemote();
        remote.On(HttpMethod.Put, "/_matrix/federation/v1/send/", _ => new { pdus = new { } });
        await Client.Put<JsonElement>(remote.Name, "/_matrix/federation/v1/send/a%2Fb?x=%21", """{"b":[1, 2],"a":"ü"}"""u8.ToArray(), Ct);

        var request = await remote.Asked(request => request.Method == HttpMethod.Put);
        Assert.Equal("/_matrix/federation/v1/send/a%2Fb?x=%21", request.Target);
        Assert.Equal(remote.Name.ToString(), request.Host);
        Assert.Equal(servers.First.ServerName, request.Origin.ToString());
        Assert.Equal(remote.Name, request.Signature!.Destination);
        var key = (await servers.First.Anonymous.Get("/_matrix/key/v2/server"))["verify_keys"].EnumerateObject().Single();
        Assert.Equal(key.Name, request.Signature.Key.ToString());
        var verifyKey = VerifyKey.Parse(key.Value.String("key"));
        Assert.True(request.Signature.Verify(verifyKey, "PUT", request.Target, request.Body));
        Assert.False(request.Signature.Verify(verifyKey, "POST", request.Target, request.Body));
        Assert.False(request.Signature.Verify(verifyKey, "PUT", request.Target, "{}"u8.ToArray()));
    }

    [Fact]
    public async Task A_refusal_says_what_the_other_server_said()
    {
        await using var remote = await servers.NewRemote();
        remote.On(HttpMethod.Get, "/_matrix/federation/v1/event/", _ => RemoteAnswer.Error(HttpStatusCode.Forbidden, "M_FORBIDDEN"));
        var e = await Assert.ThrowsAsync<FederationException>(() => Client.Get<JsonElement>(remote.Name, "/_matrix/federation/v1/event/$x", Ct));
        Assert.Equal((FederationFailure.Refused, 403, "M_FORBIDDEN"), (e.Failure, e.Status, e.Errcode));
        Assert.False(e.IsOutage);
    }
}
