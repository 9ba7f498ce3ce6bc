using Matrix.Protocol;
using Matrix.Storage;
using Matrix.Storage.Rooms;

namespace Matrix.Rooms.Tests.Forks;

/// <summary>What the tables say of a room, with event ids in place of numbers and positions: the same in two databases with the same history.</summary>
static class RoomTables
{
    static readonly string[] s_queries =
    [
        """
        SELECT concat_ws('|', e.event_id, position IS NULL, rejected IS NOT NULL, soft_failed, merged, (SELECT r.event_id FROM events r WHERE r.event_nid = e.redacted_by))
        FROM events e WHERE room_nid = @nid ORDER BY position NULLS LAST, e.event_id
        """,
        "SELECT concat_ws('|', kind, user_id, e.event_id, key, note, related) FROM log LEFT JOIN events e USING (event_nid) WHERE log.room_nid = @nid ORDER BY log.position",
        """
        SELECT concat_ws('|', m.user_id, membership, e.event_id, m.sender, display_name, forgotten, (SELECT p.event_id FROM events p WHERE p.room_nid = @nid AND p.position = m.position))
        FROM memberships m JOIN events e USING (event_nid) WHERE m.room_nid = @nid ORDER BY 1
        """,
        "SELECT concat_ws('|', joined_count, invited_count, name, topic, join_rule) FROM room_summaries WHERE room_nid = @nid",
        """
        SELECT concat_ws('|', u.user_id, thread_id, e.event_id, notified, highlighted, ordinarily_notified, ordinarily_highlighted)
        FROM unread_marks u JOIN events e USING (room_nid, position) WHERE room_nid = @nid ORDER BY 1
        """,
        "SELECT concat_ws('|', user_id, thread_id, e.event_id) FROM room_reads r LEFT JOIN events e USING (room_nid, position) WHERE room_nid = @nid ORDER BY 1",
        "SELECT concat_ws('|', thread_id, e.event_id) FROM unread_threads t JOIN events e USING (room_nid, position) WHERE room_nid = @nid ORDER BY 1",
        "SELECT concat_ws('|', e.event_id, target, root, r.depth, rel_type) FROM event_relations r JOIN events e USING (event_nid) WHERE r.room_nid = @nid ORDER BY 1",
        "SELECT concat_ws('|', root, e.event_id, count) FROM threads t JOIN events e USING (room_nid, position) WHERE room_nid = @nid ORDER BY 1",
        "SELECT concat_ws('|', event_id) FROM redactions_due WHERE room_nid = @nid ORDER BY 1",
        "SELECT concat_ws('|', event_id) FROM backward_extremities WHERE room_nid = @nid ORDER BY 1",
        """
        SELECT concat_ws('|', e.event_id, x.prev_event_id) FROM event_edges x JOIN events e USING (event_nid) WHERE e.room_nid = @nid ORDER BY 1
        """,
        """
        SELECT concat_ws('|', e.event_id, a.sequence, (SELECT c.event_id FROM auth_index f JOIN events c USING (event_nid) WHERE f.chain = a.chain AND f.sequence = 1))
        FROM auth_index a JOIN events e USING (event_nid) WHERE e.room_nid = @nid ORDER BY 1
        """,
        "SELECT concat_ws('|', server, joined, s.left_at IS NULL) FROM room_servers s WHERE room_nid = @nid ORDER BY 1",
    ];

    public static async Task<string> Read(RoomNode node, Room room)
    {
        var tables = new List<string>();
        foreach (var query in s_queries)
            tables.Add(string.Join('\n', await node.Db.List<string>(query, new { nid = room.RoomNid })));
        var head = (await node.Get<RoomStore>().FindHead(room.RoomNid, default))!;
        tables.Add(string.Join('\n', head.Extremities.Select(e => e.EventId.ToString()).Order(StringComparer.Ordinal)));
        tables.Add(string.Join('\n', (await State(node, room)).Select(e => $"{e.Key} {e.Value}").Order(StringComparer.Ordinal)));
        return string.Join("\n\n", tables);
    }

    public static async Task<Dictionary<StateKeyPair, EventId>> State(RoomNode node, Room room)
    {
        var state = await node.State.ReadAll(await node.State.CurrentRoot(room.RoomNid, default), default);
        var events = await node.Events.Get([.. state.Select(e => e.EventNid)], default);
        return state.ToDictionary(e => e.Key, e => events[e.EventNid].EventId);
    }
}
