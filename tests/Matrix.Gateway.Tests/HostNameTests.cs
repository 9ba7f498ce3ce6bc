using System.Net;
using Matrix.Gateway.Forwarding;
using Microsoft.Extensions.DependencyInjection;

namespace Matrix.Gateway.Tests;

public sealed class HostNameTests
{
    [Fact]
    public async Task A_host_name_stands_for_all_its_addresses_and_is_looked_up_again()
    {
        await using var a = await Upstream.Start();
        var port = new Uri(a.Address).Port;
        await using var b = await Upstream.Start(address: $"http://127.0.0.2:{port}");
        IPAddress[] addresses = [IPAddress.Loopback];
        await using var gateway = await TestGateway.Start(
            [("gateway:clusters:client-api", $"http://replicas.test:{port}"), ("gateway:resolve_interval", "100ms")],
            services => services.AddSingleton<HostLookup>((_, _) => Task.FromResult(Volatile.Read(ref addresses))));
        await AskUntil(() => a.Requests.Count > 20);
        Assert.Empty(b.Requests);

        Volatile.Write(ref addresses, [IPAddress.Loopback, IPAddress.Parse("127.0.0.2")]);
        await AskUntil(() => !b.Requests.IsEmpty);

        async Task AskUntil(Func<bool> condition)
        {
            using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            for (var i = 0; !condition(); i++)
            {
                timeout.Token.ThrowIfCancellationRequested();
                Assert.Equal(HttpStatusCode.OK, (await gateway.Sync($"token{i}")).StatusCode);
            }
        }
    }

    [Fact]
    public async Task A_host_name_that_nobody_knows_does_not_keep_the_gateway_from_starting()
    {
        await using var media = await Upstream.Start();
        await using var gateway = await TestGateway.Start(
            [("gateway:clusters:client-api", "http://nobody.invalid:8080"), ("gateway:clusters:media-repo", media.Address)]);
        Assert.Equal(HttpStatusCode.OK, (await gateway.Client.GetAsync("/_matrix/media/v3/config")).StatusCode);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await gateway.Client.GetAsync("/_matrix/client/versions")).StatusCode);
    }
}
