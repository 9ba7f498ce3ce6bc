using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace Matrix.Hosting;

/// <summary>How many connections clients hold open to this process, so that a stop can wait for the last.</summary>
public sealed class OpenConnections : IConfigureOptions<KestrelServerOptions>
{
    readonly Lock _lock = new();
    int _count;
    Action? _whenNone;

    /// <summary>Has to be registered before anything that listens.</summary>
    public void Configure(KestrelServerOptions options) => options.ConfigureEndpointDefaults(listen => listen.Use(next => async connection =>
    {
        Change(1);
        try
        {
            await next(connection);
        }
        finally
        {
            Change(-1);
        }
    }));

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
}
