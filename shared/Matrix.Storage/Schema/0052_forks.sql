-- Set: at this event's position the room's state changed by more than this event, because branches of the room met.
ALTER TABLE events ADD COLUMN merged boolean NOT NULL DEFAULT false;
CREATE INDEX events_merged ON events (room_nid, position) WHERE merged;

-- What a merge made of this server's users; their own membership events do not tell it.
CREATE TABLE membership_merges (
    user_id    text NOT NULL,
    position   bigint NOT NULL,  -- of its log entry
    room_nid   bigint NOT NULL,
    event_nid  bigint,           -- the member event that stands now; null: none does
    membership text NOT NULL,
    was        text NOT NULL,
    PRIMARY KEY (user_id, position)
);

-- Events that are not here, though events that are build on them: the ends of what is known of a room's past.
CREATE TABLE backward_extremities (
    room_nid bigint NOT NULL,
    event_id text NOT NULL,
    depth    bigint NOT NULL,    -- of an event that builds on it
    PRIMARY KEY (room_nid, event_id)
);

-- Redactions that came before what they redact.
CREATE TABLE redactions_due (
    room_nid      bigint NOT NULL,
    event_id      text NOT NULL,   -- to be redacted
    redaction_nid bigint NOT NULL,
    PRIMARY KEY (room_nid, event_id, redaction_nid)
);

-- Gives an outlier its place in the room; fails the whole batch when another writer was first.
CREATE FUNCTION place_outlier(nid bigint, at_position bigint, before bytea, after bytea, by_merge boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE events SET position = at_position, state_before = before, room_state = after, merged = by_merge
    WHERE event_nid = nid AND state_before IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'event % is no outlier any more', nid USING ERRCODE = 'MX001';
    END IF;
END $$;
