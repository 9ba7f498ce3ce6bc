-- An administrator stopped the account for a while: a locked one can do nothing but log out, a suspended one can read.
ALTER TABLE users ADD COLUMN is_locked boolean NOT NULL DEFAULT false, ADD COLUMN is_suspended boolean NOT NULL DEFAULT false;

-- What users reported, for whoever moderates the server. What was reported stays named when it is gone.
CREATE TABLE reports (
    report_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    received_at   timestamptz NOT NULL DEFAULT now(),
    reporter      text NOT NULL,
    room_id       text,           -- null: a user is reported
    event_id      text,
    reported_user text,           -- of an event: its sender
    reason        text NOT NULL
);
