using Matrix.Storage;
using Matrix.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Matrix.Replication.Tests;

public sealed class LeasesTests : IAsyncLifetime
{
    static readonly TimeSpan Short = TimeSpan.FromSeconds(3);

    TestDatabase _database = null!;
    LogHost _one = null!, _two = null!;

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    Leases One => _one.Services.GetRequiredService<Leases>();

    Leases Two => _two.Services.GetRequiredService<Leases>();

    public async ValueTask InitializeAsync()
    {
        _database = await TestDatabase.Create();
        _one = await LogHost.Start(_database);
        _two = await LogHost.Start(_database);
    }

    public async ValueTask DisposeAsync()
    {
        await _one.DisposeAsync();
        await _two.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task Only_one_holds_a_lease_and_the_fence_grows_with_each_holder()
    {
        var first = await One.TryAcquire("job", Short, Ct);
        Assert.NotNull(first);
        Assert.Null(await Two.TryAcquire("job", Short, Ct));
        Assert.Null(await One.TryAcquire("job", Short, Ct));
        await first.DisposeAsync();
        await using var second = await Two.TryAcquire("job", Short, Ct);
        Assert.NotNull(second);
        Assert.True(second.Fence > first.Fence);
        Assert.True(first.Lost.IsCancellationRequested);
    }

    [Fact]
    public async Task A_lease_outlives_its_duration_as_long_as_its_process_lives()
    {
        await using var lease = await One.TryAcquire("job", Short, Ct);
        var initially = await Expiry("job");
        while (await Expiry("job") < initially + Short)
            Assert.Null(await Two.TryAcquire("job", Short, Ct));
        Assert.False(lease!.Lost.IsCancellationRequested);
    }

    [Fact]
    public async Task A_lease_that_somebody_else_took_is_lost()
    {
        await using var lease = await One.TryAcquire("job", Short, Ct);
        await _database.Db.Execute("UPDATE leases SET holder = gen_random_uuid(), fence = fence + 1");
        await Fires(lease!.Lost);
    }

    [Fact]
    public async Task A_lease_is_lost_when_it_cannot_be_renewed_in_time()
    {
        await using var lease = await One.TryAcquire("job", Short, Ct);
        await using var blocker = await _database.Db.BeginTransaction();
        await blocker.Execute("SELECT 1 FROM leases FOR UPDATE");
        await Fires(lease!.Lost);
        await blocker.CommitAsync();
    }

    [Fact]
    public async Task Work_goes_to_another_replica_within_seconds_of_the_death_of_its_holder()
    {
        await using var holder = new WorkerProcess(appenders: 0, new Dictionary<string, string?>(LogHost.DatabaseSettings(_database.ConnectionString))
        {
            ["lease"] = "job",
            ["rabbitmq:port"] = "1",
            ["redis:port"] = "1",
        });
        var fence = await holder.Holding.WaitAsync(Ct);
        using var stop = new CancellationTokenSource();
        var taken = new TaskCompletionSource<long>();
        var waiting = One.Hold("job", Short, (lease, _) =>
        {
            taken.SetResult(lease.Fence);
            stop.Cancel();
            return Task.CompletedTask;
        }, stop.Token);
        Assert.False(taken.Task.IsCompleted);
        await holder.Kill();
        Assert.Equal(fence + 1, await taken.Task.WaitAsync(TimeSpan.FromSeconds(30), Ct));
        await waiting;
    }

    [Fact]
    public async Task Work_goes_to_another_replica_as_soon_as_its_holder_stops()
    {
        var three = await LogHost.Start(_database);
        using var stop = new CancellationTokenSource();
        var started = new TaskCompletionSource();
        var holding = three.Services.GetRequiredService<Leases>().Hold("job", TimeSpan.FromMinutes(10), async (_, working) =>
        {
            started.SetResult();
            await Task.Delay(Timeout.Infinite, working);
        }, stop.Token);
        await started.Task.WaitAsync(Ct);
        await stop.CancelAsync();
        await holding;
        await three.DisposeAsync();
        await using var taken = await One.TryAcquire("job", Short, Ct);
        Assert.NotNull(taken);
    }

    [Fact]
    public async Task Work_that_fails_is_taken_up_again()
    {
        using var stop = new CancellationTokenSource();
        var runs = 0;
        var holding = One.Hold("job", Short, (_, _) =>
        {
            if (++runs == 2)
                stop.Cancel();
            throw new NotSupportedException();
        }, stop.Token);
        await holding.WaitAsync(Ct);
        Assert.Equal(2, runs);
    }

    Task<DateTimeOffset> Expiry(string name) =>
        _database.Db.GetOne<DateTimeOffset>("SELECT expires_at FROM leases WHERE name = @name", new { name }, Ct);

    static async Task Fires(CancellationToken token)
    {
        var fired = new TaskCompletionSource();
        await using var registration = token.Register(fired.SetResult);
        await fired.Task.WaitAsync(Ct);
    }
}
