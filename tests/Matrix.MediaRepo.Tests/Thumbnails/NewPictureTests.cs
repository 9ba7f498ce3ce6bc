using Matrix.MediaRepo.Images;
using NetVips;

namespace Matrix.MediaRepo.Tests.Thumbnails;

/// <summary>What is made of a picture as soon as it is uploaded.</summary>
public sealed class NewPictureTests(MediaServers servers)
{
    const string Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~";

    [Fact]
    public async Task A_blurhash_is_told_to_who_asks_for_it()
    {
        var alice = await servers.First.NewUser();
        using var half = Image.Black(100, 80);
        using var red = half.Bandjoin(0, 0).Linear([1, 1, 1], [220, 20, 20]).Cast(Enums.BandFormat.Uchar);
        using var blue = half.Bandjoin(0, 0).Linear([1, 1, 1], [20, 20, 220]).Cast(Enums.BandFormat.Uchar);
        using var both = red.Join(blue, Enums.Direction.Horizontal).Copy(interpretation: Enums.Interpretation.Srgb);
        var hash = await Blurhash(alice, both.PngsaveBuffer(), "image/png");
        Assert.Equal(28, hash!.Length);
        var ((leftR, leftG, leftB), (rightR, rightG, rightB)) = (Decode(hash, 0.2), Decode(hash, 0.8));
        Assert.True(leftR > 0.4 && leftB < 0.15 && rightB > 0.4 && rightR < 0.15, $"{hash} shows {Decode(hash, 0.2)} and {Decode(hash, 0.8)}.");
        Assert.True(leftG < 0.1 && rightG < 0.1);

        Assert.Null(await Blurhash(alice, "no picture"u8.ToArray(), "image/png"));
        Assert.Null(await Blurhash(alice, "no picture"u8.ToArray(), "text/plain"));
        Assert.NotNull(await Blurhash(alice, Pictures.TransparentPng(40, 90), "image/png"));
    }

    [Fact]
    public void A_blurhash_of_one_colour_is_known()
    {
        var white = new byte[3 * 16 * 8];
        Array.Fill(white, (byte)255);
        Assert.StartsWith("L", BlurHash.Of(white, 16, 8)); // four frequencies across, three down
        Assert.Equal((1, 1, 1), Round(Decode(BlurHash.Of(white, 16, 8), 0.5)));
        Assert.Equal((0, 0, 0), Round(Decode(BlurHash.Of(new byte[3 * 16 * 8], 16, 8), 0.5)));
    }

    static (int, int, int) Round((double R, double G, double B) colour) => ((int)Math.Round(colour.R), (int)Math.Round(colour.G), (int)Math.Round(colour.B));

    static async Task<string?> Blurhash(ApiClient user, byte[] content, string type)
    {
        using var body = MediaUser.Content(content, type);
        var reply = (await user.Post("/_matrix/media/v3/upload?xyz.amorgan.generate_blurhash=true", body)).Ok();
        return reply.Json.TryGetProperty("xyz.amorgan.blurhash", out var hash) ? hash.GetString() : null;
    }

    /// <summary>The linear colour in the middle of the height, as a client would show it.</summary>
    static (double R, double G, double B) Decode(string hash, double x)
    {
        int Value(int at, int length) => hash.Substring(at, length).Aggregate(0, (value, digit) => (value * 83) + Digits.IndexOf(digit, StringComparison.Ordinal));
        var (across, down, most) = ((Value(0, 1) % 9) + 1, (Value(0, 1) / 9) + 1, (Value(1, 1) + 1) / 166.0);
        double Linear(int value) => value / 255.0 is var v && v <= 0.04045 ? v / 12.92 : Math.Pow((v + 0.055) / 1.055, 2.4);
        double Step(int step) => (step - 9) / 9.0 is var v ? Math.Sign(v) * v * v * most : 0;
        var colour = (R: Linear(Value(2, 4) >> 16), G: Linear((Value(2, 4) >> 8) & 255), B: Linear(Value(2, 4) & 255));
        for (var i = 1; i < across * down; i++)
        {
            var weight = Math.Cos(Math.PI * x * (i % across)) * Math.Cos(Math.PI * 0.5 * (i / across));
            var value = Value(4 + (2 * i), 2);
            colour = (colour.R + (weight * Step(value / 361)), colour.G + (weight * Step(value / 19 % 19)), colour.B + (weight * Step(value % 19)));
        }
        return colour;
    }
}
