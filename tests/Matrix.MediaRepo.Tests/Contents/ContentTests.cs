using System.Security.Cryptography;
using Matrix.Storage.Media;
using Microsoft.Extensions.DependencyInjection;

namespace Matrix.MediaRepo.Tests.Contents;

/// <summary>What lies in the media store, and when it goes.</summary>
public sealed class ContentTests(MediaServers servers)
{
    static CancellationToken Stop => TestContext.Current.CancellationToken;

    MediaContentStore Contents => servers.First.Services.GetRequiredService<MediaContentStore>();

    ContentStores Stores => servers.First.Services.GetRequiredService<ContentStores>();

    [Fact]
    public async Task Equal_files_lie_there_once()
    {
        var alice = await servers.First.NewUser();
        var content = RandomNumberGenerator.GetBytes(1000);
        var first = await alice.Upload(content);
        var second = await servers.Second.As(alice).Upload(content, "text/plain");
        Assert.NotEqual(first, second);
        Assert.Single(Directory.GetFiles(servers.Folder, Convert.ToHexStringLower(SHA256.HashData(content)), SearchOption.AllDirectories));
        Assert.Equal(content, (await alice.Download(second)).Ok().Bytes);
    }

    [Fact]
    public async Task What_something_refers_to_is_not_deleted()
    {
        var alice = await servers.First.NewUser();
        var content = RandomNumberGenerator.GetBytes(1000);
        var media = await alice.Upload(content);
        Assert.Equal(0, await DeleteOrphan(SHA256.HashData(content), TimeSpan.FromDays(1)));
        (await alice.Download(media)).Ok();
    }

    [Fact]
    public async Task What_nothing_refers_to_is_deleted_once_nobody_can_be_about_to()
    {
        var content = await Orphan();
        Assert.Equal(0, await DeleteOrphan(content, TimeSpan.Zero));
        Assert.True(await Stores.Primary.Has(content, Stop));
        Assert.Equal(1, await DeleteOrphan(content, MediaContentStore.Grace + TimeSpan.FromMinutes(1)));
        Assert.False(await Stores.Primary.Has(content, Stop));
    }

    [Fact]
    public async Task Who_brings_it_again_while_it_is_deleted_waits_and_keeps_it()
    {
        var content = RandomNumberGenerator.GetBytes(1000);
        var hash = await Orphan(content);
        var deleting = new TaskCompletionSource();
        var goOn = new TaskCompletionSource();
        var deletion = Contents.DeleteOrphans([hash], async (gone, ct) =>
        {
            deleting.SetResult();
            await goOn.Task;
            await Stores.Delete(gone, ct);
        }, DateTimeOffset.MaxValue, Stop);
        await deleting.Task;
        var alice = await servers.First.NewUser();
        var upload = alice.Upload(content);
        await Task.WhenAny(upload, Task.Delay(200, Stop));
        Assert.False(upload.IsCompleted);
        goOn.SetResult();
        Assert.Equal(1, await deletion);
        Assert.Equal(content, (await alice.Download(await upload)).Ok().Bytes);
    }

    async Task<byte[]> Orphan(byte[]? content = null)
    {
        using var bytes = new MemoryStream(content ?? RandomNumberGenerator.GetBytes(1000));
        var keeping = servers.First.Services.GetRequiredService<MediaKeeping>();
        return await keeping.Keep(bytes, 1000, kept => Task.FromResult(kept.Hash), Stop);
    }

    Task<int> DeleteOrphan(byte[] hash, TimeSpan later) =>
        Contents.DeleteOrphans([hash], Stores.Delete, TimeProvider.System.GetUtcNow() + later, Stop);
}
