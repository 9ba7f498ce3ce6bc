using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Matrix.Federation.Tests.Partitions;

/// <summary>
/// The HTTP proxy (CONNECT) through which one server reaches all others, which can be cut off one by one. Since each server has its own, it is known
/// who asks whom.
/// </summary>
sealed class SwitchableProxy : IAsyncDisposable
{
    readonly TcpListener listener = new(IPAddress.Loopback, 0);
    readonly ConcurrentDictionary<int, bool> cut = new();
    readonly ConcurrentDictionary<Socket, int> open = new();
    readonly Task accepting;
    int made;

    public SwitchableProxy()
    {
        listener.Start();
        accepting = Accept();
    }

    public string Url => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");

    /// <summary>How many connections it has made.</summary>
    public int Made => Volatile.Read(ref made);

    /// <summary>Ends what is open to this server (host:port), whose port says who it is, and lets nothing through until <see cref="Heal"/>.</summary>
    public void Cut(string server)
    {
        var target = Port(server);
        cut[target] = true;
        foreach (var (socket, to) in open)
        {
            if (to == target)
                socket.Dispose();
        }
    }

    public void Heal() => cut.Clear();

    public async ValueTask DisposeAsync()
    {
        listener.Dispose();
        foreach (var socket in open.Keys)
            socket.Dispose();
        await accepting;
    }

    async Task Accept()
    {
        try
        {
            while (true)
                _ = Serve(await listener.AcceptSocketAsync());
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // the end
        }
    }

    async Task Serve(Socket socket)
    {
        using (socket)
        using (var server = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true })
        {
            try
            {
                await using var from = new NetworkStream(socket);
                var target = Port(await ReadTarget(from));
                open[socket] = target;
                if (cut.ContainsKey(target))
                    return; // after it is among the open ones, so that none slips through while it is cut
                await server.ConnectAsync(IPAddress.Loopback, target);
                await using var to = new NetworkStream(server);
                Interlocked.Increment(ref made);
                await from.WriteAsync("HTTP/1.1 200 Connected\r\n\r\n"u8.ToArray());
                await Task.WhenAny(from.CopyToAsync(to), to.CopyToAsync(from));
            }
            catch (Exception e) when (e is SocketException or IOException or ObjectDisposedException)
            {
                // one of the two is gone
            }
            finally
            {
                open.TryRemove(socket, out _);
            }
        }
    }

    static int Port(string address) => int.Parse(address[(address.LastIndexOf(':') + 1)..], CultureInfo.InvariantCulture);

    /// <summary>Reads <c>CONNECT host:port HTTP/1.1</c> and the headers after it.</summary>
    static async Task<string> ReadTarget(NetworkStream stream)
    {
        var request = new StringBuilder();
        var one = new byte[1];
        while (!request.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await stream.ReadAsync(one) == 0)
                throw new IOException("It hung up.");
            request.Append((char)one[0]);
        }
        return request.ToString().Split(' ')[1];
    }
}
