using Matrix.Protocol;
using Matrix.Storage.Rooms;

namespace Matrix.Pusher.Judging;

/// <summary>An event as pushing looks at it: read once, for all pushers that are told of it.</summary>
/// <param name="StateBefore">The state that it was sent in; null: only who is invited by it is told.</param>
/// <param name="Notification">The members of the notification that are the same for everybody, without braces.</param>
sealed record PushedEvent(
    long EventNid, Room Room, Pdu Pdu, StateNodeId? StateBefore, PowerLevels Levels, ReadOnlyMemory<byte> Notification);

/// <summary>What a room is called, and how many are in it.</summary>
/// <param name="Heroes">If it has neither name nor alias: the first who are in it.</param>
sealed record RoomLabel(string? Name, string? Alias, int JoinedCount, IReadOnlyList<(string UserId, string? Name)> Heroes)
{
    /// <summary>What the room is called for a user (C-S API, Calculating the display name for a room).</summary>
    public string? NameFor(string userId)
    {
        if ((Name ?? Alias) is { } own)
            return own;
        var others = Heroes.Where(hero => hero.UserId != userId).Select(hero => hero.Name ?? hero.UserId).ToList();
        return others.Count switch
        {
            0 => null,
            1 => others[0],
            _ when JoinedCount <= 3 && others.Count == 2 => $"{others[0]} and {others[1]}",
            _ => $"{others[0]} and {Math.Max(JoinedCount - 2, others.Count - 1)} others",
        };
    }
}
