using System.Globalization;
using Matrix.Federation;
using Matrix.Hosting;
using Matrix.Http;
using Matrix.MediaRepo.Remote;
using Matrix.Protocol;
using Matrix.Storage.Media;

namespace Matrix.MediaRepo.Serving;

/// <summary>Who asks for media.</summary>
/// <param name="WithToken">False for the old endpoints, which serve only media that is not <see cref="MediaRow.Authenticated"/>.</param>
/// <param name="Wait">How long to wait for bytes that are still to come.</param>
/// <param name="AllowRemote">Fetch it from the server that has it.</param>
/// <param name="Row">What was found with the session, at this moment; null: it has not been looked for, or was not there.</param>
public readonly record struct MediaRequest(ServerName Origin, string MediaId, bool WithToken, TimeSpan Wait, bool AllowRemote, MediaRow? Row = null)
{
    static readonly TimeSpan s_usual = TimeSpan.FromSeconds(20), s_longest = TimeSpan.FromMinutes(1);

    public static MediaRequest From(HttpContext context, ServerName origin, string mediaId, bool withToken)
    {
        var asked = context.Request.Query["timeout_ms"].ToString();
        var wait = s_usual;
        if (asked.Length > 0)
        {
            if (!long.TryParse(asked, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds))
                throw MatrixException.InvalidParam("timeout_ms must be a number of milliseconds.");
            wait = TimeSpan.FromMilliseconds(Math.Min(milliseconds, s_longest.TotalMilliseconds));
        }
        return new MediaRequest(origin, mediaId, withToken, wait, AllowRemote: context.Request.Query["allow_remote"] != "false");
    }
}

/// <summary>Finds media by its mxc URI: here, or on the server that has it; and waits for what was announced and has not come.</summary>
public sealed class MediaFinder(
    MediaStore store, RemoteMedia remote, MediaAccess access, ServerSigningKey own, MediaOptions options, Shutdown shutdown, TimeProvider time)
{
    static readonly TimeSpan s_firstPause = TimeSpan.FromMilliseconds(100), s_longestPause = TimeSpan.FromSeconds(1);

    /// <exception cref="MatrixException">404: there is none, or it may not be had; 504: its bytes have not come yet.</exception>
    public async Task<MediaRow> Get(MediaRequest request, CancellationToken ct)
    {
        var media = request.Row ?? await store.Find(request.Origin, request.MediaId, ct);
        if (media == null && request.Origin == own.ServerName)
            media = await WaitForUpload(request, ct);
        // what is fetched now is new, so who has no token would not get it
        else if (media == null && (request.WithToken || !options.EnableAuthenticatedMedia) && request.AllowRemote)
            media = await remote.Get(request.Origin, request.MediaId, request.Wait, ct);
        if (media == null || media.QuarantinedBy != null || (media.Authenticated && !request.WithToken))
            throw MatrixException.NotFound("No such media.");
        access.Read(request.Origin, request.MediaId, media);
        return media;
    }

    async Task<MediaRow?> WaitForUpload(MediaRequest request, CancellationToken ct)
    {
        var (since, pause) = (time.GetTimestamp(), s_firstPause);
        while (await store.IsPending(request.MediaId, time.GetUtcNow(), ct))
        {
            var left = request.Wait - time.GetElapsedTime(since);
            if (left <= TimeSpan.Zero || shutdown.Draining.IsCancellationRequested)
                throw new MatrixException(504, "M_NOT_YET_UPLOADED", "The media has not been uploaded yet.");
            await Pause(pause < left ? pause : left, ct);
            pause = pause * 2 < s_longestPause ? pause * 2 : s_longestPause;
            if (await store.Find(request.Origin, request.MediaId, ct) is { } media)
                return media;
        }
        // it may have come between the two looks
        return await store.Find(request.Origin, request.MediaId, ct);
    }

    async Task Pause(TimeSpan pause, CancellationToken ct)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, shutdown.Draining);
        await Task.Delay(pause, time, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        ct.ThrowIfCancellationRequested();
    }
}
