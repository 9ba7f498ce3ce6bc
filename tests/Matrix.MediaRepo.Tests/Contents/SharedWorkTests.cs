using Matrix.Storage.Media;

namespace Matrix.MediaRepo.Tests.Contents;

/// <summary>One makes it, all get it.</summary>
public sealed class SharedWorkTests(MediaServers servers)
{
    [Fact]
    public async Task A_thing_that_many_want_on_several_replicas_is_made_once()
    {
        SharedWork[] replicas = [new(servers.Db, TimeProvider.System), new(servers.Db, TimeProvider.System), new(servers.Db, TimeProvider.System)];
        var (made, result) = (0, (string?)null);
        var key = Guid.NewGuid().ToString();
        var results = await Task.WhenAll(Enumerable.Range(0, 60).Select(i => replicas[i % 3].Get(key, TimeSpan.FromSeconds(30),
            _ => Task.FromResult(Volatile.Read(ref result)),
            async ct =>
            {
                Interlocked.Increment(ref made);
                await Task.Delay(100, ct);
                return result = "made";
            }, TestContext.Current.CancellationToken)));
        Assert.Equal(1, made);
        Assert.All(results, got => Assert.Equal("made", got));
    }

    [Fact]
    public async Task Another_takes_the_place_of_a_maker_that_died_or_failed()
    {
        var work = new SharedWork(servers.Db, TimeProvider.System);
        var key = Guid.NewGuid().ToString();
        var stop = TestContext.Current.CancellationToken;
        await Assert.ThrowsAsync<InvalidOperationException>(() => work.Get<string>(
            key, TimeSpan.FromSeconds(30), _ => Task.FromResult<string?>(null), _ => throw new InvalidOperationException(), stop));
        Assert.Equal("made", await work.Get(key, TimeSpan.FromSeconds(30), _ => Task.FromResult<string?>(null), _ => Task.FromResult("made"), stop));
        await using (var command = servers.Db.CreateCommand($"INSERT INTO media_work VALUES ('{key}', gen_random_uuid(), now() + interval '300 ms')"))
            await command.ExecuteNonQueryAsync(stop);
        Assert.Equal("again", await work.Get(key, TimeSpan.FromSeconds(30), _ => Task.FromResult<string?>(null), _ => Task.FromResult("again"), stop));
    }
}
