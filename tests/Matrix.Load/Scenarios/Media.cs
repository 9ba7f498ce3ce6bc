using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Matrix.Load.Scenarios;

/// <summary>Files that are uploaded once and downloaded often.</summary>
static class Media
{
    const int Workers = 8;

    // one point of a GIF: what is measured is the answer, not the picture
    static readonly byte[] s_picture = Convert.FromHexString("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b");

    public static IReadOnlyList<Scenario> All { get; } =
    [
        new("download-1mb", "a file of 1 MB", (crowd, ct) => Download(crowd, RandomNumberGenerator.GetBytes(1 << 20), "", ct)),
        new("download-10kb", "a file of 10 KB", (crowd, ct) => Download(crowd, RandomNumberGenerator.GetBytes(10 << 10), "", ct)),
        new("thumbnail-made", "a thumbnail that was made before", (crowd, ct) => Download(crowd, s_picture, "thumbnail", ct)),
        new("upload-1mb", "an upload of 1 MB", Upload),
    ];

    static async Task<Func<Measurement, Task>> Download(Crowd crowd, byte[] content, string kind, CancellationToken ct)
    {
        var user = (await crowd.Users(1, ct))[0];
        var media = await crowd.Client.Upload(user, content, kind.Length > 0 ? "image/gif" : "video/mp4", ct);
        var path = kind.Length > 0
            ? $"_matrix/client/v1/media/thumbnail/{media}?width=96&height=96&method=crop"
            : $"_matrix/client/v1/media/download/{media}";
        // once to look at, then to be thrown away
        var came = await crowd.Client.Get(user, path, ct);
        if (kind.Length == 0 && !came.SequenceEqual(content)) throw new LoadException($"{crowd.Client.Target.Name}: another file came back");
        return async measure =>
        {
            var connections = Enumerable.Range(0, Workers).Select(_ => new DiscardingConnection(crowd.Client.Target)).ToList();
            try
            {
                await measure.ClosedOnThreads(Workers, worker =>
                {
                    var length = connections[worker].Get(path, user.Token);
                    if (kind.Length == 0 && length != content.Length) throw new LoadException($"{crowd.Client.Target.Name}: {length} bytes of {content.Length} came");
                });
            }
            finally
            {
                connections.ForEach(connection => connection.Dispose());
            }
        };
    }

    static async Task<Func<Measurement, Task>> Upload(Crowd crowd, CancellationToken ct)
    {
        var user = (await crowd.Users(1, ct))[0];
        var content = RandomNumberGenerator.GetBytes(1 << 20);
        // no two are equal
        return measure => measure.Closed(4, (number, worker) =>
        {
            var mine = (byte[])content.Clone();
            BinaryPrimitives.WriteInt64LittleEndian(mine, ((long)worker << 32) | (uint)number);
            return crowd.Client.Upload(user, mine, "application/octet-stream", measure.Stop);
        });
    }
}
