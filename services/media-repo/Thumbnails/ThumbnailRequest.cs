using System.Globalization;
using Matrix.Http;
using Matrix.Storage.Media;

namespace Matrix.MediaRepo.Thumbnails;

/// <summary>The size that a client would like.</summary>
public readonly record struct ThumbnailRequest(int Width, int Height, ThumbnailMethod Method, bool Animated)
{
    /// <summary>Of what is made in any size.</summary>
    const int Largest = 2048;

    /// <exception cref="MatrixException">400: the query makes no sense.</exception>
    public static ThumbnailRequest From(IQueryCollection query) => new(
        Side(query, "width"),
        Side(query, "height"),
        query["method"].ToString() switch
        {
            "" or "scale" => ThumbnailMethod.Scale,
            "crop" => ThumbnailMethod.Crop,
            _ => throw MatrixException.InvalidParam("method must be crop or scale."),
        },
        query["animated"].ToString() switch
        {
            "true" => true,
            "" or "false" => false,
            _ => throw MatrixException.InvalidParam("animated must be true or false."),
        });

    /// <summary>
    /// The one of the sizes that is served: the smallest of the same method that is large enough; else one of the other method, because smaller than
    /// asked for is worse than cut differently; else the largest.
    /// </summary>
    public ThumbnailKey Choose(MediaOptions options)
    {
        var (width, height, method) = (Width, Height, Method);
        if (options.DynamicThumbnails)
            return Key(Math.Min(width, Largest), Math.Min(height, Largest), method);
        var size = options.ThumbnailSizes.OrderBy(size => size.Width < width || size.Height < height)
            .ThenBy(size => size.Width < width || size.Height < height ? -size.Width * size.Height : size.Method == method ? 0 : 1)
            .ThenBy(size => size.Width * size.Height)
            .First();
        return Key(size.Width, size.Height, size.Method);
    }

    ThumbnailKey Key(int width, int height, ThumbnailMethod method) =>
        new(width, height, method == ThumbnailMethod.Crop ? "crop" : "scale", Animated);

    static int Side(IQueryCollection query, string name)
    {
        var text = query[name].ToString();
        if (text.Length == 0)
            throw MatrixException.MissingParam(name);
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var side) && side > 0
            ? side
            : throw MatrixException.InvalidParam($"{name} must be a number above 0.");
    }
}
