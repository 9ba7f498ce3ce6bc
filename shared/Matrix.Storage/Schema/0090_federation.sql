-- Signing keys of other servers. A server that has rotated its keys has several rows; what a key signed after valid_until_ts is not valid.
CREATE TABLE server_keys (
    server_name text NOT NULL,
    key_id text NOT NULL,
    public_key text NOT NULL,
    valid_until_ts bigint NOT NULL,
    fetched_ts bigint NOT NULL,
    document bytea NOT NULL,          -- which signed list it stood in last
    PRIMARY KEY (server_name, key_id)
);

-- The lists as their servers signed them, for those who ask us about others' keys.
CREATE TABLE server_key_documents (
    server_name text NOT NULL,
    hash bytea NOT NULL,
    valid_until_ts bigint NOT NULL,
    document bytea NOT NULL,
    PRIMARY KEY (server_name, hash)
);

-- Servers that do not answer; those that do have no row.
CREATE TABLE destination_retries (
    destination text PRIMARY KEY,
    failing_since timestamptz NOT NULL,
    retry_at timestamptz NOT NULL,
    interval_ms bigint NOT NULL
);
