using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Storage.Caching;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Unread;

/// <summary>
/// How much is unread for users in their rooms. Read from Postgres once for a user and room, in one query for all rooms that are asked for, and then kept
/// by the log: what is remembered belongs to a position, and whoever asks takes it forward over the entries since, which are in memory. Nothing is done
/// for users whom nobody asks about.
/// </summary>
public sealed class UnreadCounts(UnreadStore store, LogFollower log, Caches caches)
{
    // A room in which nothing is unread is most of them; what more there is is small beside them.
    readonly BoundedCache<string, WarmUser> users =
        caches.Create<string, WarmUser>("unread_counts", 32 << 20, (user, warm) => 300 + Caches.WeightOf(user) + 150L * warm.Rooms.Count);

    readonly BoundedCache<long, EventNote> notes =
        caches.Create<long, EventNote>("event_notes", 1 << 20, (_, note) => 300 + 100L * note.Personal.Count);

    /// <summary>
    /// What is unread in the rooms, by room number, with everything that this process' follower has been told at least. Rooms that the user is not in are
    /// left out.
    /// </summary>
    public async ValueTask<IReadOnlyDictionary<long, RoomUnread>> Get(string userId, IReadOnlyCollection<long> rooms, CancellationToken ct)
    {
        if (!users.TryGet(userId, out var user))
            users.Set(userId, user = new WarmUser());
        var found = new Dictionary<long, RoomUnread>(rooms.Count);
        List<long>? missing = null;
        long forgotten;
        lock (user)
        {
            Advance(userId, user);
            forgotten = user.Forgotten;
            foreach (var room in rooms)
            {
                if (user.Rooms.TryGetValue(room, out var known))
                    found[room] = known.Counts;
                else
                    (missing ??= []).Add(room);
            }
        }
        if (missing is null)
            return found;
        var read = (await store.List(userId, missing, ct)).GroupBy(row => row.RoomNid).ToDictionary(rows => rows.Key, WarmRoom.Of);
        lock (user)
        {
            foreach (var (room, state) in read)
            {
                found[room] = state.Counts;
                // what the log has told meanwhile of the user or the room may not be in it, and is not told again
                if (user.Forgotten == forgotten && user.Position.Value <= state.UpTo)
                    user.Rooms.TryAdd(room, state);
            }
            users.Set(userId, user); // it weighs more now
        }
        return found;
    }

    // Under the user's lock.
    void Advance(string userId, WarmUser user)
    {
        var to = log.Position;
        if (user.Rooms.Count == 0 || !log.Recent.TryRead(user.Position, to, out var entries))
        {
            user.Rooms.Clear();
            user.Position = to;
            return;
        }
        foreach (var entry in entries)
            Take(userId, user, entry);
        if (to > user.Position)
            user.Position = to;
    }

    void Take(string userId, WarmUser user, LogEntry entry)
    {
        if (entry.Kind == LogKind.PushRules && entry.UserId == userId)
        {
            user.Forget();
            return;
        }
        if (entry.RoomNid is not { } room || !user.Rooms.TryGetValue(room, out var known) || entry.Position.Value <= known.UpTo)
            return;
        var next = entry switch
        {
            { Kind: LogKind.Event, Key: EventTypes.Member } or { Kind: LogKind.Membership } when entry.UserId == userId => null,
            { Kind: LogKind.Event, Note: { } note } => known.After(entry.Position.Value, Read(entry.Position, note), userId),
            { Kind: LogKind.Receipt } when entry.UserId == userId => ReceiptNote.Read(entry.Note) is { } receipt ? known.After(receipt) : null,
            _ => known,
        };
        if (next is null)
            user.Rooms.Remove(room);
        else
            user.Rooms[room] = next;
    }

    // A note is read once for all who are in the room.
    EventNote Read(LogPosition position, string text)
    {
        if (!notes.TryGet(position.Value, out var note))
            notes.Set(position.Value, note = EventNote.Read(text));
        return note;
    }

    /// <summary>What is remembered of a user; its lock is itself.</summary>
    sealed class WarmUser
    {
        public Dictionary<long, WarmRoom> Rooms { get; } = [];

        /// <summary>What the log says up to here is in all of <see cref="Rooms"/>.</summary>
        public LogPosition Position { get; set; }

        /// <summary>How often everything was forgotten.</summary>
        public long Forgotten { get; private set; }

        public void Forget()
        {
            Rooms.Clear();
            Forgotten++;
        }
    }
}
