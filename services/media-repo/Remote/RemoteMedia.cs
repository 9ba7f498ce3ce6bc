using System.Globalization;
using Matrix.Federation;
using Matrix.Http;
using Matrix.MediaRepo.Fetching;
using Matrix.Protocol;
using Matrix.Storage.Media;

namespace Matrix.MediaRepo.Remote;

/// <summary>
/// Media of other servers: fetched when first asked for, once for all who wait on all replicas, and kept like our own. From the endpoint for servers;
/// where that does not exist yet, from the old one for everybody.
/// </summary>
public sealed partial class RemoteMedia(FederationClient client, SharedWork work, MediaStore store, MediaKeeping keeping, RemoteRedirects redirects,
    MediaOptions options, TimeProvider time, ILogger<RemoteMedia> logger)
{
    static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2), s_request = TimeSpan.FromSeconds(100);

    readonly HashSet<string> _forbidden = new(options.PreventMediaDownloadsFrom, StringComparer.OrdinalIgnoreCase);

    /// <param name="wait">How long the other server may wait for bytes that have not come to it yet.</param>
    /// <exception cref="MatrixException">404: it has none; 502, 504: it could not be had.</exception>
    public Task<MediaRow> Get(ServerName origin, string mediaId, TimeSpan wait, CancellationToken ct)
    {
        if (_forbidden.Contains(origin.ToString()) || !client.Allows(origin) || !MxcUri.TryParse($"mxc://{origin}/{mediaId}", out var uri))
            throw MatrixException.NotFound("No such media.");
        return work.Get($"remote:{uri}", s_patience, token => store.Find(origin, mediaId, token), token => Fetch(uri, wait, token), ct);
    }

    async Task<MediaRow> Fetch(MxcUri uri, TimeSpan wait, CancellationToken ct)
    {
        var (began, succeeded) = (time.GetTimestamp(), false);
        try
        {
            await using var stream = await Open(uri, wait, ct);
            var media = await Keep(uri, stream.Part, ct);
            succeeded = true;
            MediaMetrics.Kept("remote", media.Size);
            return media;
        }
        catch (FederationException e)
        {
            NotFetched(uri, e.Message);
            throw Refusal(e);
        }
        catch (ContentTooLargeException)
        {
            throw new MatrixException(502, "M_TOO_LARGE", "The media is larger than this server keeps.");
        }
        catch (Exception e) when (e is InvalidDataException or FetchException or IOException or HttpRequestException)
        {
            NotFetched(uri, e.Message);
            throw new MatrixException(502, "M_UNKNOWN", "The other server's answer was not good.");
        }
        finally
        {
            MediaMetrics.FetchTook(time.GetElapsedTime(began), succeeded);
        }
    }

    async Task<MediaRow> Keep(MxcUri uri, RemotePart part, CancellationToken ct)
    {
        if (part.Location is { } elsewhere)
        {
            await using var fetched = await redirects.Http.Get(elsewhere, null, null, ct);
            var type = fetched.ContentType ?? part.ContentType;
            var disposition = fetched.Response.Content.Headers.ContentDisposition?.ToString();
            var moved = RemotePart.Of(fetched.Body, type, disposition, null);
            return await Keep(uri, moved.FileName == null ? moved with { FileName = part.FileName } : moved, ct);
        }
        return await keeping.Keep(part.Body, options.RemoteLimit, async kept =>
        {
            var media = new NewMedia(kept.Hash, kept.Size, part.ContentType, part.FileName, null, options.EnableAuthenticatedMedia);
            await store.Insert(uri, media, time.GetUtcNow(), ct);
            return await store.Find(uri.Server, uri.MediaId, ct) ?? throw MatrixException.NotFound("No such media.");
        }, ct);
    }

    async Task<OpenPart> Open(MxcUri uri, TimeSpan wait, CancellationToken ct)
    {
        var request = new FederationRequest { Timeout = s_request, MaxBytes = options.RemoteLimit + (1 << 20) };
        var (id, milliseconds) = (Uri.EscapeDataString(uri.MediaId), ((long)wait.TotalMilliseconds).ToString(CultureInfo.InvariantCulture));
        try
        {
            var stream = await client.Open(uri.Server, HttpMethod.Get, $"/_matrix/federation/v1/media/download/{id}?timeout_ms={milliseconds}", null, ct, request);
            return await OpenPart.Of(stream, body => MultipartAnswer.Read(body, stream.Headers.ContentType?.ToString(), ct));
        }
        catch (FederationException e) when (e.Failure == FederationFailure.Refused && e.Status is 400 or 404 or 405 && e.Errcode is null or "M_UNRECOGNIZED")
        {
            // a server from before authenticated media
            var path = $"/_matrix/media/v3/download/{Uri.EscapeDataString(uri.Server.ToString())}/{id}?allow_remote=false&timeout_ms={milliseconds}";
            var stream = await client.Open(uri.Server, HttpMethod.Get, path, null, ct, request);
            var headers = stream.Headers;
            return await OpenPart.Of(stream, body => Task.FromResult(
                RemotePart.Of(body, headers.ContentType?.ToString(), headers.ContentDisposition?.ToString(), null)));
        }
    }

    static MatrixException Refusal(FederationException e) => e switch
    {
        { Failure: FederationFailure.TooLarge } => new MatrixException(502, "M_TOO_LARGE", "The media is larger than this server keeps."),
        { Errcode: "M_TOO_LARGE" } => new MatrixException(502, "M_TOO_LARGE", "The media is too large for the other server."),
        { Errcode: "M_NOT_YET_UPLOADED" } => new MatrixException(504, "M_NOT_YET_UPLOADED", "The media has not been uploaded yet."),
        { Failure: FederationFailure.Forbidden } or { Failure: FederationFailure.Refused, Status: 403 or 404 or 410 } => MatrixException.NotFound("No such media."),
        { Failure: FederationFailure.TimedOut } => new MatrixException(504, "M_UNKNOWN", "The other server did not answer in time."),
        _ => new MatrixException(502, "M_UNKNOWN", "The other server could not be asked."),
    };

    [LoggerMessage(Level = LogLevel.Information, Message = "{Media} could not be fetched: {Reason}")]
    partial void NotFetched(MxcUri media, string reason);

    /// <summary>What is read, and what ends with it.</summary>
    sealed class OpenPart(FederationStream stream, RemotePart part) : IAsyncDisposable
    {
        public RemotePart Part => part;

        public static async Task<OpenPart> Of(FederationStream stream, Func<Stream, Task<RemotePart>> read)
        {
            try
            {
                return new OpenPart(stream, await read(stream.Body));
            }
            catch
            {
                await stream.DisposeAsync();
                throw;
            }
        }

        public ValueTask DisposeAsync() => stream.DisposeAsync();
    }
}

/// <summary>Fetches what other servers say lies elsewhere, from where federation may connect to.</summary>
public sealed class RemoteRedirects(Microsoft.Extensions.Options.IOptions<FederationOptions> options, Names names) : IDisposable
{
    public SafeHttp Http { get; } = new(new AddressRanges(options.Value.IpRangeBlacklist, options.Value.IpRangeWhitelist), names);

    public void Dispose() => Http.Dispose();
}
