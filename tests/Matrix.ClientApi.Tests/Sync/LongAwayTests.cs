using Matrix.Replication;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;

namespace Matrix.ClientApi.Tests.Sync;

/// <summary>Clients that were away for longer than the process remembers the log, and servers that stop. On a server of its own.</summary>
public sealed class LongAwayTests : IAsyncLifetime
{
    MatrixServer server = null!;

    [Fact]
    public async Task Who_was_away_for_long_gets_the_same_answer()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var left = await alice.CreateRoom(new { preset = "public_chat" });
        var rejoined = await alice.CreateRoom(new { preset = "public_chat" });
        var quiet = await alice.CreateRoom(new { preset = "public_chat" });
        foreach (var other in new[] { left, rejoined, quiet })
            await bob.Join(other);
        var since = (await bob.SyncUntil(s => s.Joined(quiet) is not null)).NextBatch;

        var invited = await alice.CreateRoom();
        await alice.Invite(invited, bob);
        await alice.SetState(room, "m.room.topic", new { topic = "t" });
        for (var i = 0; i < 15; i++)
            await alice.Say(room, $"m{i}");
        await bob.Leave(left);
        await alice.Say(left, "after");
        await bob.Leave(rejoined);
        await alice.SetState(rejoined, "m.room.topic", new { topic = "meanwhile" });
        await bob.Join(rejoined);
        var receipt = await alice.Say(room, "last");
        (await alice.Post($"/_matrix/client/v3/rooms/{ApiClient.Esc(room)}/receipt/m.read/{ApiClient.Esc(receipt.EventId)}")).Ok();
        (await bob.Put($"/_matrix/client/v3/user/{bob.UserId}/account_data/org.example.x", new { a = 1 })).Ok();

        var remembered = await bob.SyncUntil(s => s.HasMessage(room, "last"), since);
        await Forget(server);
        var read = await bob.Sync(since);

        foreach (var sync in new[] { remembered, read })
        {
            Assert.Equal("t", sync.State(room).Single(e => e.String("type") == "m.room.topic").String("content.topic"));
            Assert.Equal(10, sync.Timeline(room).Count);
            Assert.NotNull(sync.Invited(invited));
            Assert.Empty(sync.Bodies(left));
            Assert.Equal("leave", sync.Timeline(left)[^1].String("content.membership"));
            Assert.Contains(sync.State(rejoined).Concat(sync.Timeline(rejoined)), e => e.String("type") == "m.room.topic");
            Assert.Null(sync.Joined(quiet));
            Assert.Contains(sync.AccountData, e => e.String("type") == "org.example.x");
            Assert.Contains(sync.Joined(room)!.Value.At("ephemeral.events").Items(), e => e.String("type") == "m.receipt");
        }
        foreach (var id in new[] { room, left, rejoined })
        {
            Assert.Equal(Ids(remembered.Timeline(id)), Ids(read.Timeline(id)));
            Assert.Equal(Ids(remembered.State(id)).Order(), Ids(read.State(id)).Order());
        }
    }

    [Fact]
    public async Task A_long_poll_is_answered_when_the_server_stops()
    {
        await using var stopping = await MatrixServer.Start(_ => { });
        var (alice, _) = await stopping.UserInRoom();
        var since = (await alice.Sync()).NextBatch;
        var waiting = alice.Sync(since, timeout: 55_000);
        // a second request shows that the first has reached the server
        await alice.Sync(since);
        stopping.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        var began = TimeProvider.System.GetTimestamp();
        Assert.False((await waiting).Json.TryGetProperty("rooms", out _));
        Assert.True(TimeProvider.System.GetElapsedTime(began) < TimeSpan.FromSeconds(40));
    }

    public async ValueTask InitializeAsync() => server = await MatrixServer.Start(_ => { });

    public ValueTask DisposeAsync() => server.DisposeAsync();

    static IEnumerable<string> Ids(IEnumerable<System.Text.Json.JsonElement> events) => events.Select(e => e.String("event_id"));

    // More entries than the process remembers.
    internal static async Task Forget(MatrixServer server)
    {
        var follower = server.Services.GetRequiredService<LogFollower>();
        var before = follower.Position;
        var end = await server.Services.GetRequiredService<LogWriter>().Append(new Filler(), CancellationToken.None);
        await follower.WaitFor(end, CancellationToken.None);
        Assert.True(follower.Recent.Floor > before);
    }

    sealed class Filler : LogChange
    {
        public override IReadOnlyList<LogEntryDraft> Entries { get; } = [.. Enumerable.Repeat(new LogEntryDraft(LogKind.Directory), 10_000)];

        public override void AddCommands(NpgsqlBatch batch, Func<int, int> back)
        {
        }
    }
}
