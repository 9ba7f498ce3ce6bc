using System.Collections.Immutable;
using Matrix.Replication;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync;

/// <summary>The user's rooms as they are at a position.</summary>
sealed record UserRooms(ImmutableDictionary<long, UserMembership> Rooms, LogPosition Position)
{
    /// <summary>Rooms that are not shown yet: their members are not known, and the client would take those that are for all.</summary>
    public IReadOnlyCollection<long> Hidden { get; private init; } = [];

    public UserRooms Without(IReadOnlyCollection<long> hidden) => hidden.Count == 0 ? this : this with { Rooms = Rooms.RemoveRange(hidden), Hidden = hidden };
}
