using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Matrix.Protocol;
using Matrix.Pusher.Judging;
using Matrix.Replication;
using Matrix.Rooms.Unread;

namespace Matrix.Pusher.Work;

/// <summary>
/// Finds in the log whom its entries concern. That was decided when they were written and stands in the entries' notes; so most of them are passed
/// over without a query, and of those that notify somebody only who has pushers in the room is looked up, once.
/// </summary>
sealed class PushDispatcher(
    PushRooms rooms, PushEvents events, RoomLabels labels, Badges badges, PushRuleCache rules, PushRunner runner)
{
    // By the rules as an object, which is another one when they change.
    readonly ConditionalWeakTable<UserPushRules, ConcurrentDictionary<long, NotifyLevel>> levels = [];

    /// <summary>Adds the entries to the queues of the roster's users.</summary>
    public async Task Dispatch(IReadOnlyList<LogEntry> entries, PushRoster roster, CancellationToken ct)
    {
        foreach (var entry in entries)
            Invalidate(entry, roster);
        if (roster.Count == 0)
            return;
        var notifying = entries.Where(entry => entry is { Kind: LogKind.Event, Note: not null, RoomNid: not null }).Select(entry => entry.RoomNid!.Value).ToHashSet();
        var present = await rooms.Get(notifying, ct);
        foreach (var entry in entries)
        {
            switch (entry)
            {
                case { Kind: LogKind.Event, RoomNid: { } room, EventNid: { } nid }:
                    if (entry.Note is { } text)
                        await Notify(new Due(entry.Position.Value, nid, room), EventNote.Read(text), present[room], roster, ct);
                    if (entry is { Key: EventTypes.Member } && roster.Find(entry.UserId) is { } target)
                        Add(target, new Due(entry.Position.Value, nid, room));
                    break;
                case { Kind: LogKind.Membership, Key: "invite", EventNid: { } nid, RoomNid: { } room } when roster.Find(entry.UserId) is { } invited:
                    Add(invited, new Due(entry.Position.Value, nid, room));
                    break;
                case { Kind: LogKind.Receipt } when roster.Find(entry.UserId) is { } reader:
                    AddBadge(reader);
                    break;
            }
        }
    }

    void Invalidate(LogEntry entry, PushRoster roster)
    {
        if (entry is not { Kind: LogKind.Event or LogKind.Membership or LogKind.StateMerge, RoomNid: { } room })
            return;
        if (entry.Key == EventTypes.Redaction)
            events.Forget();
        if (entry.Kind != LogKind.Event || entry.Key is EventTypes.Member or EventTypes.Name or EventTypes.CanonicalAlias)
            labels.Changed(room);
        if ((entry.Kind == LogKind.Membership || entry.Key == EventTypes.Member) && roster.Find(entry.UserId) is { } user)
        {
            rooms.Changed(room);
            badges.Changed(user.UserId);
        }
    }

    async ValueTask Notify(Due due, EventNote note, IReadOnlyList<string> present, PushRoster roster, CancellationToken ct)
    {
        if (note.Reads && roster.Find(note.Sender) is { } sender)
            AddBadge(sender);
        if (note is { Ordinary: Notice.None, Personal.Count: 0, IsWhole: true })
            return;
        var users = present.Select(roster.Find).OfType<PushUser>().Where(user => user.UserId != note.Sender).ToList();
        if (users.Count == 0)
            return;
        var personal = note.Personal.ToDictionary(notice => notice.UserId, notice => notice.Notice, StringComparer.Ordinal);
        var own = note.Ordinary == Notice.None ? null : await rules.Get([.. users.Select(user => user.UserId)], ct);
        for (var i = 0; i < users.Count; i++)
        {
            var isNotified = !note.IsWhole
                || (personal.TryGetValue(users[i].UserId, out var notice) ? notice != Notice.None
                    : own is not null && (own[i] is not { } theirs || (await Level(theirs, due.RoomNid, ct)).Counts(note.ThreadId)));
            if (isNotified)
                Add(users[i], due);
        }
    }

    async ValueTask<NotifyLevel> Level(UserPushRules own, long roomNid, CancellationToken ct)
    {
        var known = levels.GetOrCreateValue(own);
        if (known.TryGetValue(roomNid, out var level))
            return level;
        return known[roomNid] = await events.FindRoom(roomNid, ct) is { } room ? own.In(room.RoomId).Level : NotifyLevel.Ordinary;
    }

    void Add(PushUser user, Due due)
    {
        foreach (var queue in user.Queues)
        {
            queue.Add(due);
            runner.Wake(queue);
        }
    }

    void AddBadge(PushUser user)
    {
        foreach (var queue in user.Queues)
        {
            queue.AddBadge();
            runner.Wake(queue);
        }
    }
}
