using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Storage;
using Matrix.Storage.Rooms;
using Npgsql;

namespace Matrix.Rooms.Unread;

/// <summary>Changes push rules, and with them what counts from now on in each room that the user is in. What counted before stays.</summary>
public sealed class PushRuleChanges(MembershipStore memberships, RoomFinder rooms, LogWriter log, LogFollower follower)
{
    /// <param name="content">The account data <c>m.push_rules</c>.</param>
    /// <param name="expected">The position of the rules that are replaced, 0 for none.</param>
    /// <exception cref="HeadMovedException">Another device has changed the rules: nothing is stored.</exception>
    public async Task Set(UserId userId, string content, long expected, CancellationToken ct)
    {
        var joined = await rooms.List([.. (await memberships.ListOfUser(userId, ["join"], ct)).Select(row => row.RoomNid)], ct);
        var rules = UserPushRules.Read(userId, content, null);
        var levels = joined.Select(room => (room.RoomNid, Level: rules?.In(room.RoomId).Level ?? NotifyLevel.Ordinary)).ToList();
        var change = new Change(userId, content, expected, [.. levels.Select(l => l.RoomNid)], [.. levels.Select(l => l.Level)]);
        // this process goes by the new rules from here on, the others as soon as they hear of it
        await follower.WaitFor(await log.Append(change, ct), ct);
    }

    sealed class Change(UserId userId, string content, long expected, long[] rooms, NotifyLevel[] levels) : LogChange
    {
        public override IReadOnlyList<LogEntryDraft> Entries { get; } = [new(LogKind.PushRules, UserId: userId.ToString(), Key: EventTypes.PushRules)];

        public override void AddCommands(NpgsqlBatch batch, Func<int, int> back)
        {
            batch.Add("SELECT set_push_rules($1, $2, $3, log_position($4))", userId, content, expected, back(0));
            if (rooms.Length == 0)
                return;
            batch.Add(
                """
                INSERT INTO notify_levels (user_id, room_nid, position, ordinary, threads)
                SELECT $1, l.room_nid, log_position($2), l.ordinary, l.threads
                FROM unnest($3::bigint[], $4::boolean[], $5::boolean[]) AS l (room_nid, ordinary, threads)
                JOIN room_reads r ON r.user_id = $1 AND r.room_nid = l.room_nid AND r.thread_id = ''
                LEFT JOIN LATERAL (SELECT n.ordinary, n.threads FROM notify_levels n
                    WHERE n.user_id = $1 AND n.room_nid = l.room_nid ORDER BY n.position DESC LIMIT 1) n ON true
                WHERE l.ordinary <> coalesce(n.ordinary, true) OR l.threads <> coalesce(n.threads, n.ordinary, true)
                """, userId, back(0), rooms, levels.Select(level => level.Main).ToArray(), levels.Select(level => level.Threads).ToArray());
            // of what lies before the room's read mark only the newest says anything
            batch.Add(
                """
                DELETE FROM notify_levels n USING room_reads r
                WHERE n.user_id = $1 AND r.user_id = $1 AND r.room_nid = n.room_nid AND r.thread_id = '' AND n.position < (
                    SELECT max(o.position) FROM notify_levels o WHERE o.user_id = $1 AND o.room_nid = n.room_nid AND o.position <= r.position)
                """, userId);
        }
    }
}
