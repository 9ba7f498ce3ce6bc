-- An event whose past is not all here leaves positions free below it, so that what is missing finds its place in the room's timeline when somebody asks for
-- it (docs/adr/0038). The log's own order has holes there: an entry says how many positions before it nobody has.
ALTER TABLE log ADD COLUMN skipped bigint NOT NULL DEFAULT 0;

CREATE FUNCTION log_begin(of_writer uuid, batch_number bigint, entries int, skip bigint) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    IF skip > 0 THEN
        UPDATE log_head SET position = position + skip;
    END IF;
    RETURN log_begin(of_writer, batch_number, entries);
END $$;

-- Right below the event at this position of the room's timeline others are missing.
CREATE TABLE timeline_gaps (
    room_nid bigint NOT NULL,
    above    bigint NOT NULL,
    depth    bigint NOT NULL,    -- of that event: what is no deeper than it, and came later, has its missing past in this gap too
    PRIMARY KEY (room_nid, above)
);

-- In which gap an end of the known past is; null: in the oldest, where a version before this one has written it.
ALTER TABLE backward_extremities ADD COLUMN above bigint;
CREATE INDEX backward_extremities_gap ON backward_extremities (room_nid, above);

-- Until now all of a room's missing past was placed below everything.
INSERT INTO timeline_gaps (room_nid, above, depth)
SELECT r.room_nid, e.position, e.depth FROM (SELECT DISTINCT room_nid FROM backward_extremities) r
CROSS JOIN LATERAL (SELECT position, depth FROM events WHERE room_nid = r.room_nid AND position IS NOT NULL ORDER BY position LIMIT 1) e;
UPDATE backward_extremities b SET above = g.above FROM timeline_gaps g WHERE g.room_nid = b.room_nid;

-- Do all programs that use this database know what a migration brought? The release before, which may run beside this one, does not where it came in an upgrade
-- less than so long ago; a new database never had one.
CREATE FUNCTION is_known_to_all(migration text, upgrade interval) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM schema_migrations WHERE name = migration
        AND (applied_at < now() - upgrade OR applied_at < (SELECT min(applied_at) FROM schema_migrations) + interval '1 minute'))
$$;
