using System.Buffers.Text;
using System.Net.Sockets;

namespace Matrix.EndToEnd.Tests.Chaos;

/// <summary>
/// One connection of the load, which costs the machine as little as can be: it shares the processors with the server that is measured. It sends one request
/// after the other as bytes, and of an answer reads the status, whether it says when to come again, and where it ends.
/// </summary>
sealed class LoadConnection : IDisposable
{
    readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    readonly byte[] _buffer = new byte[16 * 1024];

    public static async Task<LoadConnection> Open(Uri server, CancellationToken ct)
    {
        var connection = new LoadConnection();
        await connection._socket.ConnectAsync(server.Host, server.Port, ct);
        return connection;
    }

    public async Task<(int Status, bool SaysWhen)> Exchange(ReadOnlyMemory<byte> request, CancellationToken ct)
    {
        await _socket.SendAsync(request, SocketFlags.None, ct);
        var length = 0;
        while (true)
        {
            var read = await _socket.ReceiveAsync(_buffer.AsMemory(length), SocketFlags.None, ct);
            if (read == 0) throw new IOException($"The connection was closed after {length} bytes of an answer.");
            length += read;
            if (IsWhole(_buffer.AsSpan(0, length), out var status, out var saysWhen)) return (status, saysWhen);
            if (length == _buffer.Length) throw new IOException("An answer longer than 16 KiB.");
        }
    }

    static bool IsWhole(ReadOnlySpan<byte> answer, out int status, out bool saysWhen)
    {
        (status, saysWhen) = (0, false);
        var end = answer.IndexOf("\r\n\r\n"u8);
        if (end < 0) return false;
        var head = answer[..(end + 2)];
        if (!Utf8Parser.TryParse(head["HTTP/1.1 ".Length..], out status, out _)) throw new IOException("An answer without a status.");
        saysWhen = head.IndexOf("\r\nRetry-After:"u8) >= 0;
        var body = answer[(end + 4)..];
        var length = head.IndexOf("\r\nContent-Length: "u8);
        return length >= 0 && Utf8Parser.TryParse(head[(length + "\r\nContent-Length: ".Length)..], out int bytes, out _) ? body.Length >= bytes : body.EndsWith("0\r\n\r\n"u8);
    }

    public void Dispose() => _socket.Dispose();
}
