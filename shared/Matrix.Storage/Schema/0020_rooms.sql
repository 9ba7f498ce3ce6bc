-- Room and event numbers are handed out to processes in blocks, so that a thing has its number before its transaction begins.
CREATE SEQUENCE room_nids INCREMENT BY 20;
CREATE SEQUENCE event_nids INCREMENT BY 1000;

CREATE TABLE rooms (
    room_nid   bigint PRIMARY KEY,
    room_id    text NOT NULL UNIQUE,
    version    text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- No foreign key to rooms: each check would lock and rewrite the room's row.
CREATE TABLE events (
    event_nid        bigint PRIMARY KEY,
    event_id         text NOT NULL UNIQUE,
    room_nid         bigint NOT NULL,
    position         bigint,          -- in the log; null: outlier or rejected; negative, descending: backfilled history
    depth            bigint NOT NULL,
    type             text NOT NULL,
    state_key        text,
    sender           text NOT NULL,
    origin_server_ts bigint NOT NULL,
    json             bytea NOT NULL,  -- canonical JSON as it was signed, without event_id
    state_before     bytea,           -- state root that the event was authorised in; null: outlier
    room_state       bytea,           -- the room's current state root once this event's position is reached
    rejected         text,            -- why, or null
    soft_failed      boolean NOT NULL DEFAULT false,
    redacted_by      bigint           -- event_nid of the redaction that applies
);
CREATE UNIQUE INDEX events_timeline ON events (room_nid, position) WHERE position IS NOT NULL;

CREATE TABLE event_edges (
    event_nid     bigint NOT NULL,
    prev_event_id text NOT NULL,
    PRIMARY KEY (event_nid, prev_event_id)
);
CREATE INDEX event_edges_prev ON event_edges (prev_event_id);

-- Forward extremities, current state and depth, with the version that writers compare and swap.
CREATE TABLE room_heads (
    room_nid    bigint PRIMARY KEY REFERENCES rooms,
    version     bigint NOT NULL,
    extremities bigint[] NOT NULL,  -- event_nids
    state_root  bytea NOT NULL,
    depth       bigint NOT NULL,
    position    bigint NOT NULL     -- of the newest event
);

-- Moves a room's head from the version it was read at; fails the whole batch when another writer was first.
CREATE FUNCTION advance_room_head(room bigint, expected bigint, new_extremities bigint[], new_root bytea, new_depth bigint, new_position bigint)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE room_heads SET version = expected + 1, extremities = new_extremities, state_root = new_root, depth = new_depth,
        position = new_position
    WHERE room_nid = room AND version = expected;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the head of room % is no longer at version %', room, expected USING ERRCODE = 'MX001';
    END IF;
END $$;

-- Immutable, content-addressed nodes of the rooms' state trees.
CREATE TABLE state_nodes (
    node_id bytea PRIMARY KEY,   -- first 16 bytes of the SHA-256 of data
    data    bytea NOT NULL
);

-- One row for each (room, user) that has ever had a membership; current state, kept with the log entry that changes it.
CREATE TABLE memberships (
    room_nid     bigint NOT NULL,
    user_id      text NOT NULL,
    membership   text NOT NULL,   -- join, invite, knock, leave, ban
    event_nid    bigint NOT NULL,
    sender       text NOT NULL,
    position     bigint NOT NULL,
    display_name text,
    avatar_url   text,
    forgotten    boolean NOT NULL DEFAULT false,
    PRIMARY KEY (room_nid, user_id)
);
CREATE INDEX memberships_of_user ON memberships (user_id, membership, room_nid);

-- What a client may repeat: the event that a device's transaction id made. Its retries get the same event.
CREATE TABLE event_transactions (
    user_id    text NOT NULL,
    device_id  text NOT NULL,
    room_nid   bigint NOT NULL,
    txn_id     text NOT NULL,
    event_id   text NOT NULL,
    event_nid  bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, device_id, room_nid, txn_id)
);
CREATE INDEX event_transactions_event ON event_transactions (event_nid);

CREATE TABLE room_aliases (
    alias    text PRIMARY KEY,
    room_nid bigint NOT NULL REFERENCES rooms,
    creator  text NOT NULL
);
CREATE INDEX room_aliases_room ON room_aliases (room_nid);

-- What lists of rooms show, kept with the log entry that changes it.
CREATE TABLE room_summaries (
    room_nid           bigint PRIMARY KEY REFERENCES rooms,
    published          boolean NOT NULL DEFAULT false,
    joined_count       int NOT NULL DEFAULT 0,
    invited_count      int NOT NULL DEFAULT 0,
    name               text,
    topic              text,
    avatar_url         text,
    canonical_alias    text,
    join_rule          text,
    guest_access       text,
    history_visibility text,
    encryption         text,
    room_type          text
);
CREATE INDEX room_summaries_published ON room_summaries (joined_count DESC, room_nid) WHERE published;
