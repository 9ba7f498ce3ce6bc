using Matrix.Protocol;
using Matrix.Rooms.Unread;
using Matrix.Storage.Caching;
using Matrix.Storage.Rooms;

namespace Matrix.Pusher.Judging;

/// <summary>What is unread for a user, in all rooms, and in one.</summary>
/// <param name="InRoom">Null: the user is not in the room.</param>
readonly record struct Badge(int Count, int? InRoom);

/// <summary>Counts what is unread for users in the rooms that they are in; an invite counts as one.</summary>
sealed class Badges(MembershipStore memberships, UnreadCounts counts, PushOptions options, Caches caches)
{
    readonly BoundedCache<string, UserRooms> rooms = caches.Create<string, UserRooms>(
        "pusher_user_rooms", 8 << 20, (user, own) => Caches.WeightOf(user) + 60 + (8L * own.Joined.Count));
    int changes;

    /// <summary>The user has come to a room, or left one.</summary>
    public void Changed(string userId)
    {
        Interlocked.Increment(ref changes);
        rooms.Remove(userId);
    }

    public async ValueTask<Badge> Get(string userId, long? roomNid, CancellationToken ct)
    {
        var own = await Rooms(userId, ct);
        var unread = await counts.Get(userId, own.Joined, ct);
        var count = own.Invites;
        foreach (var room in unread.Values)
        {
            var notifications = room.Total.Notifications;
            count += options.GroupUnreadCountByRoom ? Math.Min(1, notifications) : notifications;
        }
        return new Badge(count, roomNid is { } nid && unread.TryGetValue(nid, out var here) ? here.Total.Notifications : null);
    }

    async ValueTask<UserRooms> Rooms(string userId, CancellationToken ct)
    {
        if (rooms.TryGet(userId, out var known))
            return known;
        var before = Volatile.Read(ref changes);
        var rows = await memberships.ListOfUser(UserId.Parse(userId), ["join", "invite"], ct);
        known = new UserRooms([.. rows.Where(row => row.Membership == "join").Select(row => row.RoomNid)], rows.Count(row => row.Membership == "invite"));
        if (Volatile.Read(ref changes) == before)
            rooms.Set(userId, known);
        return known;
    }

    sealed record UserRooms(IReadOnlyCollection<long> Joined, int Invites);
}
