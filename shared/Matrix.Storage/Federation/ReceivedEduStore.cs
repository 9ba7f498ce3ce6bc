using Npgsql;

namespace Matrix.Storage.Federation;

/// <summary>A room and one of its members.</summary>
public sealed record MemberRoom(string RoomId, string UserId, long RoomNid);

/// <summary>Where a receipt stands.</summary>
/// <param name="Number">Of the receipt, from 1 on.</param>
/// <param name="EventPosition">Null: the event is not here, or the user is not in the room yet.</param>
public sealed record ReceiptPlace(long Number, long RoomNid, long? EventPosition);

/// <summary>What has to be known to take in EDUs of other servers.</summary>
public sealed class ReceivedEduStore(NpgsqlDataSource db)
{
    // of a room whose members are not known yet only the servers are: whoever is of one of them may be a member
    const string IsMember =
        """
        (EXISTS (SELECT FROM memberships m WHERE m.room_nid = r.room_nid AND m.user_id = w.user_id AND m.membership = 'join')
            OR EXISTS (SELECT FROM partial_rooms p JOIN room_servers s USING (room_nid)
                WHERE p.room_nid = r.room_nid AND s.server = substring(w.user_id FROM position(':' IN w.user_id) + 1) AND s.joined > 0))
        """;

    /// <summary>Those of the rooms whose user is joined to them.</summary>
    public Task<IReadOnlyList<MemberRoom>> ListMembers(string[] rooms, string[] users, CancellationToken ct) => db.List<MemberRoom>(
        $"""
        SELECT DISTINCT w.room_id, w.user_id, r.room_nid FROM unnest(@rooms, @users) AS w (room_id, user_id)
        JOIN rooms r USING (room_id) WHERE {IsMember}
        """, new { rooms, users }, ct);

    /// <summary>Those of the receipts whose user is joined to the room, or may be soon.</summary>
    /// <param name="late">Rooms of which earlier events of the server wait: a join may be among them.</param>
    public Task<IReadOnlyList<ReceiptPlace>> ListReceiptPlaces(string[] rooms, string[] users, string[] events, long[] late, CancellationToken ct) => db.List<ReceiptPlace>(
        $"""
        SELECT number, room_nid, CASE WHEN is_member THEN position END AS event_position
        FROM (
            SELECT w.number, r.room_nid, e.position, {IsMember} AS is_member
            FROM unnest(@rooms, @users, @events) WITH ORDINALITY AS w (room_id, user_id, event_id, number)
            JOIN rooms r USING (room_id)
            LEFT JOIN events e ON e.event_id = w.event_id AND e.room_nid = r.room_nid
            WHERE e.rejected IS NULL AND e.soft_failed IS NOT TRUE) AS places
        WHERE is_member OR room_nid = ANY(@late)
        """, new { rooms, users, events, late }, ct);

    /// <summary>Those of the users who are in any room here, or may be: of a room whose members are not known yet only the servers are. By memberships_of_user.</summary>
    public Task<IReadOnlyList<string>> ListPresent(string[] users, CancellationToken ct) => db.List<string>(
        """
        SELECT user_id FROM unnest(@users) AS u (user_id)
        WHERE EXISTS (SELECT FROM memberships m WHERE m.user_id = u.user_id AND m.membership = 'join')
            OR EXISTS (SELECT FROM partial_rooms p JOIN room_servers s USING (room_nid)
                WHERE s.server = substring(u.user_id FROM position(':' IN u.user_id) + 1) AND s.joined > 0)
        """, new { users }, ct);

    /// <summary>Forgets messages that no server sends again any more.</summary>
    public Task<int> DeleteMessages(TimeSpan olderThan, CancellationToken ct) => db.Execute(
        "DELETE FROM received_messages WHERE received_at < now() - @olderThan", new { olderThan }, ct);

    /// <summary>Fails when the message was received before.</summary>
    public static void AddMessage(NpgsqlBatch batch, string origin, string messageId) => batch.Add(
        "INSERT INTO received_messages (origin, message_id) VALUES ($1, $2)", origin, messageId);
}
