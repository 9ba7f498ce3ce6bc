using Matrix.Replication;

namespace Matrix.ClientApi.Sync.Sliding;

/// <summary>What a sliding sync request asks for.</summary>
/// <param name="Pos">Null: the connection begins.</param>
/// <param name="ToDeviceSince">The device has its messages up to here; null: it does not say.</param>
/// <param name="Stable">In the words of the proposal, not in those of the form that clients use today.</param>
sealed record SlidingRequest(string UserId, string DeviceId, SlidingShape Shape, SlidingPos? Pos, LogPosition? ToDeviceSince, TimeSpan Timeout, bool Stable)
{
    public LogPosition? Since => Pos?.Position;
}
