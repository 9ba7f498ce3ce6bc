using Matrix.Replication;
using Matrix.Storage;
using Matrix.Storage.Rooms;
using Npgsql;

namespace Matrix.Rooms.Joining;

/// <summary>A user of this server who has another membership in the whole state than was known.</summary>
readonly record struct MovedMember(Standing Member, string Was);

/// <summary>
/// The members of a room are known from here on: the head's state, and those that the few events made meanwhile stand in, become the whole ones. To whoever
/// joined it is as if that happened now: sync tells of the room anew, with all that was left out.
/// </summary>
/// <param name="roots">From each root without members to the one with them.</param>
/// <param name="counts">How many are joined and invited.</param>
sealed class WholeRoomChange(
    Room room, PartialRoom partial, RoomHead head, StoredEvent join, IReadOnlyDictionary<StateNodeId, StateNodeId> roots, IReadOnlyList<MovedMember> moved,
    (int Joined, int Invited) counts) : LogChange
{
    public override IReadOnlyList<LogEntryDraft> Entries { get; } =
    [
        new(LogKind.StateMerge, room.RoomNid, EventNid: join.EventNid, Key: PartialRooms.Whole),
        new(LogKind.Membership, room.RoomNid, join.StateKey, null, join.EventNid, "join"),
        .. moved.Select(m => new LogEntryDraft(LogKind.Membership, room.RoomNid, m.Member.Event.Key.StateKey, null, m.Member.EventNid, m.Member.Event.Membership ?? "leave")),
    ];

    public override void AddCommands(NpgsqlBatch batch, Func<int, int> back)
    {
        long[] ends = [.. head.Extremities.Select(e => e.EventNid)];
        batch.Add("SELECT advance_room_head($1, $2, $3, $3, $4, $5, log_position($6))",
            room.RoomNid, head.Version, ends, roots[head.StateRoot].ToBytes(), head.Depth, back(Entries.Count - 1));
        batch.Add("SELECT end_partial_room($1, $2)", room.RoomNid, partial.JoinNid);
        AddStates(batch, join, roots);
        // the newest of the user's memberships is this one
        batch.Add("UPDATE memberships SET position = log_position($3) WHERE room_nid = $1 AND user_id = $2", room.RoomNid, join.StateKey, back(1));
        AddMerge(batch, join.StateKey!, join.EventNid, "join", "leave", back(1));
        foreach (var (i, (member, was)) in moved.Index())
        {
            var e = member.Event;
            batch.Add(
                """
                INSERT INTO memberships (room_nid, user_id, membership, event_nid, sender, position, display_name, avatar_url)
                VALUES ($1, $2, $3, $4, $5, log_position($6), $7, $8)
                ON CONFLICT (room_nid, user_id) DO UPDATE SET membership = EXCLUDED.membership, event_nid = EXCLUDED.event_nid, sender = EXCLUDED.sender,
                    position = EXCLUDED.position, display_name = EXCLUDED.display_name, avatar_url = EXCLUDED.avatar_url, forgotten = false
                """,
                room.RoomNid, e.Key.StateKey, e.Membership ?? "leave", member.EventNid, e.Sender, back(2 + i), e.DisplayName, e.AvatarUrl);
            AddMerge(batch, e.Key.StateKey, member.EventNid, e.Membership ?? "leave", was, back(2 + i));
        }
        batch.Add("UPDATE room_summaries SET joined_count = $2, invited_count = $3 WHERE room_nid = $1", room.RoomNid, counts.Joined, counts.Invited);
    }

    /// <summary>Puts the whole states where those without members are: the only ones of stored events that are ever written twice.</summary>
    internal static void AddStates(NpgsqlBatch batch, StoredEvent join, IReadOnlyDictionary<StateNodeId, StateNodeId> roots)
    {
        var command = batch.Add(
            """
            UPDATE events e SET state_before = b.whole, room_state = r.whole
            FROM unnest($3::bytea[], $4::bytea[]) AS b (was, whole), unnest($3::bytea[], $4::bytea[]) AS r (was, whole)
            WHERE e.room_nid = $1 AND e.position >= $2 AND e.state_before = b.was AND e.room_state = r.was
            """, join.RoomNid, join.Position!.Value);
        Writing.StateNodeRows.AddBytes(command, [.. roots.Keys.Select(root => root.ToBytes())]);
        Writing.StateNodeRows.AddBytes(command, [.. roots.Values.Select(root => root.ToBytes())]);
    }

    void AddMerge(NpgsqlBatch batch, string user, long eventNid, string membership, string was, int back) => batch.Add(
        "INSERT INTO membership_merges (user_id, position, room_nid, event_nid, membership, was) VALUES ($1, log_position($2), $3, $4, $5, $6)",
        user, back, room.RoomNid, eventNid, membership, was);
}
