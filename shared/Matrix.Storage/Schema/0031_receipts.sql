-- How far each user has read, by kind of receipt and thread.
CREATE TABLE receipts (
    room_nid       bigint NOT NULL,
    user_id        text NOT NULL,
    receipt_type   text NOT NULL,   -- m.read, m.read.private
    thread_id      text NOT NULL,   -- a thread root, 'main', or '' for the whole room
    event_id       text NOT NULL,
    event_position bigint NOT NULL, -- receipts only move forwards
    ts             bigint NOT NULL,
    position       bigint NOT NULL, -- in the log
    PRIMARY KEY (room_nid, user_id, receipt_type, thread_id)
);
CREATE UNIQUE INDEX receipts_position ON receipts (position);
CREATE INDEX receipts_since ON receipts (room_nid, position);
