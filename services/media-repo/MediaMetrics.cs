using System.Diagnostics.Metrics;

namespace Matrix.MediaRepo;

/// <summary>The meter <c>Matrix.MediaRepo</c>.</summary>
static class MediaMetrics
{
    static readonly Meter Meter = new("Matrix.MediaRepo");
    static readonly Counter<long> KeptFiles = Meter.CreateCounter<long>("matrix.media.kept", description: "Files that came into the media store");
    static readonly Counter<long> KeptBytes = Meter.CreateCounter<long>("matrix.media.kept.size", "By", "Bytes that came into the media store");
    static readonly Counter<long> Sent = Meter.CreateCounter<long>("matrix.media.sent.size", "By", "Bytes of media sent to clients and other servers");
    static readonly Histogram<double> Fetches = Meter.CreateHistogram<double>("matrix.media.fetch", "s", "Time of fetching one file from another server");
    static readonly Histogram<double> Thumbnails = Meter.CreateHistogram<double>("matrix.media.thumbnail", "s", "Time of making one thumbnail");

    static readonly KeyValuePair<string, object?> Fetched = new("outcome", "fetched"), Failed = new("outcome", "failed");

    /// <param name="from">upload, remote, thumbnail.</param>
    public static void Kept(string from, long bytes)
    {
        var tag = new KeyValuePair<string, object?>("from", from);
        KeptFiles.Add(1, tag);
        KeptBytes.Add(bytes, tag);
    }

    public static void WasSent(long bytes) => Sent.Add(bytes);

    public static void FetchTook(TimeSpan time, bool succeeded) => Fetches.Record(time.TotalSeconds, succeeded ? Fetched : Failed);

    public static void ThumbnailTook(TimeSpan time) => Thumbnails.Record(time.TotalSeconds);
}
