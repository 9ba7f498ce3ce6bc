-- Which other servers are in a room: how many of their users are joined, since when, and until when. A server that has left keeps its row, so that
-- what happened while it was there, its leave among it, is still sent to it. Kept by the log entry that changes a membership.
CREATE TABLE room_servers (
    room_nid bigint NOT NULL,
    server   text NOT NULL,
    joined   int NOT NULL,
    since    bigint NOT NULL,   -- position of the entry by which its first user came
    left_at  bigint,            -- position of the entry by which its last user went; null: somebody is there
    PRIMARY KEY (room_nid, server)
);
CREATE INDEX room_servers_of_server ON room_servers (server, room_nid);

CREATE FUNCTION change_room_servers(room bigint, servers text[], differences int[], positions bigint[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO room_servers AS old (room_nid, server, joined, since, left_at)
    SELECT room, d.server, d.difference, d.position, CASE WHEN d.difference > 0 THEN NULL ELSE d.position END
    FROM unnest(servers, differences, positions) AS d (server, difference, position)
    ON CONFLICT (room_nid, server) DO UPDATE SET joined = old.joined + excluded.joined,
        since = CASE WHEN old.joined > 0 THEN old.since ELSE excluded.since END,
        left_at = CASE WHEN old.joined + excluded.joined > 0 THEN NULL WHEN old.joined > 0 THEN excluded.since ELSE old.left_at END
$$;

-- The same from the memberships as they are: for whoever writes many of them at once.
CREATE FUNCTION recount_room_servers(room bigint, own_server text, at_position bigint) RETURNS void LANGUAGE sql AS $$
    SELECT change_room_servers(room, array_agg(server), array_agg(difference::int), array_agg(at_position)) FROM (
        SELECT coalesce(m.server, s.server) AS server, coalesce(m.joined, 0) - coalesce(s.joined, 0) AS difference
        FROM (SELECT substring(user_id FROM position(':' IN user_id) + 1) AS server, count(*) AS joined
              FROM memberships WHERE room_nid = room AND membership = 'join' GROUP BY 1) m
        FULL JOIN (SELECT server, joined FROM room_servers WHERE room_nid = room) s ON s.server = m.server
        WHERE coalesce(m.server, s.server) <> own_server) AS changed
    WHERE difference <> 0 HAVING count(*) > 0
$$;

SELECT recount_room_servers(room_nid, server_name, position) FROM room_heads, server;

-- Events of other servers that this one has to pass on to all in the room, because they came as a join, a leave or a knock.
CREATE TABLE relayed_events (
    event_nid bigint PRIMARY KEY
);
