namespace Matrix.Rooms.Ephemeral;

/// <summary>Somebody began or stopped typing: what processes tell each other (<see cref="Replication.EphemeralChannel"/>).</summary>
/// <param name="Milliseconds">How long it holds unless it is said again; 0: the user has stopped.</param>
public sealed record TypingNews(string Kind, long RoomNid, string UserId, long Milliseconds)
{
    public const string KindName = "typing";

    public static TypingNews Of(long roomNid, string userId, TimeSpan duration) => new(KindName, roomNid, userId, (long)duration.TotalMilliseconds);
}
