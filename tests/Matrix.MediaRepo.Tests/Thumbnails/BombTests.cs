namespace Matrix.MediaRepo.Tests.Thumbnails;

/// <summary>A few bytes that would be gigabytes as a picture. What is counted is the memory of the whole process, so nothing else may be running in it.</summary>
[Collection(Alone)]
public sealed class BombTests(MediaServers servers)
{
    const string Alone = "not beside other tests";

    [CollectionDefinition(Alone, DisableParallelization = true)]
    public class NotBesideOthers;

    [Fact]
    public async Task A_bomb_costs_no_memory()
    {
        var alice = await servers.First.NewUser();
        var bomb = await alice.Upload(Pictures.BombPng(60_000, 60_000), "image/png");
        (await alice.Thumbnail(await alice.Upload(Pictures.Png(120, 120), "image/png"), 96, 96)).Ok();
        var before = Environment.WorkingSet;
        var replies = await Task.WhenAll(Enumerable.Range(1, 20).Select(i => alice.Thumbnail(bomb, i * 10, i * 10)));
        Assert.All(replies, reply => reply.Refused(413, "M_TOO_LARGE"));
        var grown = Environment.WorkingSet - before;
        Assert.True(grown < 64 << 20, $"grown by {grown >> 20} MiB");
    }
}
