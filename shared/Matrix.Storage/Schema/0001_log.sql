-- The log: one commit-ordered sequence of everything that a client, a pusher or another server can be told later.

-- One row. Updating it takes the log's lock: whoever holds it allocates positions, and they become visible in order,
-- because the next writer waits for this one's commit.
CREATE TABLE log_head (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    position bigint NOT NULL
) WITH (fillfactor = 10); -- rewritten by every commit: its dead versions are pruned within the page
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

-- One row for each log writer (a process), so that after a lost connection it can find out whether its last batch was committed,
-- and make sure that a batch that was not yet committed never will be.
CREATE TABLE log_writers (
    writer   uuid PRIMARY KEY,
    batch    bigint NOT NULL,      -- its newest committed batch
    position bigint NOT NULL,      -- of that batch's last entry
    fenced   bigint NOT NULL,      -- its batches up to this number can no longer be committed
    seen_at  timestamptz NOT NULL
) WITH (fillfactor = 10);

-- Begins a batch: takes the log's lock, allocates its positions and returns the last one. The lock comes first, so that a batch that
-- still waits for it does not hold up the writer that fences it.
CREATE FUNCTION log_begin(of_writer uuid, batch_number bigint, entries int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    last_position bigint;
BEGIN
    UPDATE log_head SET position = log_head.position + entries RETURNING log_head.position INTO last_position;
    UPDATE log_writers SET batch = batch_number, position = last_position, seen_at = now()
    WHERE writer = of_writer AND fenced < batch_number;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'batch % of the log writer % is fenced', batch_number, of_writer USING ERRCODE = 'MX002';
    END IF;
    RETURN last_position;
END $$;

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
