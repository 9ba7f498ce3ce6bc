-- After the database was put back from a backup, positions that were given out since then mean nothing: the log goes on far beyond them, and a token
-- in between is one that the log has never reached.
CREATE TABLE log_restores (
    lost_after  bigint PRIMARY KEY, -- the newest position of the backup
    lost_before bigint NOT NULL,    -- where the log went on
    restored_at timestamptz NOT NULL DEFAULT now()
);
