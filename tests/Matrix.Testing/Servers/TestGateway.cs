using System.Diagnostics;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Matrix.Testing.Servers;

/// <summary>What a gateway answers.</summary>
/// <param name="Wait">Completes when it is to answer; null: at once.</param>
public sealed record GatewayReply(int Status = 200, object? Body = null, Task? Wait = null);

/// <summary>A push gateway on loopback, which remembers what it was sent and answers as a test wants.</summary>
public sealed class TestGateway : IAsyncDisposable
{
    readonly WebApplication app;
    readonly Lock gate = new();
    readonly List<JsonElement> received = [];
    readonly Dictionary<string, List<long>> times = [];
    TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    TestGateway(WebApplication app) => this.app = app;

    public string Url => $"{app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()}/_matrix/push/v1/notify";

    /// <summary>How to answer a notification.</summary>
    public Func<JsonElement, GatewayReply> Answer { get; set; } = _ => new GatewayReply();

    /// <summary>The notifications that were answered with 200, in their order.</summary>
    public IReadOnlyList<JsonElement> Accepted
    {
        get
        {
            lock (gate)
                return [.. received];
        }
    }

    public int Count
    {
        get
        {
            lock (gate)
                return received.Count;
        }
    }

    /// <summary>How many pushes of an event were accepted.</summary>
    public int CountOf(string eventId) => TimesOf(eventId).Count;

    /// <summary>When pushes of an event came: timestamps.</summary>
    public IReadOnlyList<long> TimesOf(string eventId)
    {
        lock (gate)
            return [.. times.GetValueOrDefault(eventId) ?? []];
    }

    public static async Task<TestGateway> Start()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseSetting("urls", "http://127.0.0.1:0");
        var app = builder.Build();
        var gateway = new TestGateway(app);
        app.MapPost("/_matrix/push/v1/notify", gateway.Handle);
        await app.StartAsync();
        return gateway;
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();

    /// <summary>What was accepted for a push key.</summary>
    public IReadOnlyList<JsonElement> For(string pushkey) => [.. Accepted.Where(n => n.At("devices")[0].String("pushkey") == pushkey)];

    /// <summary>Waits until so many were accepted for a push key, for at most a minute, and returns them.</summary>
    public Task<IReadOnlyList<JsonElement>> Wait(string pushkey, int count) => WaitUntil(() => For(pushkey), found => found.Count >= count);

    public async Task<IReadOnlyList<JsonElement>> WaitUntil(
        Func<IReadOnlyList<JsonElement>> find, Func<IReadOnlyList<JsonElement>, bool> arrived, TimeSpan? atMost = null)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(atMost ?? TimeSpan.FromSeconds(60));
        while (true)
        {
            Task change;
            lock (gate)
                change = changed.Task;
            var found = find();
            if (arrived(found))
                return found;
            try
            {
                await change.WaitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.Fail($"It did not arrive; there is {string.Join('\n', Accepted)}");
            }
        }
    }

    async Task Handle(HttpContext context)
    {
        using var json = await JsonDocument.ParseAsync(context.Request.Body, default, context.RequestAborted);
        var notification = json.RootElement.GetProperty("notification").Clone();
        var answer = Answer(notification);
        if (answer.Wait is { } wait)
            await wait.WaitAsync(context.RequestAborted);
        if (answer.Status == 200)
            Add(notification);
        context.Response.StatusCode = answer.Status;
        await context.Response.WriteAsJsonAsync(answer.Body ?? new { rejected = Array.Empty<string>() });
    }

    void Add(JsonElement notification)
    {
        lock (gate)
        {
            received.Add(notification);
            if (notification.Find("event_id")?.GetString() is { } eventId)
            {
                if (!times.TryGetValue(eventId, out var all))
                    times.Add(eventId, all = []);
                all.Add(Stopwatch.GetTimestamp());
            }
            changed.TrySetResult();
            changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }
}
