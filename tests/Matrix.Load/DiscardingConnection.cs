using System.ComponentModel;
using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;

namespace Matrix.Load;

/// <summary>
/// A connection on which files are fetched, and thrown away by the kernel before they are copied to here: a client that shares its processors with the
/// server, and copies a megabyte that nobody looks at, would be measured as much as the server is. Blocks its thread.
/// </summary>
sealed partial class DiscardingConnection : IDisposable
{
    const int WaitForAll = 0x100, Discard = 0x20; // MSG_WAITALL and MSG_TRUNC of Linux, see tcp(7)
    const int Interrupted = 4;

    readonly Target _target;
    readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveTimeout = 120_000 };
    readonly byte[] _head = new byte[8192];

    public DiscardingConnection(Target target)
    {
        _target = target;
        if (target.Url.Scheme != Uri.UriSchemeHttp) throw new LoadException($"{target.Name}: files are downloaded over plain http, and not over {target.Url.Scheme}");
        _socket.Connect(target.Url.Host, target.Url.Port);
    }

    /// <returns>The length of the file.</returns>
    /// <exception cref="LoadException">The answer is not 200, or its length is not told.</exception>
    public long Get(string path, string token)
    {
        _socket.Send(Encoding.ASCII.GetBytes($"GET {_target.Url.AbsolutePath}{path} HTTP/1.1\r\nHost: {_target.Url.Authority}\r\nAuthorization: Bearer {token}\r\n\r\n"));
        var (read, end) = (0, -1);
        while (end < 0)
        {
            var more = read < _head.Length ? _socket.Receive(_head, read, _head.Length - read, SocketFlags.None) : 0;
            if (more == 0) throw new LoadException($"{_target.Name}: GET {path}: no whole head came");
            read += more;
            end = _head.AsSpan(0, read).IndexOf("\r\n\r\n"u8);
        }
        var length = Length(Encoding.ASCII.GetString(_head, 0, end), path);
        for (var left = length - (read - end - 4); left > 0;)
        {
            var gone = Receive(_socket.Handle, 0, (nint)left, WaitForAll | Discard);
            if (gone < 0 && Marshal.GetLastPInvokeError() == Interrupted) continue;
            if (gone <= 0) throw new LoadException($"{_target.Name}: GET {path}: {left} bytes of {length} are missing: {(gone < 0 ? new Win32Exception().Message : "the connection was closed")}");
            left -= gone;
        }
        return length;
    }

    public void Dispose() => _socket.Dispose();

    long Length(string head, string path)
    {
        if (!head.StartsWith("HTTP/1.1 200 ", StringComparison.Ordinal)) throw new LoadException($"{_target.Name}: GET {path}: {head.Split('\r')[0]}");
        var told = head.Split("\r\n").FirstOrDefault(line => line.StartsWith("content-length:", StringComparison.OrdinalIgnoreCase))
            ?? throw new LoadException($"{_target.Name}: GET {path}: the length is not told");
        return long.Parse(told.AsSpan("content-length:".Length), NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture);
    }

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    private static partial nint Receive(nint socket, nint buffer, nint length, int flags);
}
