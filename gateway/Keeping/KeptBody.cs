using System.Buffers;
using System.Runtime.InteropServices;
using Matrix.Hosting.Sending;
using Microsoft.Win32.SafeHandles;

namespace Matrix.Gateway.Keeping;

/// <summary>
/// The body of an answer, in a file that is nowhere but in memory (<c>memfd</c>): the kernel sends it without a copy in this process, the garbage collector has
/// nothing to do with it, its memory is given back at once, and once it is whole nobody can change it.
/// </summary>
sealed partial class KeptBody : IDisposable
{
    const int Block = 64 * 1024, Part = 1024 * 1024;
    const uint CloseOnExec = 1, AllowSealing = 2; // MFD_… of <linux/memfd.h>
    const int AddSeals = 1033, SealEverything = 1 | 2 | 4 | 8; // F_ADD_SEALS; F_SEAL_SEAL, _SHRINK, _GROW, _WRITE of <linux/fcntl.h>

    readonly FileStream _file;

    KeptBody(string target, string tag, long length, FileStream file) => (Target, Tag, Length, _file) = (target, tag, length, file);

    public string Target { get; }

    /// <summary>The ETag, strong: the same tag means the same bytes.</summary>
    public string Tag { get; }

    public long Length { get; }

    /// <summary>How many requests use it now; whoever counts, <see cref="KeptBodies"/>, ends it when nobody does.</summary>
    public int Users { get; set; }

    /// <summary>Takes over all bytes of an answer.</summary>
    /// <returns>Null, and nothing was read: the kernel has no memory to give, or knows no such files.</returns>
    /// <exception cref="HttpIOException">The answer ended too soon.</exception>
    public static async Task<KeptBody?> Receive(string target, string tag, long length, Stream from, CancellationToken ct)
    {
        using var memory = Create();
        if (memory is null) return null;
        var block = ArrayPool<byte>.Shared.Rent(Block);
        try
        {
            for (long at = 0; at < length;)
            {
                var read = await from.ReadAsync(block, ct);
                if (read == 0) throw new HttpIOException(HttpRequestError.ResponseEnded);
                RandomAccess.Write(memory, block.AsSpan(0, (int)Math.Min(read, length - at)), at);
                at += read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(block);
        }

        if (fcntl(memory, AddSeals, SealEverything) != 0) throw new IOException("What was received cannot be sealed.");
        // opened once more, because what sends files only takes those that were opened as asynchronous
        var name = $"/proc/self/fd/{memory.DangerousGetHandle()}";
        return new KeptBody(target, tag, length, new FileStream(name, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 0, FileOptions.Asynchronous));
    }

    /// <summary>Into a response whose length has been said, no faster than the client takes it. Any number may send it at once.</summary>
    public async Task Send(HttpContext context)
    {
        var (to, ct) = (context.Response.BodyWriter, context.RequestAborted);
        await context.StartBeforeBody(ct);
        for (long at = 0; at < Length;)
        {
            var part = (int)Math.Min(Length - at, Part);
            if (!context.TryWriteFile(_file, at, part))
            {
                part = RandomAccess.Read(_file.SafeFileHandle, to.GetSpan(Block)[..Math.Min(part, Block)], at);
                to.Advance(part);
            }

            at += part;
            if ((await to.FlushAsync(ct)).IsCompleted) return;
        }
    }

    public void Dispose() => _file.Dispose();

    static SafeFileHandle? Create()
    {
        var file = memfd_create("body", CloseOnExec | AllowSealing);
        return file < 0 ? null : new SafeFileHandle(file, ownsHandle: true);
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int memfd_create(string name, uint flags);

    [LibraryImport("libc")]
    private static partial int fcntl(SafeFileHandle file, int command, int argument);
}
