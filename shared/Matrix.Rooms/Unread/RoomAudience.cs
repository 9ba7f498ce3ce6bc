using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Unread;

/// <summary>Somebody in a room whose rules are not the ordinary ones there.</summary>
public sealed record RuleHolder(string UserId, UserPushRules Rules, PushClass Class);

/// <summary>
/// What push rules have to know of who is in a room, in one state of it: a function of that state and of the users' rules. Immutable.
/// </summary>
/// <param name="Seen">The changes of rules that are looked at: <see cref="PushRuleCache.Changes"/>.</param>
/// <param name="Joined">How many are in the room.</param>
public sealed record RoomAudience(StateNodeId StateRoot, long Seen, int Joined, IReadOnlyList<RuleHolder> Holders)
{
    /// <summary>Is there somebody whose rules ask about threads?</summary>
    public bool NeedsThread { get; } = Holders.Any(holder => holder.Class.NeedsThread);
}
