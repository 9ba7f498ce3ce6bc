-- What was sent on each sliding sync connection, as one value a version (services/client-api/Sync/Sliding/ConnectionState.cs). A pos names a version. There
-- are two at most: the one that the client last showed that it has, and the one that it was given since. The same row serves all answers in which
-- nothing but the position moved.
CREATE TABLE sliding_connections (
    user_id   text NOT NULL,
    device_id text NOT NULL,
    conn_id   text NOT NULL,  -- as the client names it
    version   bigint NOT NULL,
    state     bytea NOT NULL,
    used_at   timestamptz NOT NULL DEFAULT now(),  -- to the day
    PRIMARY KEY (user_id, device_id, conn_id, version),
    FOREIGN KEY (user_id, device_id) REFERENCES devices ON DELETE CASCADE
);
CREATE INDEX sliding_connections_used ON sliding_connections (used_at);
