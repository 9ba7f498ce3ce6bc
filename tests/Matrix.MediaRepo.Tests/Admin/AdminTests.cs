using System.Security.Cryptography;
using Matrix.MediaRepo.Lifecycle;
using Matrix.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace Matrix.MediaRepo.Tests.Admin;

/// <summary>What administrators do with media, by Synapse's paths.</summary>
public sealed class AdminTests(MediaServers servers)
{
    const string Api = "/_synapse/admin/v1";

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Quarantined_media_is_served_by_no_replica_nor_are_its_bytes_under_another_name()
    {
        var (admin, alice) = (await servers.First.NewUser(admin: true), await servers.First.NewUser());
        var content = RandomNumberGenerator.GetBytes(1000);
        var (media, twin) = (await alice.Upload(content), await alice.Upload(content));
        (await admin.Post($"{Api}/media/quarantine/{PathOf(media)}")).Ok();
        (await servers.Second.As(alice).Download(media)).Refused(404, "M_NOT_FOUND");
        (await alice.Download(twin)).Refused(404, "M_NOT_FOUND");
        (await alice.Download(await alice.Upload(content))).Refused(404, "M_NOT_FOUND");
        (await admin.Post($"{Api}/media/unquarantine/{PathOf(media)}")).Ok();
        (await alice.Download(media)).Ok();
        (await alice.Download(twin)).Ok();
        (await alice.Download(await alice.Upload(content))).Ok();
    }

    [Fact]
    public async Task Thumbnails_of_quarantined_media_are_not_served()
    {
        var (admin, alice) = (await servers.First.NewUser(admin: true), await servers.First.NewUser());
        var media = await alice.Upload(Pictures.Png(201, 200), "image/png");
        (await alice.Thumbnail(media, 96, 96)).Ok();
        (await admin.Post($"{Api}/media/quarantine/{PathOf(media)}")).Ok();
        (await alice.Thumbnail(media, 96, 96)).Refused(404, "M_NOT_FOUND");
    }

    [Fact]
    public async Task Protected_media_is_not_quarantined()
    {
        var (admin, alice) = (await servers.First.NewUser(admin: true), await servers.First.NewUser());
        var (sticker, other) = (await alice.Upload(RandomNumberGenerator.GetBytes(100)), await alice.Upload(RandomNumberGenerator.GetBytes(100)));
        (await admin.Post($"{Api}/media/protect/{sticker.AbsolutePath[1..]}")).Ok();
        Assert.Equal(1, (await admin.Post($"{Api}/user/{ApiClient.Esc(alice.UserId)}/media/quarantine")).Ok()["num_quarantined"].GetInt32());
        (await alice.Download(sticker)).Ok();
        (await alice.Download(other)).Refused(404, "M_NOT_FOUND");
        (await admin.Post($"{Api}/media/unprotect/{sticker.AbsolutePath[1..]}")).Ok();
        Assert.Equal(1, (await admin.Post($"{Api}/user/{ApiClient.Esc(alice.UserId)}/media/quarantine")).Ok()["num_quarantined"].GetInt32());
        (await alice.Download(sticker)).Refused(404, "M_NOT_FOUND");
    }

    [Fact]
    public async Task The_media_of_a_room_is_what_its_events_show_not_what_they_mention()
    {
        var admin = await servers.First.NewUser(admin: true);
        var (alice, room) = await servers.First.UserInRoom();
        var (picture, thumbnail, mentioned) = (await Upload(alice), await Upload(alice), await Upload(alice));
        await alice.Send(room, "m.room.message", new { msgtype = "m.image", body = "a", url = picture, info = new { thumbnail_url = thumbnail } });
        await alice.Send(room, "m.room.message", new { msgtype = "m.image", body = "b", url = "mxc://elsewhere.example/abc" });
        await alice.Say(room, $"look at {mentioned}");
        var listed = (await admin.Get($"{Api}/room/{ApiClient.Esc(room)}/media")).Ok();
        Assert.Equal(new[] { picture.ToString(), thumbnail.ToString() }.Order(), listed["local"].Items().Select(uri => uri.GetString()).Order());
        Assert.Equal("mxc://elsewhere.example/abc", Assert.Single(listed["remote"].Items()).GetString());
        Assert.Equal(2, (await admin.Post($"{Api}/room/{ApiClient.Esc(room)}/media/quarantine")).Ok()["num_quarantined"].GetInt32());
        (await alice.Download(picture)).Refused(404, "M_NOT_FOUND");
        (await alice.Download(mentioned)).Ok();
    }

    [Fact]
    public async Task Deleted_media_is_gone_with_its_bytes_and_thumbnails()
    {
        var (admin, alice) = (await servers.First.NewUser(admin: true), await servers.First.NewUser());
        var content = Pictures.Png(211, 200);
        var media = await alice.Upload(content, "image/png");
        var thumbnail = (await alice.Thumbnail(media, 96, 96)).Ok().Headers.ETag!.Tag.Trim('"');
        await Age();
        var deleted = (await admin.Delete($"{Api}/media/{PathOf(media)}")).Ok();
        Assert.Equal((media.AbsolutePath[1..], 1), (Assert.Single(deleted["deleted_media"].Items()).GetString(), deleted["total"].GetInt32()));
        (await alice.Download(media)).Refused(404, "M_NOT_FOUND");
        await servers.First.Services.GetRequiredService<MediaDeletion>().DeleteOrphans(Stop);
        Assert.Empty(FilesOf(Convert.ToHexStringLower(SHA256.HashData(content))));
        Assert.Empty(FilesOf(thumbnail));
        (await admin.Delete($"{Api}/media/{PathOf(media)}")).Refused(404, "M_NOT_FOUND");
    }

    [Fact]
    public async Task Bytes_that_other_media_has_too_stay_when_one_is_deleted()
    {
        var (admin, alice) = (await servers.First.NewUser(admin: true), await servers.First.NewUser());
        var content = RandomNumberGenerator.GetBytes(1000);
        var (media, twin) = (await alice.Upload(content), await alice.Upload(content));
        await Age();
        (await admin.Delete($"{Api}/media/{PathOf(media)}")).Ok();
        Assert.Equal(content, (await alice.Download(twin)).Ok().Bytes);
    }

    [Fact]
    public async Task Old_media_is_deleted_but_for_avatars_and_what_is_kept_apart()
    {
        var (admin, alice) = (await servers.First.NewUser(admin: true), await servers.First.NewUser());
        var (old, avatar, large, fresh, safe) = (await Upload(alice), await Upload(alice), await Upload(alice, 5000), await Upload(alice), await Upload(alice));
        (await alice.Put($"/_matrix/client/v3/profile/{ApiClient.Esc(alice.UserId)}/avatar_url", new { avatar_url = avatar })).Ok();
        (await admin.Post($"{Api}/media/protect/{safe.AbsolutePath[1..]}")).Ok();
        await servers.Db.Execute("UPDATE media SET last_access = '2001-01-01' WHERE uploader = @user AND media_id <> @fresh",
            new { user = alice.UserId, fresh = fresh.AbsolutePath[1..] }, Stop);
        var before = new DateTimeOffset(2001, 1, 2, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();
        var some = (await admin.Post($"{Api}/media/delete?before_ts={before}&size_gt=1000")).Ok();
        Assert.Equal([large.AbsolutePath[1..]], some["deleted_media"].Items().Select(id => id.GetString()));
        var rest = (await admin.Post($"{Api}/media/{servers.First.ServerName}/delete?before_ts={before}")).Ok();
        Assert.Equal([old.AbsolutePath[1..]], rest["deleted_media"].Items().Select(id => id.GetString()));
        foreach (var kept in new[] { avatar, fresh, safe })
            (await alice.Download(kept)).Ok();
        (await admin.Post($"{Api}/media/delete?before_ts=1000")).Refused(400, "M_INVALID_PARAM");
        (await admin.Post($"{Api}/media/delete")).Refused(400, "M_MISSING_PARAM");
    }

    [Fact]
    public async Task The_cache_of_other_servers_media_can_be_purged()
    {
        var (admin, alice) = (await servers.First.NewUser(admin: true), await servers.First.NewUser());
        var content = RandomNumberGenerator.GetBytes(1000);
        var media = await alice.Upload(content);
        await servers.Db.Execute("UPDATE media SET origin = 'cached.example', uploader = NULL, last_access = '2000-01-01' WHERE media_id = @id",
            new { id = media.AbsolutePath[1..] }, Stop);
        var before = new DateTimeOffset(2000, 1, 2, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();
        Assert.Equal(1, (await admin.Post($"{Api}/purge_media_cache?before_ts={before}")).Ok()["deleted"].GetInt32());
        Assert.Equal(0, (await admin.Post($"{Api}/purge_media_cache?before_ts={before}")).Ok()["deleted"].GetInt32());
    }

    [Fact]
    public async Task A_users_media_is_listed_in_pages_and_deleted_together()
    {
        var (admin, alice) = (await servers.First.NewUser(admin: true), await servers.First.NewUser());
        foreach (var size in new[] { 30, 10, 20 })
            await Upload(alice, size);
        var path = $"{Api}/users/{ApiClient.Esc(alice.UserId)}/media";
        var page = (await admin.Get($"{path}?limit=2&order_by=media_length")).Ok();
        Assert.Equal((3, 2), (page["total"].GetInt32(), page["next_token"].GetInt32()));
        Assert.Equal([10, 20], page["media"].Items().Select(media => media.At("media_length").GetInt32()));
        var last = (await admin.Get($"{path}?from=2&order_by=media_length")).Ok();
        Assert.Equal(30, Assert.Single(last["media"].Items()).At("media_length").GetInt32());
        Assert.Null(last.Json.Find("next_token"));
        Assert.Equal(20, (await admin.Get(path)).Ok()["media"].Items()[0].At("media_length").GetInt32());
        (await admin.Get($"{path}?order_by=uploader;DROP")).Refused(400, "M_INVALID_PARAM");
        Assert.Equal(3, (await admin.Delete(path)).Ok()["total"].GetInt32());
        Assert.Equal(0, (await admin.Get(path)).Ok()["total"].GetInt32());
    }

    [Fact]
    public async Task What_is_known_of_media_is_told()
    {
        var (admin, alice) = (await servers.First.NewUser(admin: true), await servers.First.NewUser());
        var media = await alice.Upload([1, 2, 3], "text/plain", "a.txt");
        var info = (await admin.Get($"{Api}/media/{PathOf(media)}")).Ok()["media_info"];
        Assert.Equal((alice.UserId, "text/plain", 3, "a.txt"),
            (info.String("user_id"), info.String("media_type"), info.At("media_length").GetInt32(), info.String("upload_name")));
        (await admin.Get($"{Api}/media/{servers.First.ServerName}/unknown")).Refused(404, "M_NOT_FOUND");
    }

    [Theory]
    [InlineData("POST", "media/quarantine/a.example/b")]
    [InlineData("POST", "media/unquarantine/a.example/b")]
    [InlineData("POST", "media/protect/b")]
    [InlineData("POST", "media/unprotect/b")]
    [InlineData("POST", "room/!a:b.example/media/quarantine")]
    [InlineData("POST", "quarantine_media/!a:b.example")]
    [InlineData("POST", "user/@a:b.example/media/quarantine")]
    [InlineData("GET", "room/!a:b.example/media")]
    [InlineData("GET", "media/a.example/b")]
    [InlineData("DELETE", "media/a.example/b")]
    [InlineData("POST", "media/delete?before_ts=2000000000000")]
    [InlineData("POST", "media/a.example/delete?before_ts=2000000000000")]
    [InlineData("POST", "purge_media_cache?before_ts=2000000000000")]
    [InlineData("GET", "users/@a:b.example/media")]
    [InlineData("DELETE", "users/@a:b.example/media")]
    public async Task Nobody_else_may(string method, string path)
    {
        var alice = await servers.First.NewUser();
        (await alice.Request(new HttpMethod(method), $"{Api}/{path}")).Refused(403, "M_FORBIDDEN");
        (await servers.First.Anonymous.Request(new HttpMethod(method), $"{Api}/{path}")).Refused(401, "M_MISSING_TOKEN");
    }

    static string PathOf(Uri media) => $"{media.Authority}{media.AbsolutePath}";

    static Task<Uri> Upload(User user, int size = 100) => user.Upload(RandomNumberGenerator.GetBytes(size));

    string[] FilesOf(string hash) => Directory.GetFiles(servers.Folder, hash, SearchOption.AllDirectories);

    // so that nobody can be about to refer to what was stored
    Task<int> Age() => servers.Db.Execute(
        "WITH due AS (UPDATE media_orphans SET check_after = now() - interval '1 second') UPDATE media_contents SET claimed_at = now() - interval '1 day'", null, Stop);
}
