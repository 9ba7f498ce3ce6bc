using System.Net.Http.Json;
using System.Text.Json;
using Matrix.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Matrix.Hosting.Tests.Http;

/// <summary>A real Kestrel on a free loopback port, with the plumbing every service has and the endpoints of one test.</summary>
sealed class TestApp : IAsyncDisposable
{
    readonly WebApplication _app;

    TestApp(WebApplication app)
    {
        _app = app;
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        Port = new Uri(address).Port;
        Client = new HttpClient { BaseAddress = new Uri(address) };
    }

    public HttpClient Client { get; }

    public int Port { get; }

    public IServiceProvider Services => _app.Services;

    public static async Task<TestApp> Start(
        Action<WebApplication> map, Action<WebApplicationBuilder>? configure = null, params (string Key, string Value)[] settings)
    {
        var builder = MatrixHost.CreateBuilder([], "test");
        builder.Configuration.AddInMemoryCollection(
        [
            new("server_name", "test.example"),
            new("listen", "http://127.0.0.1:0"),
            new("log:level", "fatal"),
            new("shutdown_drain", "0"),
        ]);
        builder.Configuration.AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value)));
        builder.AddMatrixHttp();
        configure?.Invoke(builder);
        var app = builder.Build();
        app.UseMatrixHttp();
        map(app);
        await app.StartAsync();
        return new TestApp(app);
    }

    public Task Stop() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
    }
}

static class Replies
{
    public static async Task<string> Errcode(this HttpResponseMessage response) =>
        (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("errcode").GetString()!;
}
