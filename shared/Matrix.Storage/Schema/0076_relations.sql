-- The event whose bundled aggregations an entry changes, so that they are forgotten without a look at the event.
ALTER TABLE log ADD COLUMN related text;

-- Which event relates to which (Client-Server API, "Forming relationships between events"); a redaction ends it. The target may not be there yet.
CREATE TABLE event_relations (
    event_nid bigint PRIMARY KEY,
    room_nid  bigint NOT NULL,
    position  bigint NOT NULL,   -- of the event
    target    text NOT NULL,     -- event_id
    root      text NOT NULL,     -- where the chain of relations ends that the target is part of
    depth     int NOT NULL,      -- steps to the root
    rel_type  text NOT NULL,
    type      text NOT NULL,
    sender    text NOT NULL,
    ts        bigint NOT NULL,
    key       text,              -- of an annotation
    is_local  boolean NOT NULL,
    has_new_content boolean NOT NULL -- of a replacement: it says what to show instead, or is encrypted and may say so
);
CREATE INDEX event_relations_target ON event_relations (room_nid, target, rel_type, position);
CREATE INDEX event_relations_root ON event_relations (room_nid, root, position);
CREATE INDEX event_relations_thread ON event_relations (room_nid, target, sender) WHERE rel_type = 'm.thread';

-- A user of this server annotates an event once with a key; what other servers let pass does not stop theirs.
CREATE UNIQUE INDEX event_relations_annotation ON event_relations (room_nid, target, sender, type, md5(key)) WHERE rel_type = 'm.annotation' AND is_local;

CREATE TABLE threads (
    room_nid bigint NOT NULL,
    root     text NOT NULL,      -- event_id
    position bigint NOT NULL,    -- of the newest event in it
    count    int NOT NULL,
    PRIMARY KEY (room_nid, root)
);
CREATE INDEX threads_newest ON threads (room_nid, position);

-- Keeps an event's relation. A thread on an event that itself relates to another is refused to the users of this server.
CREATE FUNCTION add_relation(
    of_event bigint, room bigint, at_position bigint, to_event text, of_type text, event_type text, event_sender text, event_ts bigint,
    annotation_key text, by_local boolean, replaces boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    above record;
BEGIN
    SELECT r.root, r.depth INTO above FROM events e JOIN event_relations r USING (event_nid) WHERE e.event_id = to_event AND e.room_nid = room;
    IF of_type = 'm.thread' AND by_local AND above.root IS NOT NULL THEN
        RAISE EXCEPTION 'the event % relates to another and cannot begin a thread', to_event USING ERRCODE = 'MX010';
    END IF;
    INSERT INTO event_relations (event_nid, room_nid, position, target, root, depth, rel_type, type, sender, ts, key, is_local, has_new_content)
    VALUES (of_event, room, at_position, to_event, coalesce(above.root, to_event), coalesce(above.depth, 0) + 1, of_type, event_type, event_sender,
        event_ts, annotation_key, by_local, replaces);
    IF of_type = 'm.thread' THEN
        INSERT INTO threads (room_nid, root, position, count) VALUES (room, to_event, at_position, 1)
        ON CONFLICT (room_nid, root) DO UPDATE SET position = greatest(threads.position, excluded.position), count = threads.count + 1;
    END IF;
END $$;

-- Ends the relation of an event that is redacted.
CREATE FUNCTION remove_relation(redacted text, room bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    gone record;
BEGIN
    DELETE FROM event_relations r USING events e WHERE e.event_id = redacted AND r.event_nid = e.event_nid AND r.room_nid = room
    RETURNING r.target, r.rel_type INTO gone;
    IF gone.rel_type = 'm.thread' THEN
        UPDATE threads t SET count = t.count - 1, position = coalesce(
            (SELECT max(r.position) FROM event_relations r WHERE r.room_nid = room AND r.target = gone.target AND r.rel_type = 'm.thread'), t.position)
        WHERE t.room_nid = room AND t.root = gone.target;
        DELETE FROM threads t WHERE t.room_nid = room AND t.root = gone.target AND t.count <= 0;
    END IF;
END $$;
