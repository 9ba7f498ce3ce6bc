using MassTransit;
using Matrix.Storage;
using Matrix.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Matrix.Replication.Tests;

/// <summary>Which messages go over RabbitMQ.</summary>
public sealed class BusTests : IAsyncLifetime
{
    TestDatabase _database = null!;
    Dictionary<string, string?> _rabbitMq = null!;

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_relaxed_follower_is_told_nothing_and_knows_everything()
    {
        var (heard, control) = (new Heard(), new Heard());
        await using var writer = await Start(new LogFollowerOptions());
        await using var relaxed = await Start(new LogFollowerOptions { Relaxed = true, SelfCheck = TimeSpan.FromMilliseconds(100) }, heard);
        await using var eager = await Start(new LogFollowerOptions { SelfCheck = TimeSpan.FromMinutes(1), Grace = TimeSpan.FromMinutes(1) }, control);
        var seen = new TaskCompletionSource();
        using var subscription = relaxed.Follower.Subscribe(_ => seen.TrySetResult());
        var position = await writer.Append(new Note(Guid.NewGuid()));
        await eager.Follower.WaitFor(position, Ct);
        await seen.Task.WaitAsync(Ct);
        Assert.Equal(0, heard.Count);
        Assert.NotEqual(0, control.Count);
        await relaxed.Follower.WaitFor(await writer.Append(new Note(Guid.NewGuid())), Ct);
    }

    [Fact]
    public async Task A_relaxed_follower_that_is_called_looks_at_once()
    {
        var (called, other) = (new Heard(), new Heard());
        var starting = Task.WhenAll(Start(new LogFollowerOptions()),
            Start(new LogFollowerOptions { Relaxed = true, IsCalled = true, SelfCheck = TimeSpan.FromHours(1) }, called),
            Start(new LogFollowerOptions { Relaxed = true, SelfCheck = TimeSpan.FromHours(1) }, other));
        await using var writer = (await starting)[0];
        await using var relaxed = (await starting)[1];
        await using var deaf = (await starting)[2];
        var seen = new TaskCompletionSource<LogPosition>();
        using var subscription = relaxed.Follower.Subscribe(entries => seen.TrySetResult(entries[^1].Position));
        await writer.Append(new Note(Guid.NewGuid()));
        var position = await writer.Append(new PusherSet());
        Assert.Equal(position, await seen.Task.WaitAsync(Ct));
        Assert.Equal((1, 0), (called.Count, other.Count));
    }

    public async ValueTask InitializeAsync()
    {
        _database = await TestDatabase.Create(Ct);
        await _database.Db.Execute(Note.Schema, null, Ct);
        var broker = new Uri(await TestServices.RabbitMq);
        var user = broker.UserInfo.Split(':');
        _rabbitMq = new()
        {
            ["rabbitmq:host"] = broker.Host,
            ["rabbitmq:port"] = $"{broker.Port}",
            ["rabbitmq:username"] = user is [{ Length: > 0 }, _] ? user[0] : "guest",
            ["rabbitmq:password"] = user is [_, var password] ? password : "guest",
        };
    }

    public async ValueTask DisposeAsync() => await _database.DisposeAsync();

    async Task<LogHost> Start(LogFollowerOptions options, Heard? heard = null)
    {
        var host = await LogHost.Start(_database, builder =>
        {
            builder.Configuration.AddInMemoryCollection(_rabbitMq);
            builder.Services.AddSingleton(options);
            if (heard is not null)
                builder.Services.AddSingleton<IConfigureReceiveEndpoint>(heard);
        }, inProcess: false);
        var bus = host.Services.GetRequiredService<BusState>();
        await Eventually.True("the bus is connected", () => bus.IsConnected);
        return host;
    }

    sealed class PusherSet : LogChange
    {
        public override IReadOnlyList<LogEntryDraft> Entries { get; } = [new(LogKind.Pushers, UserId: "@alice:test.example")];

        public override void AddCommands(Npgsql.NpgsqlBatch batch, Func<int, int> back)
        {
        }
    }

    sealed class Heard : IConfigureReceiveEndpoint, IFilter<ConsumeContext>
    {
        int _count;

        public int Count => Volatile.Read(ref _count);

        public void Configure(string name, IReceiveEndpointConfigurator configurator) => configurator.UseFilter(this);

        public Task Send(ConsumeContext context, IPipe<ConsumeContext> next)
        {
            Interlocked.Increment(ref _count);
            return next.Send(context);
        }

        public void Probe(ProbeContext context)
        {
        }
    }
}
