using System.Security.Cryptography;
using Matrix.MediaRepo.Lifecycle;
using Matrix.MediaRepo.Serving;
using Matrix.Storage;
using Matrix.Storage.Jobs;
using Matrix.Storage.Media;
using Microsoft.Extensions.DependencyInjection;

namespace Matrix.MediaRepo.Tests.Lifecycle;

/// <summary>Media that no event names any more, or that none ever did.</summary>
public sealed class ReferenceTests(MediaServers servers)
{
    static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Media_of_redacted_events_is_deleted_unless_something_else_names_it_or_it_is_somebody_elses()
    {
        var (alice, mallory, room) = await servers.First.TwoUsersInRoom();
        await Begin();
        var (shown, shownTwice, avatar, encrypted) = (await Upload(alice), await Upload(alice), await Upload(alice), await Upload(alice));
        (await alice.Put($"/_matrix/client/v3/profile/{ApiClient.Esc(alice.UserId)}/avatar_url", new { avatar_url = avatar })).Ok();
        await Show(alice, room, shownTwice);
        foreach (var (user, media) in new[] { (alice, shown), (alice, shownTwice), (alice, avatar), (mallory, encrypted) })
            await Redact(user, room, await Show(user, room, media));
        var kept = await Upload(alice);
        await Show(alice, room, kept);

        var since = await Follow();
        await Deletion.DeleteRedacted(DateTimeOffset.UtcNow.AddMinutes(1), since, Stop);
        (await alice.Download(shown)).Refused(404, "M_NOT_FOUND");
        foreach (var media in new[] { shownTwice, avatar, encrypted, kept })
            (await alice.Download(media)).Ok();
    }

    [Fact]
    public async Task Media_that_nobody_names_or_reads_is_deleted_after_a_while()
    {
        var (alice, room) = await servers.First.UserInRoom();
        await Begin();
        var (forgotten, named, read) = (await Upload(alice), await Upload(alice), await Upload(alice));
        await alice.Say(room, $"here: {named}, look");
        (await servers.Second.As(alice).Download(read)).Ok();
        await servers.Second.Services.GetRequiredService<MediaAccess>().Flush(Stop);
        await servers.Db.Execute(
            "UPDATE media SET created_at = created_at - interval '2 days', last_access = last_access - interval '2 days' WHERE uploader = @user",
            new { user = alice.UserId }, Stop);
        var fresh = await Upload(alice);

        var since = await Follow();
        await Deletion.DeleteUnreferenced(DateTimeOffset.UtcNow.AddDays(-1), since, Stop);
        (await alice.Download(forgotten)).Refused(404, "M_NOT_FOUND");
        foreach (var media in new[] { named, read, fresh })
            (await alice.Download(media)).Ok();
    }

    [Fact]
    public async Task What_events_named_before_anybody_looked_is_found_in_the_background()
    {
        var (alice, room) = await servers.First.UserInRoom();
        var (shown, redacted) = (await Upload(alice), await Upload(alice));
        await Show(alice, room, shown);
        await Redact(alice, room, await Show(alice, room, redacted));
        await Follow();
        await servers.Db.Execute("DELETE FROM media_references; DELETE FROM background_jobs; UPDATE media_following SET since = now()", null, Stop);

        var job = new OldMediaReferences(servers.First.Services.GetRequiredService<MediaReferenceStore>(), new(), TimeProvider.System);
        await using var tx = await servers.Db.BeginTransaction(Stop);
        var goal = await job.Goal(tx, Stop);
        await BackgroundJobStore.Begin(tx, job.Name, goal, Stop);
        for (long at = 0; at < goal;)
        {
            var (upTo, rows) = await job.Next(tx, at, goal, 7, Stop);
            Assert.InRange(upTo, at + 1, goal);
            Assert.InRange(rows, 0, 7);
            at = upTo;
        }
        await job.End(tx, Stop);
        await tx.CommitAsync(Stop);

        var known = await servers.Db.List<(string MediaId, bool IsGone)>(
            "SELECT media_id, redacted_at IS NOT NULL AS is_gone FROM media_references WHERE media_id = ANY(@ids)",
            new { ids = new[] { shown, redacted }.Select(uri => uri.AbsolutePath[1..]).ToArray() }, Stop);
        Assert.Equal([(shown.AbsolutePath[1..], false), (redacted.AbsolutePath[1..], true)], known.OrderBy(one => one.IsGone));
        Assert.Equal(DateTimeOffset.UnixEpoch, await Follow());
    }

    MediaDeletion Deletion => servers.First.Services.GetRequiredService<MediaDeletion>();

    Task<DateTimeOffset> Follow() => servers.First.Services.GetRequiredService<MediaReferences>().Follow(Stop);

    // as if it had been switched on days ago
    async Task Begin()
    {
        await Follow();
        await servers.Db.Execute("UPDATE media_following SET since = now() - interval '3 days'", null, Stop);
    }

    static Task<Uri> Upload(User user) => user.Upload(RandomNumberGenerator.GetBytes(100), "image/png");

    static async Task<string> Show(User user, string room, Uri media) =>
        (await user.Send(room, "m.room.message", new { msgtype = "m.image", body = "a", url = media })).EventId;

    static async Task Redact(User user, string room, string eventId) =>
        (await user.Put($"/_matrix/client/v3/rooms/{ApiClient.Esc(room)}/redact/{ApiClient.Esc(eventId)}/{Guid.NewGuid():N}", new { })).Ok();
}
