-- What other servers have said of their users' devices, for users of whose changes they tell this server because they share a room with one of its users.
CREATE TABLE remote_device_lists (
    user_id    text PRIMARY KEY,
    keys       bytea,            -- JSON: device_keys by id, master_key, self_signing_key; null: they have changed since, and have to be asked for
    position   bigint NOT NULL,  -- of the log before they were asked for
    generation bigint NOT NULL   -- grows with each change that is told of, so that an answer from before it is not kept
);

-- The change of the list before the newest: what other servers are told that the newest builds on.
ALTER TABLE device_lists ADD COLUMN previous bigint;

CREATE OR REPLACE FUNCTION forget_removed_devices(owner text, new_position bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    present text[] := ARRAY(SELECT device_id FROM devices WHERE user_id = owner);
BEGIN
    DELETE FROM device_keys WHERE user_id = owner AND device_id <> ALL (present);
    DELETE FROM one_time_keys WHERE user_id = owner AND device_id <> ALL (present);
    DELETE FROM fallback_keys WHERE user_id = owner AND device_id <> ALL (present);
    DELETE FROM to_device_messages WHERE user_id = owner AND device_id <> ALL (present);
    INSERT INTO device_lists AS old (user_id, position) VALUES (owner, new_position)
    ON CONFLICT (user_id) DO UPDATE SET position = excluded.position, previous = old.position;
END $$;

-- Messages to devices that came from other servers, which may send each again.
CREATE TABLE received_messages (
    origin      text NOT NULL,
    message_id  text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (origin, message_id)
);
CREATE INDEX received_messages_age ON received_messages USING brin (received_at);
