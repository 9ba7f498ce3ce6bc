using MassTransit;

namespace Matrix.Replication;

/// <summary>Do messages reach this process? While they do not, the follower asks Postgres more often.</summary>
public sealed class BusState : IReceiveEndpointObserver
{
    volatile bool _connected;

    public bool IsConnected => _connected;

    Task IReceiveEndpointObserver.Ready(ReceiveEndpointReady ready) => Set(true);

    Task IReceiveEndpointObserver.Stopping(ReceiveEndpointStopping stopping) => Set(false);

    Task IReceiveEndpointObserver.Completed(ReceiveEndpointCompleted completed) => Set(false);

    Task IReceiveEndpointObserver.Faulted(ReceiveEndpointFaulted faulted) => Set(false);

    Task Set(bool connected)
    {
        _connected = connected;
        return Task.CompletedTask;
    }
}
