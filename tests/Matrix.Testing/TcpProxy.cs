using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Matrix.Testing;

/// <summary>Stands between the processes and a server that is to be away for a while.</summary>
public sealed class TcpProxy : IAsyncDisposable
{
    readonly (string Host, int Port) _server;
    readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    readonly ConcurrentDictionary<Socket, bool> _open = new();
    readonly Task _accepting;
    volatile bool _away, _swallow;
    volatile Hold? _hold;

    public TcpProxy(string host, int port)
    {
        _server = (host, port);
        _listener.Start();
        _accepting = Accept();
    }

    /// <summary>The server gets what is sent, and its answers are lost.</summary>
    public bool SwallowAnswers { get => _swallow; set => _swallow = value; }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Cuts all connections, and new ones as soon as they are made.</summary>
    public void GoAway()
    {
        _away = true;
        foreach (var socket in _open.Keys)
            socket.Dispose();
    }

    public void ComeBack()
    {
        _away = false;
        Interlocked.Exchange(ref _hold, null)?.Released.TrySetResult();
    }

    /// <summary>Lets so many bytes more go to the server, and holds back all that come after them until <see cref="ComeBack"/>.</summary>
    /// <returns>Done when it holds something back.</returns>
    public Task HoldAfter(long bytes) => (_hold = new Hold { Left = bytes }).Reached.Task;

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        GoAway();
        await _accepting;
    }

    async Task Accept()
    {
        try
        {
            while (true)
                _ = Serve(await _listener.AcceptSocketAsync());
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // the end
        }
    }

    async Task Answer(NetworkStream from, NetworkStream to)
    {
        var buffer = new byte[16 * 1024];
        while (await from.ReadAsync(buffer) is > 0 and var read)
        {
            if (!SwallowAnswers)
                await to.WriteAsync(buffer.AsMemory(0, read));
        }
    }

    async Task Ask(NetworkStream from, NetworkStream to)
    {
        var buffer = new byte[16 * 1024];
        while (await from.ReadAsync(buffer) is > 0 and var read)
        {
            if (_hold is { } hold && Interlocked.Add(ref hold.Left, -read) < 0)
            {
                hold.Reached.TrySetResult();
                await hold.Released.Task;
            }
            await to.WriteAsync(buffer.AsMemory(0, read));
        }
    }

    async Task Serve(Socket client)
    {
        var server = new Socket(SocketType.Stream, ProtocolType.Tcp);
        _open[client] = _open[server] = true;
        try
        {
            if (_away)
                return;
            await server.ConnectAsync(_server.Host, _server.Port);
            await using var here = new NetworkStream(client);
            await using var there = new NetworkStream(server);
            await Task.WhenAny(Ask(here, there), Answer(there, here));
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            // one side has gone: so does the other
        }
        finally
        {
            client.Dispose();
            server.Dispose();
            _open.TryRemove(client, out _);
            _open.TryRemove(server, out _);
        }
    }

    sealed class Hold
    {
        public long Left;

        public TaskCompletionSource Reached { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Released { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
