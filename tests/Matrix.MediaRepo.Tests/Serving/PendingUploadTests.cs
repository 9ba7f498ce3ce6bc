using System.Text;
using Matrix.Storage;

namespace Matrix.MediaRepo.Tests.Serving;

/// <summary>Media ids whose bytes come later (Client-Server API, POST /_matrix/media/v1/create).</summary>
public sealed class PendingUploadTests(MediaServers servers)
{
    static readonly byte[] s_content = Encoding.ASCII.GetBytes("late");

    [Fact]
    public async Task Who_waits_for_media_gets_it_when_it_comes_to_another_replica()
    {
        var alice = await servers.First.NewUser();
        var media = await Create(alice);
        var waiting = servers.Second.As(alice).Download(media);
        (await Put(alice, media, "?filename=late.txt")).Ok();
        var reply = (await waiting).Ok();
        Assert.Equal(s_content, reply.Bytes);
        Assert.Equal("late.txt", reply.ContentHeaders.ContentDisposition?.FileName);
    }

    [Fact]
    public async Task Who_waits_in_vain_is_told_that_it_has_not_come()
    {
        var alice = await servers.First.NewUser();
        var media = await Create(alice);
        (await alice.Download(media, "?timeout_ms=1")).Refused(504, "M_NOT_YET_UPLOADED");
        (await alice.Thumbnail(media, 96, 96, "&timeout_ms=1")).Refused(504, "M_NOT_YET_UPLOADED");
        (await alice.Download(media, "?timeout_ms=soon")).Refused(400, "M_INVALID_PARAM");
    }

    [Fact]
    public async Task An_id_takes_one_upload_of_the_user_who_was_given_it()
    {
        var alice = await servers.First.NewUser();
        var media = await Create(alice);
        (await Put(await servers.First.NewUser(), media)).Refused(403, "M_FORBIDDEN");
        (await Put(alice, media)).Ok();
        (await Put(alice, media)).Refused(409, "M_CANNOT_OVERWRITE_MEDIA");
    }

    [Fact]
    public async Task One_of_two_uploads_at_once_is_kept()
    {
        var alice = await servers.First.NewUser();
        var media = await Create(alice);
        var replies = await Task.WhenAll(Put(alice, media), Put(servers.Second.As(alice), media));
        Assert.Single(replies, reply => (int)reply.Status == 200);
        Assert.Single(replies, reply => (int)reply.Status == 409);
    }

    [Fact]
    public async Task Ids_that_nobody_was_given_or_that_have_expired_take_nothing()
    {
        var alice = await servers.First.NewUser();
        (await Put(alice, new Uri($"mxc://{servers.First.ServerName}/unknown"))).Refused(404, "M_NOT_FOUND");
        (await Put(alice, new Uri("mxc://elsewhere.example/unknown"))).Refused(404, "M_NOT_FOUND");
        var media = await Create(alice);
        await servers.Db.Execute("UPDATE media_pending SET expires_at = now() - interval '1 second' WHERE media_id = @id", new { id = media.AbsolutePath[1..] });
        (await Put(alice, media)).Refused(404, "M_NOT_FOUND");
        (await alice.Download(media)).Refused(404, "M_NOT_FOUND");
    }

    [Fact]
    public async Task A_user_may_have_only_so_many_at_once()
    {
        var alice = await servers.First.NewUser();
        var media = await Create(alice);
        for (var i = 0; i < 4; i++)
            await Create(alice);
        var refused = (await alice.Post("/_matrix/media/v1/create")).Refused(429, "M_LIMIT_EXCEEDED");
        Assert.InRange(refused["retry_after_ms"].GetInt64(), 1, 24 * 3600_000L);
        (await Put(alice, media)).Ok();
        await Create(alice);
    }

    static async Task<Uri> Create(ApiClient user)
    {
        var created = (await user.Post("/_matrix/media/v1/create")).Ok();
        Assert.True(created["unused_expires_at"].GetInt64() > 0);
        return new Uri(created.String("content_uri"));
    }

    static async Task<Reply> Put(ApiClient user, Uri media, string query = "")
    {
        using var body = MediaUser.Content(s_content, "text/plain");
        return await user.Put($"/_matrix/media/v3/upload/{media.Authority}{media.AbsolutePath}{query}", body);
    }
}
