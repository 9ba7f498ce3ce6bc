using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Unread;

/// <summary>What is unread in a room for a user, as of a position of the log, and how it goes on with the log's entries. Immutable.</summary>
/// <param name="UpTo">What the log says up to here is in it.</param>
/// <param name="Level">What of what notifies by the ordinary rules counts.</param>
/// <param name="RoomReadTo">How far the whole room is read.</param>
/// <param name="Threads">Those, the main timeline among them, in which something is or was unread.</param>
sealed record WarmRoom(long UpTo, NotifyLevel Level, long RoomReadTo, IReadOnlyDictionary<string, ThreadUnread> Threads)
{
    static readonly Dictionary<string, ThreadUnread> None = [];

    RoomUnread? counts;

    public RoomUnread Counts => counts ??= Count();

    /// <param name="rows">Of one room.</param>
    public static WarmRoom Of(IEnumerable<UnreadRow> rows)
    {
        Dictionary<string, ThreadUnread>? threads = null;
        UnreadRow any = null!;
        foreach (var row in rows)
        {
            any = row;
            if (row.Notified > 0)
            {
                threads ??= new Dictionary<string, ThreadUnread>(StringComparer.Ordinal);
                threads.Add(row.ThreadId, new ThreadUnread(row.ReadTo, row.Newest, new UnreadCount(row.Notified, row.Highlighted), []));
            }
        }
        return new WarmRoom(any.Position, new NotifyLevel(any.Ordinary, any.Threads), any.Floor, threads ?? None);
    }

    /// <summary>After an event of the room. Null: only the tables know.</summary>
    public WarmRoom? After(long position, EventNote note, string userId)
    {
        if (!note.IsWhole)
            return null;
        if (note.Sender == userId)
            return note.Reads ? ReadThread(note.ThreadId, position) : this;
        var notice = note.Personal.FirstOrDefault(p => p.UserId == userId) is { UserId: not null } personal ? personal.Notice
            : Level.Counts(note.ThreadId) ? note.Ordinary : Notice.None;
        return notice == Notice.None ? this : With(note.ThreadId, Thread(note.ThreadId).Add(position, notice));
    }

    /// <inheritdoc cref="After(long, EventNote, string)"/>
    public WarmRoom? After(ReceiptNote receipt)
    {
        if (receipt.ThreadId.Length > 0)
            return ReadThread(receipt.ThreadId, receipt.EventPosition);
        if (receipt.EventPosition <= RoomReadTo)
            return this;
        var threads = new Dictionary<string, ThreadUnread>(StringComparer.Ordinal);
        foreach (var (id, thread) in Threads)
        {
            if (thread.Read(receipt.EventPosition) is not { } read)
                return null;
            if (read.Count != default || read.ReadTo > receipt.EventPosition)
                threads.Add(id, read);
        }
        return this with { RoomReadTo = receipt.EventPosition, Threads = threads, counts = null };
    }

    WarmRoom? ReadThread(string id, long position) => Thread(id).Read(position) is { } read ? With(id, read) : null;

    ThreadUnread Thread(string id) => Threads.GetValueOrDefault(id) ?? new ThreadUnread(RoomReadTo, 0, default, []);

    WarmRoom With(string id, ThreadUnread thread) =>
        this with { Threads = new Dictionary<string, ThreadUnread>(Threads, StringComparer.Ordinal) { [id] = thread }, counts = null };

    RoomUnread Count()
    {
        var main = Threads.TryGetValue(EventNote.Main, out var timeline) ? timeline.Count : default;
        var others = Threads.Where(thread => thread.Key != EventNote.Main && thread.Value.Count != default)
            .ToDictionary(thread => thread.Key, thread => thread.Value.Count, StringComparer.Ordinal);
        return main == default && others.Count == 0 ? RoomUnread.Nothing : new RoomUnread(main, others);
    }
}
