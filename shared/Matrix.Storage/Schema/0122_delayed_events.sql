-- Events that a client wants sent later, unless it takes them back (MSC4140).
CREATE TABLE delayed_events (
    delay_id     text PRIMARY KEY,            -- a secret: who knows it may cancel, restart or send
    user_id      text NOT NULL REFERENCES users ON DELETE CASCADE,
    device_id    text NOT NULL,
    txn_id       text,                        -- of the request that scheduled it, where the client gave one
    room_id      text NOT NULL,
    type         text NOT NULL,
    state_key    text,
    content      text NOT NULL,
    delay_ms     bigint NOT NULL,
    scheduled_at timestamptz NOT NULL,        -- or last restarted
    due_at       timestamptz NOT NULL,
    claimed_at   timestamptz,                 -- a process has begun to send it: it can no longer be taken back
    finalised_at timestamptz,
    event_id     text,                        -- it was sent
    error        text                         -- {"errcode", "error"}: it could not be sent
);
CREATE INDEX delayed_events_due ON delayed_events (due_at) WHERE finalised_at IS NULL;
CREATE INDEX delayed_events_of_user ON delayed_events (user_id, due_at) WHERE finalised_at IS NULL;
CREATE UNIQUE INDEX delayed_events_transaction ON delayed_events (user_id, device_id, room_id, txn_id) WHERE txn_id IS NOT NULL;
CREATE INDEX delayed_events_finalised ON delayed_events (finalised_at) WHERE finalised_at IS NOT NULL;
