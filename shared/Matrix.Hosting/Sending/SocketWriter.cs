using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Matrix.Hosting.Sending;

/// <summary>
/// Writes a connection's answers straight to its socket. Kestrel's own way is a pipe of 4 KiB blocks that another thread empties: for a file of
/// 1 MB that is one copy and hundreds of blocks more, and there is no place in it for what the kernel could send from a file by itself.
/// A flush ends when the kernel has taken everything, so there is never more in memory than was written since the last one.
/// </summary>
[SuppressMessage("Reliability", "CA1001", Justification = "A part of a file owns nothing.")]
sealed class SocketWriter(Socket socket, ConnectionContext connection) : PipeWriter
{
    const int SmallBlock = 4 * 1024, LargeBlock = 64 * 1024;

    List<Piece> _pieces = [];
    byte[]? _block;
    int _used;
    long _unflushed;
    bool _closed, _manyBytes, _holdsBack;
    FilePart? _offered;

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => _unflushed;

    /// <summary>Puts itself in the place of the pipe. Whatever comes after it, such as TLS, writes to it.</summary>
    public static ConnectionDelegate Attach(ConnectionDelegate next) => async connection =>
    {
        if (connection.Features.Get<IConnectionSocketFeature>()?.Socket is not { } socket)
        {
            await next(connection);
            return;
        }

        LocalConnection.Accepted(socket);
        var pipe = connection.Transport;
        var writer = new SocketWriter(socket, connection);
        connection.Transport = new Duplex(pipe.Input, writer);
        connection.Features.Set(writer);
        try
        {
            await next(connection);
        }
        finally
        {
            connection.Transport = pipe; // whose end lets the socket be closed
            writer.Complete();
        }
    };

    /// <summary>What is flushed by this leaves with the next flush.</summary>
    public async ValueTask HoldBack(Func<Task> flush)
    {
        _holdsBack = true;
        try
        {
            await flush();
        }
        finally
        {
            _holdsBack = false;
        }
    }

    /// <summary>Adds a part of a file to a response's body, if that body is written here as it is.</summary>
    public bool TryAdd(PipeWriter body, FileStream file, long offset, int count)
    {
        _offered = new FilePart(file, offset, count);
        // through the body, because that counts what is written: it is handed a memory that stands for the file, and gives it back as written
        var memory = body.GetMemory(count);
        var isOurs = MemoryMarshal.TryGetMemoryManager<byte, FilePart>(memory, out var given) && ReferenceEquals(given, _offered);
        if (isOurs) body.Advance(count);
        _offered = null;
        return isOurs;
    }

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        if (_offered != null) return _offered.Memory;
        var wanted = Math.Max(sizeHint, 1);
        if (_block != null && _block.Length - _used < wanted) EndBlock();
        if (_block == null)
        {
            var size = _manyBytes || _pieces.Count > 0 ? LargeBlock : SmallBlock;
            (_block, _used) = (ArrayPool<byte>.Shared.Rent(Math.Max(wanted, size)), 0);
        }

        return _block.AsMemory(_used);
    }

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override void Advance(int bytes)
    {
        _unflushed += bytes;
        if (_offered == null)
        {
            _used += bytes;
            return;
        }

        EndBlock();
        _pieces.Add(new Piece(default, _offered));
    }

    // What was begun is sent whatever the token says: half an answer on the connection would spoil the next one. Kestrel's limits of time end the
    // connection of a client that does not take it.
    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        if (_holdsBack && !_closed) return new ValueTask<FlushResult>(new FlushResult(isCanceled: false, isCompleted: false));
        EndBlock();
        if (_pieces.Count == 0 || _closed)
        {
            Drop();
            return new ValueTask<FlushResult>(new FlushResult(isCanceled: false, isCompleted: _closed));
        }

        (_manyBytes, _unflushed) = (_unflushed > SmallBlock * 2, 0);
        return Flush();
    }

    // a flush ends with the connection: nothing waits here for anything else
    public override void CancelPendingFlush()
    {
    }

    public override void Complete(Exception? exception = null)
    {
        _closed = true;
        EndBlock();
        Drop();
    }

    async ValueTask<FlushResult> Flush()
    {
        var pieces = _pieces;
        _pieces = [];
        var isMixed = pieces.Count > 1 && pieces[^1].File != null;
        try
        {
            if (isMixed) Cork(1); // the head leaves with the file's first bytes, and wakes nobody by itself
            for (var i = 0; i < pieces.Count;)
            {
                if (pieces[i].File is { } file)
                {
                    await Send(file);
                    i++;
                    continue;
                }

                var end = i + 1;
                while (end < pieces.Count && pieces[end].File == null) end++;
                await Send(pieces, i, end);
                i = end;
            }

            if (isMixed) Cork(0);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            _closed = true; // the client has gone: the reading side says so
        }
        finally
        {
            foreach (var piece in pieces) Return(piece);
        }

        pieces.Clear();
        if (_pieces.Count == 0) _pieces = pieces;
        return new FlushResult(isCanceled: false, isCompleted: _closed);
    }

    // tcp(7), TCP_CORK: what does not fill a packet waits for what follows
    void Cork(int on)
    {
        if (OperatingSystem.IsLinux()) socket.SetRawSocketOption(6, 3, MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in on)));
    }

    async ValueTask Send(List<Piece> pieces, int start, int end)
    {
        if (end - start == 1) await socket.SendAsync(pieces[start].Bytes.AsMemory(), SocketFlags.None);
        else await socket.SendAsync(pieces.GetRange(start, end - start).ConvertAll(piece => piece.Bytes), SocketFlags.None);
    }

    async ValueTask Send(FilePart part)
    {
        using var sending = new FileSend(part);
        if (await sending.Run(socket) == part.Count) return;
        _closed = true;
        connection.Abort(new ConnectionAbortedException("The file that was being sent has become shorter."));
    }

    void EndBlock()
    {
        if (_block == null) return;
        var piece = new Piece(new ArraySegment<byte>(_block, 0, _used), null);
        if (_used > 0) _pieces.Add(piece);
        else Return(piece);
        _block = null;
    }

    void Drop()
    {
        foreach (var piece in _pieces) Return(piece);
        _pieces.Clear();
        _unflushed = 0;
    }

    static void Return(Piece piece)
    {
        if (piece.Bytes.Array is { } block) ArrayPool<byte>.Shared.Return(block);
    }

    readonly record struct Piece(ArraySegment<byte> Bytes, FilePart? File);

    sealed class Duplex(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}
