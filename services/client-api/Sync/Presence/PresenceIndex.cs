using System.Runtime.InteropServices;

namespace Matrix.ClientApi.Sync.Presence;

/// <summary>Those whose presence a client has to be told of, and the mark up to which that holds.</summary>
/// <param name="Users">Each is in a room of the reader, or is the reader.</param>
/// <param name="Doubtful">Each may be in a room of the reader.</param>
sealed record PresenceChanges(PresenceMark Mark, IReadOnlyCollection<string> Users, IReadOnlyCollection<string> Doubtful);

/// <summary>
/// In which rooms whose presence changed, in order: a client is told of those in its rooms, and what happens in others costs it nothing. Everybody of
/// <see cref="PresenceBoard"/> is listed once in each room; there is room for so many, and who finds none is looked at by every reader.
/// </summary>
sealed class PresenceIndex(PresenceBoard board, Caches caches)
{
    /// <summary>At a cache factor of 1.</summary>
    public const int Bytes = 16 << 20;

    const int OfPlace = 2 * 16 + 8;

    readonly Lock gate = new();
    readonly Dictionary<string, Listed> users = new(StringComparer.Ordinal);
    readonly Dictionary<long, PresenceLog> rooms = [];
    readonly PresenceLog wide = new();
    readonly HashSet<long> adopted = [];
    readonly HashSet<string> moved = new(StringComparer.Ordinal), taken = new(StringComparer.Ordinal);
    readonly long most = caches.Scale("presence_rooms", Bytes) / OfPlace;
    long places;
    long number;

    /// <summary>A membership of the user changed: where the user is listed is in doubt until <see cref="Publish"/> says so.</summary>
    public void Moved(string userId)
    {
        lock (gate)
        {
            if (users.ContainsKey(userId))
                moved.Add(userId);
        }
    }

    /// <summary>This server has come to a room, or now knows who is there: its members have to be asked for.</summary>
    public void Adopted(long roomNid)
    {
        lock (gate)
            adopted.Add(roomNid);
    }

    /// <summary>Rooms whose members have to be asked for, and who may be among these.</summary>
    public (IReadOnlyCollection<long> Rooms, string[] Users) TakeAdopted()
    {
        lock (gate)
        {
            if (adopted.Count == 0)
                return ([], []);
            long[] rooms = [.. adopted];
            adopted.Clear();
            return (rooms, [.. users.Keys]);
        }
    }

    /// <summary>Those who are in doubt, who are so until they are published.</summary>
    public IReadOnlyCollection<string> TakeMoved()
    {
        lock (gate)
        {
            taken.UnionWith(moved);
            moved.Clear();
            return [.. taken];
        }
    }

    /// <summary>Lists those who changed in their rooms, and the others of <paramref name="roomsOf"/> in rooms that are new to them.</summary>
    /// <returns>The newest number, the rooms in which there is something to tell, and the users who have not been told of themselves.</returns>
    public (long Number, IReadOnlyCollection<long> Rooms, IReadOnlyCollection<string> Own) Publish(
        IReadOnlySet<string> changed, IReadOnlyDictionary<string, long[]> roomsOf)
    {
        var told = new HashSet<long>();
        var own = new List<string>();
        lock (gate)
        {
            if (roomsOf.Count > 0)
                number++;
            foreach (var (userId, now) in roomsOf)
            {
                taken.Remove(userId);
                var user = Get(userId);
                var known = user.Rooms;
                Place(user, now);
                var isNew = false;
                if (changed.Contains(userId))
                {
                    told.UnionWith(now);
                    isNew = Changed(user, now);
                }
                if (isNew)
                {
                    own.Add(userId);
                }
                else if (now.Except(known).ToArray() is { Length: > 0 } joined)
                {
                    // listed before, but not there
                    told.UnionWith(joined);
                    Tell(user, joined);
                }
            }
            return (number, told, own);
        }
    }

    /// <summary>Nobody remembers the user.</summary>
    public void Forget(string userId)
    {
        lock (gate)
        {
            if (!users.Remove(userId, out var user))
                return;
            moved.Remove(userId);
            taken.Remove(userId);
            Place(user, []);
            wide.Remove(user);
        }
    }

    /// <summary>
    /// Who changed after the mark; without one of this process all who are in a room of the reader. In rooms that the reader has just come to: all.
    /// </summary>
    /// <param name="joined">The reader's rooms.</param>
    public PresenceChanges ListSince(PresenceMark? mark, string reader, IEnumerable<long> joined, IReadOnlySet<long> fresh)
    {
        lock (gate)
        {
            ListFirst(reader, joined);
            var now = new PresenceMark(board.Process, number);
            var after = mark?.Process == board.Process ? mark.Value.Number : 0;
            if (number == 0 || (after >= number && fresh.Count == 0))
                return new PresenceChanges(now, [], []);
            var (found, doubtful) = (new HashSet<Listed>(), new HashSet<Listed>());
            foreach (var room in joined)
            {
                if (rooms.TryGetValue(room, out var log))
                    log.AddAfter(fresh.Contains(room) ? 0 : after, found);
            }
            doubtful.UnionWith(found.Where(user => moved.Contains(user.UserId) || taken.Contains(user.UserId)));
            found.ExceptWith(doubtful);
            wide.AddAfter(fresh.Count > 0 ? 0 : after, doubtful);
            if (users.TryGetValue(reader, out var own) && own.Number > after)
                found.Add(own);
            return new PresenceChanges(now, [.. found.Select(user => user.UserId)], [.. doubtful.Select(user => user.UserId)]);
        }
    }

    // Who begins to sync is told of that by the answer, not woken by it a moment later.
    void ListFirst(string reader, IEnumerable<long> joined)
    {
        if (board.VersionOf(reader) is not 0 and var version && (!users.TryGetValue(reader, out var known) || known.Version != version))
        {
            number++;
            var (user, now) = (Get(reader), joined.ToArray());
            Place(user, now);
            Changed(user, now);
        }
    }

    Listed Get(string userId)
    {
        if (!users.TryGetValue(userId, out var user))
            users.Add(userId, user = new Listed(userId));
        return user;
    }

    // False: it was listed before anybody was to be woken for it.
    bool Changed(Listed user, long[] now)
    {
        if (board.VersionOf(user.UserId) is var version && version == user.Version)
            return false;
        (user.Version, user.Number) = (version, number);
        Tell(user, now);
        return true;
    }

    // Takes the user out of rooms that are no longer theirs.
    void Place(Listed user, long[] now)
    {
        if (user.IsWide)
            return;
        if (places + now.Length - user.Rooms.Length > most)
            (user.IsWide, now) = (true, []);
        foreach (var left in ReferenceEquals(user.Rooms, now) ? [] : user.Rooms.Except(now))
        {
            if (rooms.TryGetValue(left, out var log) && log.Remove(user) && log.IsEmpty)
                rooms.Remove(left);
        }
        places += now.Length - user.Rooms.Length;
        user.Rooms = now;
    }

    void Tell(Listed user, long[] now)
    {
        if (user.IsWide)
            wide.Add(number, user);
        foreach (var room in user.IsWide ? [] : now)
            (CollectionsMarshal.GetValueRefOrAddDefault(rooms, room, out _) ??= new PresenceLog()).Add(number, user);
    }
}
