using Npgsql;

namespace Matrix.Storage.Sync;

/// <summary>A user's current membership of a room that is not over.</summary>
/// <param name="Position">Of the membership event.</param>
public sealed record UserMembership(long RoomNid, string RoomId, string Membership, long EventNid, long Position);

/// <summary>Where an event stands in a room's timeline.</summary>
/// <param name="AfterGap">Others are missing right before it.</param>
public sealed record TimelinePlace(long RoomNid, long EventNid, long Position, bool AfterGap)
{
    /// <summary>Of a place that is not read from: whether others are missing before it does not matter.</summary>
    public TimelinePlace(long roomNid, long eventNid, long position) : this(roomNid, eventNid, position, false)
    {
    }
}

/// <param name="RoomState">A root, or null before the room's first event.</param>
/// <param name="IsPartial">The members are not known yet: it is not all of the state.</param>
public sealed record StateAt(long RoomNid, long Position, byte[]? RoomState, bool IsPartial);

/// <param name="Heroes">Up to six members in the order of their membership events: joined and invited ones, or the former ones when there is no other.</param>
public sealed record RoomCounts(long RoomNid, int JoinedCount, int InvitedCount, string[] Heroes);

/// <summary>What sync and history read. Queries over a range take (after, upTo]: positions above the first, up to and including the second.</summary>
public sealed class SyncStore(NpgsqlDataSource db)
{
    /// <summary>Rooms the user is in, invited to or knocking at.</summary>
    public Task<IReadOnlyList<UserMembership>> ListMemberships(string userId, CancellationToken ct) => db.List<UserMembership>(
        """
        SELECT m.room_nid, r.room_id, m.membership, m.event_nid, m.position
        FROM memberships m JOIN rooms r USING (room_nid)
        WHERE m.user_id = @userId AND m.membership IN ('join', 'invite', 'knock')
        """, new { userId }, ct);

    /// <summary>Rooms the user has left or was banned from, and has not forgotten.</summary>
    public Task<IReadOnlyList<UserMembership>> ListLeft(string userId, CancellationToken ct) => db.List<UserMembership>(
        """
        SELECT m.room_nid, r.room_id, m.membership, m.event_nid, m.position
        FROM memberships m JOIN rooms r USING (room_nid)
        WHERE m.user_id = @userId AND m.membership IN ('leave', 'ban') AND NOT m.forgotten
        """, new { userId }, ct);

    /// <summary>
    /// The user's own membership events, oldest first, and what stood at merges of branches, with the merge's position (number 0: nothing). By the index
    /// events_own_memberships and the primary key of membership_merges.
    /// </summary>
    public Task<IReadOnlyList<TimelinePlace>> ListOwnMemberships(string userId, long after, long upTo, CancellationToken ct) =>
        db.List<TimelinePlace>(
        """
        SELECT room_nid, event_nid, position FROM events
        WHERE type = 'm.room.member' AND state_key = @userId AND position > @after AND position <= @upTo AND NOT merged
        UNION ALL
        SELECT room_nid, coalesce(event_nid, 0), position FROM membership_merges
        WHERE user_id = @userId AND position > @after AND position <= @upTo
        ORDER BY position
        """, new { userId, after, upTo }, ct);

    /// <summary>Those of the rooms in which branches met in (after, upTo]: their state changed by more than their events. By the index events_merged.</summary>
    public Task<IReadOnlyList<long>> ListMergedRooms(long[] rooms, long after, long upTo, CancellationToken ct) => db.List<long>(
        """
        SELECT DISTINCT room_nid FROM events
        WHERE room_nid = ANY(@rooms) AND position > @after AND position <= @upTo AND merged
        """, new { rooms, after, upTo }, ct);

    /// <summary>What the user's membership was before a merge of branches changed it, or null: there was none at the position.</summary>
    public Task<string?> FindMembershipBeforeMerge(string userId, long position, CancellationToken ct) => db.FindOne<string>(
        "SELECT was FROM membership_merges WHERE user_id = @userId AND position = @position", new { userId, position }, ct);

    /// <summary>Those of the rooms in which an event took a position above <paramref name="after"/>.</summary>
    public Task<IReadOnlyList<long>> ListChangedRooms(long[] rooms, long after, CancellationToken ct) => db.List<long>(
        "SELECT room_nid FROM room_heads WHERE room_nid = ANY(@rooms) AND position > @after", new { rooms, after }, ct);

    /// <summary>
    /// The newest <paramref name="limit"/> events of each room in (after[i], upTo[i]], newest first. By the index events_timeline.
    /// </summary>
    public Task<IReadOnlyList<TimelinePlace>> ListNewest(long[] rooms, long[] after, long[] upTo, int limit, CancellationToken ct) =>
        db.List<TimelinePlace>(
        """
        SELECT e.room_nid, e.event_nid, e.position, e.position = ANY(g.gaps) AS after_gap
        FROM unnest(@rooms, @after, @upTo) AS r (nid, after, up_to)
        CROSS JOIN LATERAL (SELECT ARRAY(SELECT above FROM timeline_gaps WHERE room_nid = r.nid) AS gaps) g
        CROSS JOIN LATERAL (
            SELECT room_nid, event_nid, position FROM events
            WHERE room_nid = r.nid AND position > r.after AND position <= r.up_to
            ORDER BY position DESC LIMIT @limit) e
        """, new { rooms, after, upTo, limit }, ct);

    /// <summary>
    /// The root of each room's state at a position: as it was after the newest event up to there, or before the first event that this server has of the
    /// room. By the index events_timeline.
    /// </summary>
    public Task<IReadOnlyList<StateAt>> ListStatesAt(long[] rooms, long[] positions, CancellationToken ct) => db.List<StateAt>(
        """
        SELECT r.nid AS room_nid, r.at AS position, coalesce(
            (SELECT room_state FROM events WHERE room_nid = r.nid AND position <= r.at ORDER BY position DESC LIMIT 1),
            (SELECT state_before FROM events WHERE room_nid = r.nid AND position > greatest(r.at, 0) ORDER BY position LIMIT 1)) AS room_state,
            EXISTS (SELECT FROM partial_rooms p WHERE p.room_nid = r.nid) AS is_partial
        FROM unnest(@rooms, @positions) AS r (nid, at)
        """, new { rooms, positions }, ct);

    /// <summary>The newest of the user's own membership events in a room, newest first. By the index events_own_memberships.</summary>
    public Task<IReadOnlyList<TimelinePlace>> ListOwnMembershipsInRoom(string userId, long room, int limit, CancellationToken ct) =>
        db.List<TimelinePlace>(
        """
        SELECT room_nid, event_nid, position FROM events
        WHERE type = 'm.room.member' AND state_key = @userId AND room_nid = @room AND position IS NOT NULL AND NOT merged
        UNION ALL
        SELECT room_nid, coalesce(event_nid, 0), position FROM membership_merges
        WHERE user_id = @userId AND room_nid = @room
        ORDER BY position DESC LIMIT @limit
        """, new { userId, room, limit }, ct);

    /// <summary>Events by number, in no order. What does not exist is left out.</summary>
    public Task<IReadOnlyList<EventRow>> ListEvents(long[] eventNids, CancellationToken ct) => db.List<EventRow>(
        $"{SelectEvent} WHERE e.event_nid = ANY(@eventNids)", new { eventNids }, ct);

    /// <summary>The numbers of events.</summary>
    public Task<IReadOnlyList<long>> ListNids(string[] eventIds, CancellationToken ct) => db.List<long>(
        "SELECT event_nid FROM events WHERE event_id = ANY(@eventIds)", new { eventIds }, ct);

    /// <summary>The number of an event that is part of a room: not rejected, not an outlier.</summary>
    public Task<long?> FindEvent(string roomId, string eventId, CancellationToken ct) => db.FindOne<long?>(
        """
        SELECT e.event_nid FROM events e JOIN rooms r USING (room_nid)
        WHERE e.event_id = @eventId AND r.room_id = @roomId AND e.position IS NOT NULL AND NOT e.soft_failed
        """, new { roomId, eventId }, ct);

    /// <summary>Counts and heroes of rooms. By the index memberships_present, except in rooms where nobody else is left.</summary>
    public Task<IReadOnlyList<RoomCounts>> ListCounts(long[] rooms, CancellationToken ct) => db.List<RoomCounts>(
        """
        SELECT s.room_nid, s.joined_count, s.invited_count,
            CASE WHEN s.joined_count + s.invited_count > 1
                THEN ARRAY(
                    SELECT user_id FROM memberships m WHERE m.room_nid = s.room_nid AND m.membership IN ('join', 'invite')
                    ORDER BY m.position LIMIT 6)
                ELSE ARRAY(
                    SELECT user_id FROM memberships m WHERE m.room_nid = s.room_nid
                    ORDER BY m.membership NOT IN ('join', 'invite'), m.position LIMIT 6)
            END AS heroes
        FROM room_summaries s WHERE s.room_nid = ANY(@rooms)
        """, new { rooms }, ct);

    /// <summary>The positions that a restored database knows nothing of.</summary>
    public Task<IReadOnlyList<LostRange>> ListLost(CancellationToken ct) => db.List<LostRange>("SELECT lost_after, lost_before FROM log_restores", null, ct);

    /// <summary>The newest position that is committed.</summary>
    public Task<long?> FindLogHead(CancellationToken ct) => db.FindOne<long?>("SELECT position FROM log_head", null, ct);

    const string SelectEvent =
        """
        SELECT e.event_nid, e.event_id, e.room_nid, r.room_id, r.version, e.position, e.type, e.state_key, e.sender, e.origin_server_ts,
            e.json, e.state_before, e.room_state, e.redacted_by, t.device_id, t.txn_id,
            EXISTS (SELECT FROM partial_rooms p WHERE p.room_nid = e.room_nid) AS is_tentative
        FROM events e JOIN rooms r USING (room_nid) LEFT JOIN event_transactions t ON t.event_nid = e.event_nid
        """;
}

/// <summary>Between these positions, both not among them, the log has nothing.</summary>
public sealed record LostRange(long LostAfter, long LostBefore);
