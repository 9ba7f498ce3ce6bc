using System.Net.Sockets;
using System.Text;

namespace Matrix.EndToEnd.Tests.Chaos;

/// <summary>Connections that give and take a byte at a time: request heads that never end, bodies that trickle in, answers that nobody reads.</summary>
sealed class SlowClients : IDisposable
{
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);
    readonly List<Socket> _sockets = [];
    readonly List<Task> _trickles = [];
    readonly CancellationTokenSource _over = new();

    /// <param name="toRead">A request, by its head, whose answer is large.</param>
    public static async Task<SlowClients> Begin(Uri server, int ofEach, string token, string toRead)
    {
        var all = new SlowClients();
        for (var i = 0; i < ofEach; i++)
        {
            await all.Connect(server, "GET /_matrix/client/versions HTTP/1.1\r\nHost: example.org\r\nX-Slow: ", trickles: true);
            await all.Connect(server, $"POST /_matrix/client/v3/createRoom HTTP/1.1\r\nHost: example.org\r\nAuthorization: Bearer {token}\r\nContent-Length: 60000\r\n\r\n{{\"a\":\"", trickles: true);
            await all.Connect(server, $"{toRead} HTTP/1.1\r\nHost: example.org\r\nAuthorization: Bearer {token}\r\n\r\n", trickles: false);
        }
        return all;
    }

    async Task Connect(Uri server, string head, bool trickles)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 2048, NoDelay = true };
        _sockets.Add(socket);
        await socket.ConnectAsync(server.Host, server.Port);
        await socket.SendAsync(Encoding.ASCII.GetBytes(head));
        if (trickles) _trickles.Add(Trickle(socket));
    }

    async Task Trickle(Socket socket)
    {
        try
        {
            while (!_over.IsCancellationRequested)
            {
                await socket.SendAsync("x"u8.ToArray(), _over.Token);
                await Task.Delay(Pause, _over.Token);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // the server had enough, or the test is over
        }
    }

    public void Dispose()
    {
        _over.Cancel();
        foreach (var socket in _sockets) socket.Dispose();
        _over.Dispose();
    }
}
