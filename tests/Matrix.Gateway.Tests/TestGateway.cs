using Matrix.Hosting;
using Matrix.Hosting.Configuration;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Matrix.Gateway.Tests;

/// <summary>The gateway as its program makes it, on free ports of the loopback.</summary>
sealed class TestGateway : IAsyncDisposable
{
    readonly WebApplication _app;

    TestGateway(WebApplication app)
    {
        _app = app;
        Addresses = [.. app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses];
        Client = new HttpClient { BaseAddress = new Uri(Addresses[0]) };
    }

    public HttpClient Client { get; }

    public IReadOnlyList<string> Addresses { get; }

    public IServiceProvider Services => _app.Services;

    public static Task<TestGateway> Start(params Upstream[] clientApi) =>
        Start([("gateway:clusters:client-api", string.Join(',', clientApi.Select(upstream => upstream.Address)))]);

    public static async Task<TestGateway> Start(IEnumerable<(string Key, string Value)> settings, Action<IServiceCollection>? configure = null)
    {
        var builder = MatrixHost.CreateBuilder([], "gateway");
        builder.Configuration.AddInMemoryCollection(
        [
            new("server_name", "test.example"),
            new("listen", "http://127.0.0.1:0"),
            new("log:level", "fatal"),
            new("shutdown_drain", "0"),
            new("gateway:health_interval", "1m"),
            new("gateway:wait_for_replica", "0"),
        ]);
        builder.Configuration.AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value)));
        builder.AddGateway();
        configure?.Invoke(builder.Services);
        var app = builder.Build();
        MatrixOptions.CheckConfiguration(app.Services);
        app.MapGateway();
        await app.StartAsync();
        return new TestGateway(app);
    }

    /// <summary>GET /_matrix/client/v3/sync with this access token.</summary>
    public Task<HttpResponseMessage> Sync(string token) => Client.SendAsync(
        new HttpRequestMessage(HttpMethod.Get, "/_matrix/client/v3/sync") { Headers = { { "Authorization", "Bearer " + token } } });

    public Task Stop() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
    }
}
