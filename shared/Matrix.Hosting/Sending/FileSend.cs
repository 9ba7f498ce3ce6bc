using System.Buffers;
using System.Net.Sockets;

namespace Matrix.Hosting.Sending;

/// <summary>A memory that stands for a part of a file: nobody reads it, but its length counts.</summary>
sealed class FilePart(FileStream file, long offset, int count) : MemoryManager<byte>
{
    public FileStream File => file;

    public long Offset => offset;

    public int Count => count;

    public override Memory<byte> Memory => CreateMemory(count);

    public override Span<byte> GetSpan() => throw NotThere();

    public override MemoryHandle Pin(int elementIndex = 0) => throw NotThere();

    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing)
    {
    }

    static NotSupportedException NotThere() => new("The bytes of the file are not in memory.");
}

/// <summary>The kernel sends a part of a file from its page cache (<c>sendfile</c>).</summary>
sealed class FileSend : SocketAsyncEventArgs
{
    readonly TaskCompletionSource _done = new();

    public FileSend(FilePart part)
        : base(true) => SendPacketsElements = [new SendPacketsElement(part.File, part.Offset, part.Count)];

    /// <returns>How many bytes were sent: fewer than wanted where the file ends.</returns>
    public async ValueTask<int> Run(Socket socket)
    {
        if (socket.SendPacketsAsync(this)) await _done.Task;
        return SocketError == SocketError.Success ? BytesTransferred : throw new SocketException((int)SocketError);
    }

    protected override void OnCompleted(SocketAsyncEventArgs e) => _done.SetResult();
}
