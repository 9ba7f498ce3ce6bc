using Matrix.ClientApi.Sync;
using Matrix.ClientApi.Tests.Sync;
using Matrix.Replication;
using Matrix.Storage.Sync;
using Matrix.Testing;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Matrix.ClientApi.Tests.Keys;

/// <summary>What messages and keys cost those who wait, and what goes with a device: on a server of its own.</summary>
public sealed class DeviceWakeTests : IAsyncLifetime
{
    MatrixServer server = null!;
    string database = "";

    [Fact]
    public async Task A_message_wakes_its_device_alone()
    {
        using var alice = await KeyUser.Create(server);
        using var bob = await KeyUser.Create(server);
        var hub = server.Services.GetRequiredService<SyncHub>();
        var user = await hub.Acquire(bob.Id, CancellationToken.None);
        // bob's own login is news to his devices too, until it has been told
        var begun = await server.Services.GetRequiredService<SyncStore>().FindLogHead(CancellationToken.None);
        await server.Services.GetRequiredService<LogFollower>().WaitFor(new LogPosition(begun!.Value), CancellationToken.None);
        var seen = (await hub.GetRooms(user, CancellationToken.None)).Position;
        using var end = new CancellationTokenSource();
        Task<bool> Wait(string device) => hub.WaitBeyond(user, device, seen, 0, 0, TimeSpan.FromSeconds(30), end.Token);
        var (own, other) = (Wait(bob.Device), Wait("PHONE"));
        (await alice.SendToDevice("org.example.x", KeyUser.To(bob.Id, bob.Device, new { body = "x" }))).Ok();
        Assert.True(await own);
        Assert.False(other.IsCompleted);
        (await alice.SendToDevice("org.example.x", KeyUser.To(bob.Id, "*", new { body = "x" }))).Ok();
        Assert.True(await other);
        hub.Release(user);
    }

    [Fact]
    public async Task A_message_is_fetched_by_one_statement_and_a_sync_without_news_by_none()
    {
        using var alice = await KeyUser.Create(server);
        using var bob = await KeyUser.Create(server);
        var since = (await bob.User.Sync()).NextBatch;
        since = (await bob.User.Sync(since)).NextBatch;
        using var counter = new StatementCounter(database);
        await bob.User.Sync(since, timeout: 20);
        Assert.Empty(counter.Statements);
        var waiting = bob.User.SyncUntil(sync => KeyUser.Messages(sync).Count > 0, since);
        (await alice.SendToDevice("org.example.x", KeyUser.To(bob.Id, bob.Device, new { body = "x" }))).Ok();
        await waiting;
        Assert.Single(counter.Statements, sql => sql.Contains("SELECT position, message FROM to_device_messages"));
    }

    [Fact]
    public async Task What_a_device_has_is_deleted()
    {
        using var alice = await KeyUser.Create(server);
        using var bob = await KeyUser.Create(server);
        (await alice.SendToDevice("org.example.x", KeyUser.To(bob.Id, bob.Device, new { body = "x" }))).Ok();
        var since = (await bob.User.Sync()).NextBatch;
        Assert.Equal(1, await Count("to_device_messages", bob));
        await bob.User.Sync(since);
        await Eventually.True("it is deleted", async () => await Count("to_device_messages", bob) == 0);
    }

    [Fact]
    public async Task With_a_device_go_its_keys_and_messages_and_others_are_told()
    {
        var (first, second, _) = await server.TwoUsersInRoom();
        using var alice = new KeyUser(first);
        using var bob = new KeyUser(second);
        await alice.UploadDevice();
        await bob.UploadDevice();
        await bob.UploadOneTime("A");
        await bob.UploadFallback("F");
        (await alice.SendToDevice("org.example.x", KeyUser.To(bob.Id, bob.Device, new { body = "x" }))).Ok();
        var since = (await alice.User.Sync()).NextBatch;
        (await bob.User.Post($"{KeyUser.V3}/logout")).Ok();
        Assert.Equal([bob.Id], KeyUser.Changed(await alice.User.SyncUntil(sync => KeyUser.Changed(sync).Count > 0, since)));
        Assert.Empty((await alice.Query(bob.Id)).Ok()["device_keys"].At(bob.Id).EnumerateObject());
        Assert.Null(await alice.ClaimedId(bob));
        foreach (var table in new[] { "device_keys", "one_time_keys", "fallback_keys", "to_device_messages" })
            Assert.Equal(0, await Count(table, bob));
    }

    [Fact]
    public async Task Who_was_away_for_long_is_told_the_same_of_others_devices()
    {
        var (first, second, room) = await server.TwoUsersInRoom();
        using var alice = new KeyUser(first);
        using var bob = new KeyUser(second);
        using var carol = await KeyUser.Create(server);
        var other = await bob.User.CreatePublicRoom();
        await carol.User.Join(other);
        await alice.User.Join(other);
        var since = (await bob.User.SyncUntil(sync => sync.Joined(other) is not null)).NextBatch;
        await alice.UploadDevice();
        await carol.User.Leave(other);
        using var dave = await KeyUser.Create(server);
        await dave.User.Join(other);
        var remembered = await bob.User.SyncUntil(sync => KeyUser.Changed(sync).Contains(dave.Id), since);
        await LongAwayTests.Forget(server);
        var read = await bob.User.Sync(since);
        foreach (var sync in new[] { remembered, read })
        {
            Assert.Equal(new[] { alice.Id, dave.Id }.Order(), KeyUser.Changed(sync).Order());
            Assert.Equal([carol.Id], KeyUser.Changed(sync, "left"));
        }
    }

    public async ValueTask InitializeAsync() => server = await MatrixServer.Start(configuration =>
    {
        database = configuration["database:args:database"]!;
        configuration["presence:enabled"] = "false";
    });

    public ValueTask DisposeAsync() => server.DisposeAsync();

    async Task<long> Count(string table, KeyUser of)
    {
        var db = server.Services.GetRequiredService<NpgsqlDataSource>();
        await using var command = db.CreateCommand($"SELECT count(*) FROM {table} WHERE user_id = $1 AND device_id = $2");
        command.Parameters.AddWithValue(of.Id);
        command.Parameters.AddWithValue(of.Device);
        return (long)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
    }
}
