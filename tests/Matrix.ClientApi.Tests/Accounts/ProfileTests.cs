using Matrix.Storage;
using Matrix.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;

namespace Matrix.ClientApi.Tests.Accounts;

public sealed class ProfileTests(MatrixServer server)
{
    static string Path(User user, string? field = null) =>
        $"/_matrix/client/v3/profile/{ApiClient.Esc(user.UserId)}{(field is null ? "" : "/" + ApiClient.Esc(field))}";

    [Fact]
    public async Task A_new_user_is_called_by_the_name_they_registered_with()
    {
        var user = await server.NewUser();
        Assert.Equal(user.Localpart, (await server.Anonymous.Get(Path(user))).Ok().String("displayname"));
    }

    [Fact]
    public async Task Name_avatar_and_other_fields_are_set_read_and_deleted()
    {
        var user = await server.NewUser();
        (await user.Put(Path(user, "displayname"), new { displayname = "Ålice" })).Ok();
        (await user.Put(Path(user, "avatar_url"), new { avatar_url = "mxc://test.example/cat" })).Ok();
        (await user.Put(Path(user, "org.example.pet"), new Dictionary<string, object> { ["org.example.pet"] = new { kind = "cat" } })).Ok();

        (await user.Put(Path(user, "m.tz"), new Dictionary<string, object> { ["m.tz"] = "Europe/Lisbon" })).Ok();

        var profile = (await server.Anonymous.Get(Path(user))).Ok();
        Assert.Equal("Europe/Lisbon", profile.Json.GetProperty("m.tz").GetString());
        Assert.Equal("Ålice", profile.String("displayname"));
        Assert.Equal("mxc://test.example/cat", profile.String("avatar_url"));
        Assert.Equal("cat", profile["org.example.pet"].String("kind"));

        foreach (var field in new[] { "displayname", "org.example.pet" }) (await user.Delete(Path(user, field))).Ok();
        (await server.Anonymous.Get(Path(user, "displayname"))).Refused(404, "M_NOT_FOUND");
        Assert.Null((await server.Anonymous.Get(Path(user))).Ok().Json.Find("org.example.pet"));
        Assert.Equal("mxc://test.example/cat", (await server.Anonymous.Get(Path(user, "avatar_url"))).Ok().String("avatar_url"));
    }

    [Fact]
    public async Task A_change_whose_request_died_is_shown_in_the_rooms_all_the_same()
    {
        await using var own = await MatrixServer.Start(_ => { });
        var (user, room) = await own.UserInRoom();
        var since = (await user.Sync()).NextBatch;
        // as a process leaves it that is killed between the change and the rooms
        await own.Services.GetRequiredService<NpgsqlDataSource>().Execute(
            """
            UPDATE users SET display_name = 'Late' WHERE user_id = @UserId;
            INSERT INTO room_updates_due (user_id, mark, marked_at) VALUES (@UserId, gen_random_uuid(), now() - interval '1 hour')
            """, new { user.UserId }, TestContext.Current.CancellationToken);
        await user.SyncUntil(
            sync => sync.Timeline(room).Any(e => e.String("type") == "m.room.member" && e.Find("content.displayname")?.GetString() == "Late"), since);
    }

    [Fact]
    public async Task A_change_under_way_when_the_process_is_told_to_stop_is_finished()
    {
        await using var own = await MatrixServer.Start(configuration => configuration["shutdown_drain"] = "0");
        var (user, _) = await own.UserInRoom();
        var ct = TestContext.Current.CancellationToken;
        var db = own.Services.GetRequiredService<NpgsqlDataSource>();
        await using var connection = await db.OpenConnectionAsync(ct);
        await using var held = await connection.BeginTransactionAsync(ct);
        await using (var hold = new NpgsqlCommand("LOCK TABLE memberships", connection, held)) await hold.ExecuteNonQueryAsync(ct);
        var change = user.Put(Path(user, "displayname"), new { displayname = "Last" });
        await Eventually.True("it waits", async () => await db.FindOne<int?>("SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'memberships'::regclass LIMIT 1", null, ct) == 1);
        own.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        await held.RollbackAsync(ct);
        (await change).Ok();
    }

    [Fact]
    public async Task What_does_not_belong_in_a_profile_is_refused()
    {
        var (user, other) = (await server.NewUser(), await server.NewUser());
        (await user.Put(Path(other, "displayname"), new { displayname = "Mallory" })).Refused(403, "M_FORBIDDEN");
        (await user.Put(Path(user, "displayname"), new { name = "x" })).Refused(400, "M_MISSING_PARAM");
        (await user.Put(Path(user, "displayname"), new { displayname = 5 })).Refused(400, "M_BAD_JSON");
        (await user.Put(Path(user, "displayname"), new { displayname = "a\0b" })).Refused(400, "M_INVALID_PARAM");
        (await user.Put(Path(user, "avatar_url"), new { avatar_url = "https://x.example/" })).Refused(400, "M_INVALID_PARAM");
        (await user.Put(Path(user, "m.big"), new Dictionary<string, string> { ["m.big"] = new('x', 70_000) })).Refused(400, "M_PROFILE_TOO_LARGE");
        var longName = new string('n', 256);
        (await user.Put(Path(user, longName), new Dictionary<string, string> { [longName] = "" })).Refused(400, "M_KEY_TOO_LARGE");
        foreach (var name in new[] { "Shouting", "1st", "with space", "ünï" })
            (await user.Put(Path(user, name), new Dictionary<string, string> { [name] = "" })).Refused(400, "M_INVALID_PARAM");
        (await server.Anonymous.Get($"/_matrix/client/v3/profile/{ApiClient.Esc($"@nobody:{server.ServerName}")}")).Refused(404, "M_NOT_FOUND");
    }
}
