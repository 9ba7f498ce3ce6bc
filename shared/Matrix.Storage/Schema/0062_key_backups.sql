-- Backups of room keys, encrypted by their owner. Nobody is told of them, so they are not in the log.
CREATE TABLE key_backups (
    user_id   text NOT NULL,
    version   bigint NOT NULL,
    algorithm text NOT NULL,
    auth_data bytea NOT NULL,              -- JSON as it was sent
    etag      bigint NOT NULL DEFAULT 0,   -- grows with every change of the keys
    count     bigint NOT NULL DEFAULT 0,   -- of the keys
    deleted   boolean NOT NULL DEFAULT false,
    PRIMARY KEY (user_id, version)
);

CREATE TABLE backed_up_keys (
    user_id             text NOT NULL,
    version             bigint NOT NULL,
    room_id             text NOT NULL,
    session_id          text NOT NULL,
    first_message_index bigint NOT NULL,
    forwarded_count     bigint NOT NULL,
    is_verified         boolean NOT NULL,
    session_data        bytea NOT NULL,    -- JSON as it was sent
    PRIMARY KEY (user_id, version, room_id, session_id)
);

-- The version that keys are added to; locked, so that writers come one after the other.
CREATE FUNCTION lock_key_backup(owner text) RETURNS bigint LANGUAGE sql AS $$
    SELECT version FROM key_backups WHERE user_id = owner AND NOT deleted ORDER BY version DESC LIMIT 1 FOR UPDATE
$$;

-- Adds keys to a backup if it is the current one; a key is replaced by a better one only. Returns the current version, which may be another.
CREATE FUNCTION store_backed_up_keys(
    owner text, wanted bigint, rooms text[], sessions text[], indexes bigint[], forwarded bigint[], verified boolean[], data bytea[])
RETURNS TABLE (current_version bigint, new_etag bigint, new_count bigint) LANGUAGE plpgsql AS $$
DECLARE
    of_version bigint := lock_key_backup(owner);
    changed bigint;
    added bigint;
BEGIN
    IF of_version IS DISTINCT FROM wanted THEN
        RETURN QUERY SELECT of_version, 0::bigint, 0::bigint;
        RETURN;
    END IF;
    WITH written AS (
        INSERT INTO backed_up_keys AS old
            (user_id, version, room_id, session_id, first_message_index, forwarded_count, is_verified, session_data)
        SELECT owner, of_version, k.* FROM unnest(rooms, sessions, indexes, forwarded, verified, data) AS k
        ON CONFLICT (user_id, version, room_id, session_id) DO UPDATE SET first_message_index = excluded.first_message_index,
            forwarded_count = excluded.forwarded_count, is_verified = excluded.is_verified, session_data = excluded.session_data
        WHERE (NOT excluded.is_verified, excluded.first_message_index, excluded.forwarded_count)
            < (NOT old.is_verified, old.first_message_index, old.forwarded_count)
        RETURNING old.xmax = 0 AS is_new)
    SELECT count(*), count(*) FILTER (WHERE is_new) INTO changed, added FROM written;
    RETURN QUERY UPDATE key_backups b SET etag = b.etag + sign(changed)::bigint, count = b.count + added
        WHERE b.user_id = owner AND b.version = of_version RETURNING b.version, b.etag, b.count;
END $$;

-- Deletes keys of a backup: one, those of a room, or all. Returns no row when there is no such backup.
CREATE FUNCTION delete_backed_up_keys(owner text, wanted bigint, of_room text, of_session text)
RETURNS TABLE (current_version bigint, new_etag bigint, new_count bigint) LANGUAGE plpgsql AS $$
DECLARE
    gone bigint;
BEGIN
    PERFORM 1 FROM key_backups WHERE user_id = owner AND version = wanted AND NOT deleted FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    WITH deleted AS (
        DELETE FROM backed_up_keys WHERE user_id = owner AND version = wanted
            AND (of_room IS NULL OR room_id = of_room) AND (of_session IS NULL OR session_id = of_session)
        RETURNING 1)
    SELECT count(*) INTO gone FROM deleted;
    RETURN QUERY UPDATE key_backups b SET etag = b.etag + sign(gone)::bigint, count = b.count - gone
        WHERE b.user_id = owner AND b.version = wanted RETURNING b.version, b.etag, b.count;
END $$;
