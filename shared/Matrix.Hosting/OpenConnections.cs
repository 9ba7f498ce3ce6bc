using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Matrix.Hosting;

/// <summary>
/// How many connections clients hold open to this process, so that a stop can wait for the last; and the way to take no more of them while those that are
/// there are served on, which the web server's own stop does not offer: it closes whatever connection it has not yet read a request of.
/// </summary>
public sealed class OpenConnections(IOptions<SocketTransportOptions> options, ILoggerFactory logs)
    : IConfigureOptions<KestrelServerOptions>, IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    readonly SocketTransportFactory _sockets = new(options, logs);
    readonly ConcurrentQueue<Listener> _listeners = new();
    readonly Lock _lock = new();
    int _count;
    Action? _whenNone;

    /// <summary>Has to be registered before anything that listens.</summary>
    public void Configure(KestrelServerOptions options) => options.ConfigureEndpointDefaults(listen => listen.Use(next => async connection =>
    {
        try
        {
            await next(connection);
        }
        finally
        {
            Change(-1);
        }
    }));

    public bool CanBind(EndPoint endpoint) => _sockets.CanBind(endpoint);

    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var listener = new Listener(await _sockets.BindAsync(endpoint, cancellationToken), this);
        _listeners.Enqueue(listener);
        return listener;
    }

    /// <summary>Closes the ports for this process: who comes from now on waits for the next one, if somebody holds them open.</summary>
    public async Task TakeNoMore()
    {
        foreach (var listener in _listeners) await listener.UnbindAsync();
    }

    /// <summary>Calls, once, when there is none, which may be at once; null takes that back.</summary>
    public void WhenNone(Action? act)
    {
        lock (_lock) _whenNone = act;
        Change(0);
    }

    void Change(int by)
    {
        Action? act;
        lock (_lock)
        {
            _count += by;
            act = _count == 0 ? _whenNone : null;
            if (_count == 0) _whenNone = null;
        }
        act?.Invoke();
    }

    /// <summary>Counts a connection when it is taken, not when it is first worked on, which on a busy machine is later.</summary>
    sealed class Listener(IConnectionListener inner, OpenConnections all) : IConnectionListener
    {
        public EndPoint EndPoint => inner.EndPoint;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            var connection = await inner.AcceptAsync(cancellationToken);
            if (connection is not null) all.Change(1);
            return connection;
        }

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default) => inner.UnbindAsync(cancellationToken);

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
