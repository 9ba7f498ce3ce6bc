using MassTransit;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;

namespace Matrix.Replication;

/// <summary>Do messages reach this process? While they do not, the follower asks Postgres more often: slower, not unhealthy.</summary>
public sealed partial class BusState(ILogger<BusState> logger) : IReceiveEndpointObserver, IHealthCheck
{
    enum State { Unknown, Connected, Away }

    volatile State _state;

    public bool IsConnected => _state == State.Connected;

    Task<HealthCheckResult> IHealthCheck.CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken) =>
        Task.FromResult(IsConnected ? HealthCheckResult.Healthy() : HealthCheckResult.Degraded("No messages from other processes."));

    Task IReceiveEndpointObserver.Ready(ReceiveEndpointReady ready)
    {
        if (_state == State.Away)
            Back();
        _state = State.Connected;
        return Task.CompletedTask;
    }

    Task IReceiveEndpointObserver.Faulted(ReceiveEndpointFaulted faulted)
    {
        if (_state != State.Away)
            Lost(faulted.Exception?.Message ?? "unknown");
        _state = State.Away;
        return Task.CompletedTask;
    }

    Task IReceiveEndpointObserver.Stopping(ReceiveEndpointStopping stopping) => Stop();

    Task IReceiveEndpointObserver.Completed(ReceiveEndpointCompleted completed) => Stop();

    Task Stop()
    {
        _state = State.Unknown;
        return Task.CompletedTask;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The bus is away; reading the log from the database: {Reason}")]
    partial void Lost(string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "The bus is back")]
    partial void Back();
}
