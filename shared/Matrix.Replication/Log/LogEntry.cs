namespace Matrix.Replication;

/// <summary>What a log entry is. The numbers are stored: never change or reuse one.</summary>
public enum LogKind : short
{
    Event = 1,
    AccountData = 2,
    Receipt = 3,
    ToDevice = 4,
    DeviceList = 5,
    PushRules = 6,
    Directory = 7,
    Profile = 8,

    /// <summary>A device's one-time or fallback keys were uploaded or claimed. Wakes nobody.</summary>
    OneTimeKeys = 9,

    /// <summary>Messages to devices of another server, whose name is the key. For who delivers them; no client is told.</summary>
    OutgoingMessages = 10,

    /// <summary>Sessions of the user ended, or became others. For the processes that keep sessions; no client is told.</summary>
    Session = 20,

    /// <summary>A user's membership of a room changed, though not by a member event at this place: branches of the room met. The key is the membership.</summary>
    Membership = 30,

    /// <summary>A room's state changed by more than the event, because branches of the room met.</summary>
    StateMerge = 31,

    /// <summary>Older events of a room were fetched from another server. Wakes nobody; what was remembered of the room's past is not all there is.</summary>
    History = 45,

    /// <summary>A user was subscribed to a thread, or is no longer. The note is the thread's root.</summary>
    ThreadSubscription = 50,

    /// <summary>A user's pushers were set or deleted. For the pusher service; no client is told.</summary>
    Pushers = 40,
}

/// <summary>A committed entry: what it is and whom it concerns, enough to wake the right waiters without a query.</summary>
/// <param name="RoomNid">The room it happened in, if any.</param>
/// <param name="UserId">The user it is for or about: the owner of account data, the target of a membership event.</param>
/// <param name="Key">What it is within its kind: an event type, an account data type, a receipt type.</param>
/// <param name="Note">What followers need to know of it without a query, in a form of its kind's own.</param>
/// <param name="Related">Of an event: the id of the one whose bundled aggregations it changes.</param>
/// <param name="Skipped">How many positions before this one no entry has, nor ever will: they are left for events that are missing before this one.</param>
public sealed record LogEntry(
    LogPosition Position, LogKind Kind, long? RoomNid = null, string? UserId = null, string? DeviceId = null, long? EventNid = null, string? Key = null,
    string? Note = null, string? Related = null, long Skipped = 0)
{
    /// <summary>Whoever has read up to here reads this entry next.</summary>
    internal LogPosition Follows => new(Position.Value - Skipped - 1);
}

/// <summary>A <see cref="LogEntry"/> that has no position yet.</summary>
public sealed record LogEntryDraft(
    LogKind Kind, long? RoomNid = null, string? UserId = null, string? DeviceId = null, long? EventNid = null, string? Key = null, string? Note = null,
    string? Related = null)
{
    internal LogEntry At(LogPosition position, long skipped) => new(position, Kind, RoomNid, UserId, DeviceId, EventNid, Key, Note, Related, skipped);
}
