using System.Collections.Immutable;
using Matrix.Replication;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync;

/// <summary>The user's rooms as they are at a position.</summary>
sealed record UserRooms(ImmutableDictionary<long, UserMembership> Rooms, LogPosition Position);
