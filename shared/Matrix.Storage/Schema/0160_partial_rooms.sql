-- Rooms of other servers that somebody here has joined and whose members are not known yet (ADR 28). Begins with the join; whoever makes the room whole
-- deletes it in the same change. Nothing here: no such room.
CREATE TABLE partial_rooms (
    room_nid bigint PRIMARY KEY,
    join_nid bigint NOT NULL,          -- the event by which this server came in: the state before it is asked for
    told_by  text NOT NULL,            -- who told the rest of the state
    due_at   timestamptz NOT NULL DEFAULT now(),   -- whoever works on it moves it ahead
    holder   uuid,
    attempts int NOT NULL DEFAULT 0,
    since    timestamptz NOT NULL DEFAULT now()
);

-- The room is whole: fails the whole change when somebody else was first, or the room was joined anew.
CREATE FUNCTION end_partial_room(room bigint, joined_by bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM partial_rooms WHERE room_nid = room AND join_nid = joined_by;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'room % is not partial since event % any more', room, joined_by USING ERRCODE = 'MX001';
    END IF;
END $$;

-- Which servers are in a room, as another server tells it: one user of each is known of, until the members are.
CREATE FUNCTION tell_room_servers(room bigint, told text[], at_position bigint) RETURNS void LANGUAGE sql AS $$
    SELECT change_room_servers(room, array_agg(server), array_agg(difference), array_agg(at_position)) FROM (
        SELECT coalesce(t.server, s.server) AS server, CASE WHEN t.server IS NULL THEN 0 ELSE 1 END - coalesce(s.joined, 0) AS difference
        FROM (SELECT DISTINCT unnest(told) AS server) t
        FULL JOIN (SELECT server, joined FROM room_servers WHERE room_nid = room) s ON s.server = t.server) AS changed
    WHERE difference <> 0 HAVING count(*) > 0
$$;
