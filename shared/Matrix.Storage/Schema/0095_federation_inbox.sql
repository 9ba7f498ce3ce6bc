-- Transactions of other servers that were answered: one that comes again gets the same answer and does nothing.
CREATE TABLE federation_transactions (
    origin      text NOT NULL,
    txn_id      text NOT NULL,
    response    bytea NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (origin, txn_id)
);
CREATE INDEX federation_transactions_age ON federation_transactions (received_at);

-- Events that a server was told we have, which are not part of their rooms yet: what they build on has to be fetched first. Their signatures are checked.
CREATE TABLE federation_inbox (
    inbox_nid bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    origin    text NOT NULL,     -- who sent it
    room_nid  bigint NOT NULL,
    event_id  text NOT NULL,
    json      bytea NOT NULL,    -- canonical
    attempts  int NOT NULL DEFAULT 0,
    UNIQUE (origin, room_nid, event_id)
);
CREATE INDEX federation_inbox_lane ON federation_inbox (origin, room_nid, inbox_nid);

-- One row for each origin and room with events in the inbox, which are taken in their order by one process at a time: whoever moves due_at ahead.
CREATE TABLE federation_lanes (
    origin   text NOT NULL,
    room_nid bigint NOT NULL,
    due_at   timestamptz NOT NULL DEFAULT now(),
    staged   bigint NOT NULL DEFAULT 1,   -- grows when events are added: whoever found the lane empty deletes it as it was then
    holder   uuid,
    PRIMARY KEY (origin, room_nid)
);
CREATE INDEX federation_lanes_due ON federation_lanes (due_at);
