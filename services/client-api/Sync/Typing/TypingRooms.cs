using System.Text.Json;
using Matrix.Replication;
using Matrix.Rooms.Ephemeral;
using Matrix.Storage;

namespace Matrix.ClientApi.Sync.Typing;

/// <summary>Who types where, and what of it a client has been told: a number that means something to one process only.</summary>
/// <param name="Process">The process that counted.</param>
readonly record struct TypingMark(string Process, long Number);

/// <summary>Who is typing in a room, for a client that does not know yet.</summary>
sealed record RoomTyping(long RoomNid, IReadOnlyList<string> UserIds);

/// <summary>
/// Who is typing. Each process has the whole picture from what the processes tell each other; it is lost with the process, and nobody minds: typing
/// runs out by itself. A client that comes from another process is told of every room in which something changed lately.
/// </summary>
sealed class TypingRooms(EphemeralChannel channel, SyncNews sync, TimeProvider time) : IHostedService, IDisposable
{
    static readonly TimeSpan Sweep = TimeSpan.FromSeconds(1);

    // Longer than a client goes without asking, so that nobody misses the end of it.
    static readonly TimeSpan Remember = TimeSpan.FromMinutes(3);

    readonly Lock gate = new();
    readonly string process = Guid.NewGuid().ToString("N")[..8];
    readonly Dictionary<long, Room> rooms = [];
    long number;
    ITimer? sweep;

    public Task StartAsync(CancellationToken ct)
    {
        channel.Subscribe(Receive);
        sweep = time.CreateTimer(_ => RunOut(), null, time.UntilBeat(Sweep), Sweep);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken ct)
    {
        Dispose();
        return Task.CompletedTask;
    }

    public void Dispose() => sweep?.Dispose();

    /// <param name="duration">Zero: the user has stopped.</param>
    public void Set(long roomNid, string userId, TimeSpan duration) =>
        channel.Tell(JsonSerializer.SerializeToUtf8Bytes(TypingNews.Of(roomNid, userId, duration)));

    /// <summary>
    /// The rooms in which something changed after the mark; without one, those in which somebody is typing. With them the mark up to which that
    /// holds: both are of one moment, else a client would be told again of what it knows.
    /// </summary>
    public (TypingMark Mark, IReadOnlyList<RoomTyping> Rooms) ListSince(TypingMark? mark)
    {
        lock (gate)
        {
            var now = new TypingMark(process, number);
            if (number == 0 || (mark?.Process == process && mark.Value.Number >= number))
                return (now, []);
            var known = mark?.Process == process ? mark.Value.Number : 0;
            return (now, [.. rooms.Where(room => room.Value.Changed > known && (mark is not null || room.Value.Typing.Count > 0))
                .Select(room => new RoomTyping(room.Key, [.. room.Value.Typing.Keys]))]);
        }
    }

    void Receive(ReadOnlyMemory<byte> message)
    {
        if (!message.Span.StartsWith("{\"Kind\":\"typing\","u8) || JsonSerializer.Deserialize<TypingNews>(message.Span) is not { Kind: TypingNews.KindName } news)
            return;
        long change;
        lock (gate)
        {
            if (!rooms.TryGetValue(news.RoomNid, out var room))
                rooms.Add(news.RoomNid, room = new Room());
            var changed = news.Milliseconds > 0
                ? room.Typing.TryAdd(news.UserId, default)
                : room.Typing.Remove(news.UserId);
            if (news.Milliseconds > 0)
                room.Typing[news.UserId] = time.GetUtcNow().AddMilliseconds(news.Milliseconds);
            if (!changed)
                return;
            change = Change(room);
        }
        sync.TypingChanged(news.RoomNid, change);
    }

    void RunOut()
    {
        var changed = new List<(long RoomNid, long Change)>();
        lock (gate)
        {
            var now = time.GetUtcNow();
            foreach (var (nid, room) in rooms.ToList())
            {
                var over = room.Typing.Where(user => user.Value <= now).Select(user => user.Key).ToList();
                over.ForEach(user => room.Typing.Remove(user));
                if (over.Count > 0)
                    changed.Add((nid, Change(room)));
                else if (room.Typing.Count == 0 && now - room.ChangedAt > Remember)
                    rooms.Remove(nid);
            }
        }
        foreach (var (nid, change) in changed)
            sync.TypingChanged(nid, change);
    }

    long Change(Room room)
    {
        (room.Changed, room.ChangedAt) = (++number, time.GetUtcNow());
        return number;
    }

    sealed class Room
    {
        public Dictionary<string, DateTimeOffset> Typing { get; } = new(StringComparer.Ordinal);

        public long Changed { get; set; }

        public DateTimeOffset ChangedAt { get; set; }
    }
}
