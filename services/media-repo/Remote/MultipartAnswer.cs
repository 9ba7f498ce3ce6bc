using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Matrix.MediaRepo.Remote;

/// <summary>What the other server sent: the media itself, or where it is.</summary>
sealed record RemotePart(Stream Body, string ContentType, string? FileName, Uri? Location)
{
    public static RemotePart Of(Stream body, string? contentType, string? disposition, Uri? location) =>
        new(body, MediaTypeHeaderValue.TryParse(contentType, out var type) ? type.ToString() : "application/octet-stream", NameIn(disposition), location);

    static string? NameIn(string? disposition)
    {
        if (!ContentDispositionHeaderValue.TryParse(disposition, out var parsed))
            return null;
        var name = parsed.FileNameStar.HasValue ? parsed.FileNameStar.Value : HeaderUtilities.RemoveQuotes(parsed.FileName).Value;
        return string.IsNullOrEmpty(name) || name.Length > 1000 || name.Contains('\0', StringComparison.Ordinal) ? null : name;
    }
}

/// <summary>
/// The two parts of a server's answer (Server-Server API, GET /_matrix/federation/v1/media/download): metadata, which says nothing yet, and the media.
/// </summary>
static class MultipartAnswer
{
    const int LongestBoundary = 200, MostMetadata = 64 * 1024;

    /// <exception cref="InvalidDataException">It is not what the specification says.</exception>
    public static async Task<RemotePart> Read(Stream body, string? contentType, CancellationToken ct)
    {
        if (!MediaTypeHeaderValue.TryParse(contentType, out var type) || !type.MediaType.Equals("multipart/mixed", StringComparison.OrdinalIgnoreCase)
            || HeaderUtilities.RemoveQuotes(type.Boundary) is not { Length: > 0 and <= LongestBoundary } boundary)
            throw new InvalidDataException("The answer is not of two parts.");
        var reader = new MultipartReader(boundary.Value!, body) { BodyLengthLimit = null };
        var metadata = await reader.ReadNextSectionAsync(ct) ?? throw new InvalidDataException("The answer has no part.");
        await Skip(metadata.Body, ct);
        var media = await reader.ReadNextSectionAsync(ct) ?? throw new InvalidDataException("The answer has one part.");
        Uri? location = null;
        if (media.Headers?.TryGetValue(HeaderNames.Location, out var elsewhere) == true && !Uri.TryCreate(elsewhere, UriKind.Absolute, out location))
            throw new InvalidDataException("The answer's Location is no address.");
        return RemotePart.Of(media.Body, media.ContentType, media.ContentDisposition, location);
    }

    static async Task Skip(Stream metadata, CancellationToken ct)
    {
        var (buffer, total) = (new byte[4096], 0);
        for (int read; (read = await metadata.ReadAsync(buffer, ct)) > 0;)
        {
            if ((total += read) > MostMetadata)
                throw new InvalidDataException("The metadata is too large.");
        }
    }
}
