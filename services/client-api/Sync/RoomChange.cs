using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync;

/// <summary>A room that belongs into an answer, before anything of it was read.</summary>
/// <param name="Left">The user is no longer in it.</param>
/// <param name="Full">The whole state is wanted, not what changed of it.</param>
/// <param name="After">Where the timeline begins: the range is (After, UpTo].</param>
/// <param name="VisibleUntil">Null: the user may see all of the range. Otherwise where the user's last stay ended: what may be seen is decided by the event.</param>
/// <param name="Known">The events of the range, oldest first, where they are known without asking.</param>
sealed record RoomChange(
    long RoomNid, string RoomId, bool Left, bool Full, long After, long UpTo, long? VisibleUntil, IReadOnlyList<TimelinePlace>? Known)
{
    /// <summary>Branches of the room met in the range: its state changed by more than the events of the timeline.</summary>
    public bool Merged { get; init; }

    /// <summary>The event by which the user left a room that this server is not in: it is all there is to tell.</summary>
    public long? Outside { get; init; }
}
