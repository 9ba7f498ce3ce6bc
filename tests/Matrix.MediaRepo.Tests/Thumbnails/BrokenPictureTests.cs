using System.Text;

namespace Matrix.MediaRepo.Tests.Thumbnails;

/// <summary>Pictures that are none, that are broken, and that are made to hurt: each ends as a plain error, costs little, and harms nobody.</summary>
public sealed class BrokenPictureTests(MediaServers servers)
{
    public static TheoryData<string> Broken => [.. s_broken.Keys];

    static readonly Dictionary<string, Func<byte[]>> s_broken = new()
    {
        ["empty"] = () => [],
        ["text"] = () => Encoding.UTF8.GetBytes("this is no picture"),
        ["svg"] = () => Encoding.UTF8.GetBytes("<svg xmlns='http://www.w3.org/2000/svg' width='10' height='10'><rect width='10' height='10'/></svg>"),
        ["tiff"] = () => [.. "II*\0"u8, .. new byte[500]],
        ["avif"] = () => [0, 0, 0, 28, .. "ftypavif"u8, .. new byte[500]],
        ["jpeg of nothing"] = () => [0xff, 0xd8, 0xff, 0xe0],
        ["jpeg cut off"] = () => Pictures.Jpeg(500, 500)[..9000],
        ["jpeg with noise"] = () => Noisy(Pictures.Jpeg(500, 500), 600),
        ["png of nothing"] = () => Pictures.Png(10, 10)[..20],
        ["png cut off"] = () => Pictures.Png(500, 500)[..9000],
        ["png with noise"] = () => Noisy(Pictures.Png(500, 500), 300),
        ["webp of nothing"] = () => Pictures.Webp(10, 10)[..16],
        ["webp cut off"] = () => Pictures.Webp(500, 500)[..4000],
        ["gif of nothing"] = () => [.. "GIF89a"u8],
        ["gif cut off in its header"] = () => Pictures.AnimatedGif(100, 100, 1)[..400],
        ["gif of zero size"] = () => [.. "GIF89a"u8, 0, 0, 0, 0, 0, 0, 0, 0x3b],
        ["png bomb"] = () => Pictures.BombPng(50_000, 50_000),
        ["png bomb within the limit of pixels that ends early"] = () => Pictures.BombPng(5_000, 6_000),
        ["gif bomb"] = () => [.. "GIF89a"u8, 0xff, 0xff, 0xff, 0xff, 0x80, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0x2c, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 2, 2, 0x4c, 1, 0, 0x3b],
    };

    [Theory, MemberData(nameof(Broken))]
    public async Task A_broken_picture_is_refused_and_the_next_good_one_is_not(string kind)
    {
        var alice = await servers.First.NewUser();
        var broken = await alice.Upload(s_broken[kind](), "image/png");
        foreach (var animated in new[] { "", "&animated=true" })
        {
            var reply = await alice.Thumbnail(broken, 96, 96, animated);
            Assert.True((int)reply.Status is 400 or 413 && reply.Errcode is "M_UNKNOWN" or "M_TOO_LARGE", reply.ToString());
        }
        (await alice.Download(broken)).Ok();
        (await alice.Thumbnail(await alice.Upload(s_good, "image/png"), 96, 96)).Ok();
    }

    // the header stays whole
    static byte[] Noisy(byte[] picture, int from)
    {
        for (var i = from; i < picture.Length; i += 7)
            picture[i] ^= 0x5a;
        return picture;
    }

    static readonly byte[] s_good = Pictures.Png(120, 120);
}
