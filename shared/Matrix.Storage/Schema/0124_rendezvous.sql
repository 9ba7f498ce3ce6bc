-- A place where two devices meet that know only its id: each sees what the other last put there (MSC4108, MSC4388). Gone after minutes; nothing
-- is lost with it but the attempt to sign in, so the table is not in the write-ahead log.
CREATE UNLOGGED TABLE rendezvous (
    rendezvous_id text PRIMARY KEY,
    payload       text NOT NULL,
    content_type  text NOT NULL,
    sequence      text NOT NULL,         -- another one for each payload
    changed_at    timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL
);
CREATE INDEX rendezvous_expiry ON rendezvous (expires_at);
