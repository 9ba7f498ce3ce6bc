using System.Collections.Concurrent;
using Matrix.Hosting;
using Matrix.Hosting.Together;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Matrix.Gateway.Tests;

/// <summary>A replica: a real small server, hosted as every service is, that answers as the test says.</summary>
sealed class Upstream : IAsyncDisposable
{
    readonly WebApplication _app;

    Upstream(WebApplication app) => _app = app;

    public string Address => _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();

    public ConcurrentQueue<Seen> Requests { get; } = new();

    public CancellationToken Draining => _app.Services.GetRequiredService<Shutdown>().Draining;

    public static async Task<Upstream> Start(
        Func<HttpContext, Task>? handle = null, string address = "http://127.0.0.1:0", string drain = "0", Func<bool>? ready = null, bool together = true)
    {
        var builder = MatrixHost.CreateBuilder([], "client-api");
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["server_name"] = "test.example", ["listen"] = address, ["log:level"] = "fatal", ["shutdown_drain"] = drain,
        });
        builder.Services.AddHealthChecks().AddCheck("test", () => ready?.Invoke() == false
            ? Microsoft.Extensions.Diagnostics.HealthChecks.HealthCheckResult.Unhealthy()
            : Microsoft.Extensions.Diagnostics.HealthChecks.HealthCheckResult.Healthy());
        var app = builder.Build();
        var upstream = new Upstream(app);
        if (together) SameQuestions.Use(app, () => new MemoryStream());
        app.Run(async context =>
        {
            var body = await new StreamReader(context.Request.Body).ReadToEndAsync();
            upstream.Requests.Enqueue(new Seen(
                context.Request.Method, RequestTarget.PathAndQuery(context)!, body, context.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase)));
            await (handle is null ? context.Response.WriteAsync("ok") : handle(context));
        });
        await app.StartAsync();
        return upstream;
    }

    public Task Stop() => _app.StopAsync();

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}

sealed record Seen(string Method, string Target, string Body, Dictionary<string, string> Headers);
