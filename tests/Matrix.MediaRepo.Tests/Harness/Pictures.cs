using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using NetVips;

namespace Matrix.MediaRepo.Tests;

/// <summary>Pictures made for a test: no two of them are equal unless they are the same size.</summary>
static class Pictures
{
    /// <summary>A gradient with a grain, as a photograph has.</summary>
    public static Image Photo(int width, int height)
    {
        using var x = Image.Xyz(width, height);
        using var slope = x.Bandmean() * (255.0 / (width + height));
        using var noise = Image.Gaussnoise(width, height, sigma: 12, mean: 0);
        using var grey = (slope + noise).Cast(Enums.BandFormat.Uchar);
        using var inverted = grey.Invert();
        return grey.Bandjoin(inverted, grey).Copy(interpretation: Enums.Interpretation.Srgb);
    }

    public static byte[] Jpeg(int width, int height)
    {
        using var photo = Photo(width, height);
        return photo.JpegsaveBuffer(q: 85);
    }

    public static byte[] Png(int width, int height)
    {
        using var photo = Photo(width, height);
        return photo.PngsaveBuffer();
    }

    public static byte[] TransparentPng(int width, int height)
    {
        using var photo = Photo(width, height);
        using var alpha = Image.Black(width, height) + 100;
        using var both = photo.Bandjoin(alpha.Cast(Enums.BandFormat.Uchar)).Copy(interpretation: Enums.Interpretation.Srgb);
        return both.PngsaveBuffer();
    }

    public static byte[] Webp(int width, int height)
    {
        using var photo = Photo(width, height);
        return photo.WebpsaveBuffer(q: 80);
    }

    /// <summary>As a camera that is held upright writes it: lying, with a note that says so.</summary>
    public static byte[] TurnedJpeg(int width, int height)
    {
        using var photo = Photo(width, height);
        using var turned = photo.Mutate(image => image.Set(GValue.GIntType, "orientation", 6));
        return turned.JpegsaveBuffer(keep: Enums.ForeignKeep.All);
    }

    public static byte[] AnimatedGif(int width, int height, int frames)
    {
        using var photo = Photo(width, height * frames);
        using var pages = photo.Mutate(image => image.Set(GValue.GIntType, "page-height", height));
        return pages.GifsaveBuffer(keep: Enums.ForeignKeep.All, keepDuplicateFrames: true);
    }

    /// <summary>A PNG that says it has so many pixels; a few kilobytes that become gigabytes.</summary>
    public static byte[] BombPng(int width, int height)
    {
        using var png = new MemoryStream();
        png.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10]);
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9]) = (8, 2);
        WriteChunk(png, "IHDR"u8, header);
        using var zeros = new MemoryStream();
        using (var zlib = new ZLibStream(zeros, CompressionLevel.Fastest, leaveOpen: true))
        {
            var row = new byte[1 << 20];
            for (var i = 0; i < 64; i++)
                zlib.Write(row);
        }
        WriteChunk(png, "IDAT"u8, zeros.ToArray());
        WriteChunk(png, "IEND"u8, []);
        return png.ToArray();
    }

    public static (int Width, int Height, int Pages, bool HasExif) Look(byte[] bytes)
    {
        using var image = Image.NewFromBuffer(bytes);
        var pages = image.Contains("n-pages") ? (int)image.Get("n-pages") : 1;
        return (image.Width, image.Height, pages, image.Contains("exif-data"));
    }

    static void WriteChunk(Stream png, ReadOnlySpan<byte> name, ReadOnlySpan<byte> data)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        png.Write(number);
        png.Write(name);
        png.Write(data);
        var crc = new Crc32();
        crc.Append(name);
        crc.Append(data);
        BinaryPrimitives.WriteUInt32BigEndian(number, crc.GetCurrentHashAsUInt32());
        png.Write(number);
    }
}
