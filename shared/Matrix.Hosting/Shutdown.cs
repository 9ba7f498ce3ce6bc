using System.Runtime.InteropServices;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Matrix.Hosting;

/// <summary>
/// The order of a stop: not ready and <see cref="Draining"/> at once; for <c>shutdown_drain</c> the port stays open and new requests are
/// sent away with 503 and X-Matrix-Draining, so that a gateway moves them to another replica without a broken connection; then the port
/// closes (<see cref="Closing"/>), requests under way finish (bounded by <c>shutdown_timeout</c>), and the process exits. A process that anybody reaches
/// sends nobody away, for nobody would move the request: it serves on while it drains, and closes each connection with its next answer. It is done earlier
/// when no connection is left and its port stays open without it; then it takes no more, and serves those that came meanwhile. A second SIGTERM ends the drain: nobody will take its place.
/// </summary>
public sealed partial class Shutdown : IHostedLifecycleService, IDisposable
{
    /// <summary>How long a connection that came last may take to send its request.</summary>
    static readonly TimeSpan s_last = TimeSpan.FromSeconds(1);

    readonly CancellationTokenSource _draining = new(), _closing = new(), _hurried = new();
    readonly ShutdownOptions _options;
    readonly OpenConnections _connections;
    readonly bool _isReplaced;
    readonly TimeProvider _time;
    readonly ILogger<Shutdown> _log;
    readonly CancellationTokenRegistration _stopping;
    readonly PosixSignalRegistration _signals;
    int _told;
    bool _begun;

    public Shutdown(
        IHostApplicationLifetime lifetime, ShutdownOptions options, ListenOptions listen, ServiceName service, OpenConnections connections, TimeProvider time,
        ILogger<Shutdown> log)
    {
        (_options, _connections, _time, _log) = (options, connections, time, log);
        _isReplaced = service.IsPublic && listen.Listen.Any(address => ListenOptions.Inherited(address) is not null);
        _signals = PosixSignalRegistration.Create(PosixSignal.SIGTERM, _ =>
        {
            if (Interlocked.Increment(ref _told) == 2) _hurried.Cancel();
        });
        _stopping = lifetime.ApplicationStopping.Register(Begin);
    }

    /// <summary>Fires when the process is told to stop. A long poll that waits on it returns early, with what it has.</summary>
    public CancellationToken Draining => _draining.Token;

    /// <summary>Fires when the port is about to close: what waits for news has to be answered now.</summary>
    public CancellationToken Closing => _closing.Token;

    public bool IsDraining => _draining.IsCancellationRequested;

    void Begin()
    {
        if (Interlocked.Exchange(ref _begun, true)) return;
        Stopping();
        _draining.Cancel();
    }

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        Begin();
        await UntilNoConnectionIsLeft(_options.ShutdownDrain, cancellationToken);
        if (_isReplaced && !_hurried.IsCancellationRequested)
        {
            // what came just now has sent a request that is not read yet: it is answered, and what comes next waits for the one that comes next
            await _connections.TakeNoMore();
            await UntilNoConnectionIsLeft(s_last, cancellationToken);
        }
        await _closing.CancelAsync();
    }

    async Task UntilNoConnectionIsLeft(TimeSpan most, CancellationToken ct)
    {
        if (most <= TimeSpan.Zero) return;
        using var over = CancellationTokenSource.CreateLinkedTokenSource(ct, _hurried.Token);
        var none = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (_isReplaced) _connections.WhenNone(() => none.TrySetResult());
        await Task.WhenAny(none.Task, Task.Delay(most, _time, over.Token));
        _connections.WhenNone(null);
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
        _stopping.Dispose();
        _draining.Dispose();
        _closing.Dispose();
        _signals.Dispose();
        _hurried.Dispose();
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Stopping: no longer ready, finishing the requests under way")]
    partial void Stopping();
}

public sealed class ShutdownOptions
{
    /// <summary>How long the port stays open, sending new requests away, once the process was told to stop.</summary>
    public TimeSpan ShutdownDrain { get; init; } = TimeSpan.FromMilliseconds(300);

    /// <summary>How long requests under way may take to finish.</summary>
    public TimeSpan ShutdownTimeout { get; init; } = TimeSpan.FromSeconds(25);
}
