using System.Collections.Concurrent;
using Matrix.ClientApi.Sync;
using Matrix.Http;
using Matrix.Storage;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Matrix.ClientApi.Tests.Sync;

/// <summary>Who may begin when many want everything at once.</summary>
public sealed class FirstSyncsTests(MatrixServer server)
{
    readonly FakeTimeProvider time = new();

    [Fact]
    public async Task Users_take_turns_however_often_each_asks()
    {
        var turns = Turns(new FirstSyncOptions { Concurrent = 1 });
        var first = await turns.Begin("@a", Ct);
        var waiting = new[] { "@a", "@a", "@b", "@a", "@c" }.Select(user => (user, turn: turns.Begin(user, Ct).AsTask())).ToList();
        Assert.All(waiting, w => Assert.False(w.turn.IsCompleted));
        first.Dispose();
        first.Dispose();
        var order = new List<string>();
        while (waiting.Count > 0)
        {
            var begun = await Task.WhenAny(waiting.Select(w => w.turn));
            var next = waiting.Single(w => w.turn == begun);
            order.Add(next.user);
            waiting.Remove(next);
            (await next.turn).Dispose();
        }
        Assert.Equal(["@a", "@b", "@c", "@a", "@a"], order);
        (await turns.Begin("@d", Ct)).Dispose();
    }

    [Fact]
    public async Task Who_waits_too_long_or_finds_too_many_is_told_when_to_come_back_and_who_goes_away_leaves_the_turn_to_others()
    {
        var turns = Turns(new FirstSyncOptions { Concurrent = 1, MostWaiting = 2, Patience = TimeSpan.FromSeconds(60) });
        var first = await turns.Begin("@a", Ct);
        using var gone = new CancellationTokenSource();
        var leaving = turns.Begin("@b", gone.Token).AsTask();
        var late = turns.Begin("@c", Ct).AsTask();
        Assert.Equal(429, (await Assert.ThrowsAsync<MatrixException>(() => turns.Begin("@d", Ct).AsTask())).Status);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving);
        var patient = turns.Begin("@d", Ct).AsTask();
        time.Advance(TimeSpan.FromSeconds(61));
        Assert.NotNull((await Assert.ThrowsAsync<MatrixException>(() => late)).RetryAfter);
        Assert.Equal(429, (await Assert.ThrowsAsync<MatrixException>(() => patient)).Status);
        var next = turns.Begin("@e", Ct).AsTask();
        first.Dispose();
        (await next).Dispose();
    }

    // A thousand with MATRIX_TEST_FIRST_SYNCS=1000, which takes half a minute.
    [Fact]
    public async Task Many_who_begin_at_once_are_all_answered_and_others_go_on_meanwhile()
    {
        var count = int.TryParse(Environment.GetEnvironmentVariable("MATRIX_TEST_FIRST_SYNCS"), out var wanted) ? wanted : 60;
        var (alice, room) = await server.UserInRoom();
        var users = new ConcurrentBag<User>();
        await Parallel.ForAsync(0, count, Ct, async (_, _) => users.Add(await server.NewUser()));
        var storm = users.Select(user => user.Get("/_matrix/client/v3/sync")).ToList();
        await alice.Say(room, "meanwhile");
        foreach (var reply in await Task.WhenAll(storm))
            reply.Ok();
    }

    FirstSyncs Turns(FirstSyncOptions options) => new(options, Options.Create(new DatabaseOptions()), time);

    static CancellationToken Ct => TestContext.Current.CancellationToken;
}
