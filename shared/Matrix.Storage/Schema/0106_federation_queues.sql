-- Queues to other servers. Destinations are spread over shards by a hash of their name; a shard belongs to the replica that holds its lease.

-- Everything up to the position was delivered to all destinations of the shard, except to those that have a cursor of their own.
CREATE TABLE federation_shards (
    shard    smallint PRIMARY KEY,
    position bigint NOT NULL DEFAULT 0,
    fence    bigint NOT NULL           -- of the lease of who writes here: a late holder's writes change nothing
) WITH (fillfactor = 50);

-- A destination that lags behind its shard, or fails. The others need no row.
CREATE TABLE federation_destinations (
    server          text PRIMARY KEY,
    shard           smallint NOT NULL,
    lags            boolean NOT NULL,
    position        bigint NOT NULL,    -- while it lags: everything up to here was delivered
    failing_since   timestamptz,
    retry_at        timestamptz,
    retry_interval  interval,
    last_failure    text
) WITH (fillfactor = 50);
CREATE INDEX federation_destinations_shard ON federation_destinations (shard) WHERE lags OR failing_since IS NOT NULL;

-- The replicas that deliver, so that each takes its share of the shards.
CREATE TABLE federation_senders (
    replica uuid PRIMARY KEY,
    seen_at timestamptz NOT NULL
) WITH (fillfactor = 50);

-- Messages to devices of other servers, as the EDUs that carry them. Deleted once delivered.
CREATE TABLE outgoing_messages (
    server   text NOT NULL,
    position bigint NOT NULL,   -- of the log entry that tells of them
    number   int NOT NULL,
    edu      bytea NOT NULL,    -- the content of an m.direct_to_device
    PRIMARY KEY (server, position, number)
);
