-- Where the log was when: its entries have no time of their own, and old ones are deleted.
CREATE TABLE log_times (
    taken_at timestamptz PRIMARY KEY DEFAULT clock_timestamp(),
    position bigint NOT NULL
);

-- Up to here everybody who follows the log durably has read it. A new durable follower is added here. A destination that was away for so long that
-- the log went on without it has lost nothing but what is sent once: it is caught up by the newest event of each room.
CREATE FUNCTION log_floor() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT least(
        (SELECT position FROM log_head),
        (SELECT position FROM search_cursor),
        (SELECT min(position) FROM push_shards),
        (SELECT min(position) FROM federation_shards))
$$;
