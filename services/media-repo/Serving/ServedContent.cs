using System.Globalization;
using System.IO.Pipelines;
using Matrix.Hosting.Sending;
using Matrix.Storage.Media;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Matrix.MediaRepo.Serving;

/// <summary>What is sent, and as what.</summary>
/// <param name="FileName">Null: the answer names none.</param>
/// <param name="Authenticated">Caches that several people use may not keep it.</param>
public sealed record ServedContent(byte[] Hash, long Size, string ContentType, string? FileName, bool Authenticated)
{
    // what browsers may show without letting a file act as a page of this server (Client-Server API, Serving inline content)
    static readonly HashSet<string> s_inline = new(StringComparer.OrdinalIgnoreCase)
    {
        "text/css", "text/plain", "text/csv", "application/json", "application/ld+json", "image/jpeg", "image/gif", "image/png", "image/apng",
        "image/webp", "image/avif", "video/mp4", "video/webm", "video/ogg", "video/quicktime", "audio/mp4", "audio/webm", "audio/aac", "audio/mpeg",
        "audio/ogg", "audio/wave", "audio/wav", "audio/x-wav", "audio/x-pn-wav", "audio/flac", "audio/x-flac",
    };

    /// <summary>The header Content-Disposition.</summary>
    public string Disposition
    {
        get
        {
            var type = MediaTypeHeaderValue.TryParse(ContentType, out var parsed) ? parsed.MediaType.Value! : ContentType;
            var disposition = new ContentDispositionHeaderValue(s_inline.Contains(type) ? "inline" : "attachment");
            if (FileName != null)
                disposition.SetHttpFileName(FileName);
            return disposition.ToString();
        }
    }
}

/// <summary>Sends content as the specification wants it served, whole or in part, or says that the client has it already. Nothing is held in memory.</summary>
public sealed class ContentSender(ContentStores stores)
{
    const int ChunkSize = 128 * 1024, SmallestSent = 64 * 1024, FilePart = 1024 * 1024;

    const string ContentSecurityPolicy =
        "sandbox; default-src 'none'; script-src 'none'; plugin-types application/pdf; style-src 'unsafe-inline'; object-src 'self';";

    public async Task Send(HttpContext context, ServedContent content, CancellationToken ct)
    {
        var (request, response) = (context.Request, context.Response);
        // the content of a hash never changes, so its hash is the tag, and what a client has it may keep
        var tag = $"\"{Convert.ToHexStringLower(content.Hash)}\"";
        SetHeaders(response.Headers, content, tag);
        if (HasTag(request.Headers.IfNoneMatch, tag))
        {
            // the gateway, which may have the bytes, answers with the headers of now (gateway/Keeping)
            response.ContentType = content.ContentType;
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }
        if (HttpMethods.IsHead(request.Method))
        {
            (response.ContentType, response.ContentLength) = (content.ContentType, content.Size);
            return;
        }
        if (stores.Primary.SignedUrl(content.Hash, content.ContentType, content.Disposition) is { } elsewhere && await stores.Primary.Has(content.Hash, ct))
        {
            response.Headers.CacheControl = "no-store"; // the address is good for minutes
            response.Headers.Location = elsewhere.AbsoluteUri;
            response.StatusCode = StatusCodes.Status307TemporaryRedirect;
            return;
        }
        var (offset, length) = (0L, content.Size);
        if (request.Headers.Range.Count > 0 && (request.Headers.IfRange.Count == 0 || request.Headers.IfRange == tag)
            && ByteRanges.Find(request.Headers.Range.ToString(), content.Size) is { } part)
        {
            if (part.Length == 0)
            {
                response.Headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes */{content.Size}");
                response.StatusCode = StatusCodes.Status416RangeNotSatisfiable;
                return;
            }
            (offset, length) = part;
            response.Headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes {offset}-{offset + length - 1}/{content.Size}");
            response.StatusCode = StatusCodes.Status206PartialContent;
        }
        response.ContentType = content.ContentType;
        await using var bytes = await Open(content.Hash, offset, length, ct);
        response.ContentLength = length;
        await Copy(bytes, context, length, ct);
        MediaMetrics.WasSent(length);
    }

    /// <exception cref="FileNotFoundException">The media store has lost it.</exception>
    public async Task<Stream> Open(byte[] hash, long offset, long? length, CancellationToken ct) => await stores.Open(hash, offset, length, ct)
        ?? throw new FileNotFoundException($"The media store has lost {Convert.ToHexStringLower(hash)}.");

    /// <summary>Into a response whose length has been said, no faster than the client takes it: a file by the kernel, else through the connection's own buffer.</summary>
    public static async Task Copy(Stream from, HttpContext context, long length, CancellationToken ct)
    {
        if (length == 0)
            return;
        var to = context.Response.BodyWriter;
        await context.StartBeforeBody(ct);
        if (length >= SmallestSent && from is FileStream file)
        {
            var at = file.Position;
            if (RandomAccess.GetLength(file.SafeFileHandle) < at + length)
                throw TooShort();
            for (int part; length > 0 && context.TryWriteFile(file, at, part = (int)Math.Min(length, FilePart)); at += part, length -= part)
            {
                if ((await to.FlushAsync(ct)).IsCompleted)
                    return;
            }
            file.Position = at;
        }
        await CopyBytes(from, to, length, ct);
    }

    static async Task CopyBytes(Stream from, PipeWriter to, long length, CancellationToken ct)
    {
        while (length > 0)
        {
            var buffer = to.GetMemory(ChunkSize);
            // a file's asynchronous read only moves the same read to another thread: what is popular is in memory, so it costs more than it saves
            var wanted = buffer[..(int)Math.Min(buffer.Length, length)];
            var read = from is FileStream ? from.Read(wanted.Span) : await from.ReadAsync(wanted, ct);
            if (read == 0)
                throw TooShort();
            to.Advance(read);
            length -= read;
            if ((await to.FlushAsync(ct)).IsCompleted)
                return;
        }
    }

    static EndOfStreamException TooShort() => new("The media store has fewer bytes than were stored.");

    static void SetHeaders(IHeaderDictionary headers, ServedContent content, string tag)
    {
        headers.ETag = tag;
        headers.AcceptRanges = "bytes";
        headers.ContentDisposition = content.Disposition;
        headers.ContentSecurityPolicy = ContentSecurityPolicy;
        headers["Cross-Origin-Resource-Policy"] = "cross-origin";
        headers.XContentTypeOptions = "nosniff";
        headers.CacheControl = content.Authenticated ? "private, max-age=86400, immutable" : "public, max-age=86400, immutable";
    }

    static bool HasTag(StringValues header, string tag)
    {
        foreach (var line in header)
        {
            foreach (var known in line.AsSpan().Split(','))
            {
                var text = line.AsSpan()[known].Trim();
                if (text.SequenceEqual("*") || (text.StartsWith("W/") ? text[2..] : text).SequenceEqual(tag))
                    return true;
            }
        }
        return false;
    }
}

/// <summary>The header Range, of one range (RFC 9110, section 14).</summary>
static class ByteRanges
{
    /// <returns>Null to send everything: no range that we know, or several. A length of 0: there is nothing there.</returns>
    public static (long Offset, long Length)? Find(string header, long size)
    {
        if (!RangeHeaderValue.TryParse(header, out var parsed) || parsed.Unit != "bytes" || parsed.Ranges.Count != 1)
            return null;
        var range = parsed.Ranges.First();
        if (range.From is not { } from)
            return range.To is { } last ? (size - Math.Min(last, size), Math.Min(last, size)) : null;
        return from >= size ? (0, 0) : (from, Math.Min(range.To ?? size - 1, size - 1) - from + 1);
    }
}
