-- The log: one commit-ordered sequence of everything that a client, a pusher or another server can be told later.

-- One row. Updating it takes the log's lock: whoever holds it allocates positions, and they become visible in order,
-- because the next writer waits for this one's commit.
CREATE TABLE log_head (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    position bigint NOT NULL
);
INSERT INTO log_head (position) VALUES (0);

CREATE TABLE log (
    position  bigint PRIMARY KEY,
    kind      smallint NOT NULL,  -- LogKind
    room_nid  bigint,             -- whom it concerns: a room, a user, a device, or none
    user_id   text,
    device_id text,
    event_nid bigint,             -- kind event
    key       text                -- what it is within its kind: an account data type, a receipt type, …
);

-- The position of a change while its transaction holds the log's lock: @back entries of this batch come after it.
CREATE FUNCTION log_position(back int) RETURNS bigint LANGUAGE sql STABLE AS
$$ SELECT position - back FROM log_head $$;

-- Work that must happen once is held by a lease; a holder that stops renewing loses it.
CREATE TABLE leases (
    name       text PRIMARY KEY,
    holder     uuid NOT NULL,
    fence      bigint NOT NULL,      -- grows with every change of holder: a late holder's writes can be told apart
    expires_at timestamptz NOT NULL
);
