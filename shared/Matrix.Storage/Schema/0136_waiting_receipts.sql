-- What users of other servers have read that is not here yet. It is looked for with growing pauses, and given up when they are longer than a day.
CREATE TABLE waiting_receipts (
    room_nid  bigint NOT NULL,
    user_id   text NOT NULL,
    thread_id text NOT NULL,
    event_id  text NOT NULL,
    ts        bigint NOT NULL,
    origin    text NOT NULL,
    look_at   timestamptz NOT NULL DEFAULT now() + interval '1 s',
    pause     interval NOT NULL DEFAULT interval '1 s',
    PRIMARY KEY (room_nid, user_id, thread_id)
);
CREATE INDEX waiting_receipts_due ON waiting_receipts (look_at);
CREATE INDEX waiting_receipts_of_origin ON waiting_receipts (origin);
