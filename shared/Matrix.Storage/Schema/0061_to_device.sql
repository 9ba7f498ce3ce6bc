-- Messages that devices send each other. A device reads those above its token; what its token says it has is deleted in passing.
CREATE TABLE to_device_messages (
    user_id   text NOT NULL,
    device_id text NOT NULL,
    position  bigint NOT NULL,  -- one position for all recipients of a message
    message   bytea NOT NULL,   -- as clients get it: type, sender, content
    PRIMARY KEY (user_id, device_id, position)
);

-- What a client may repeat: a device's transaction is carried out once.
CREATE TABLE to_device_transactions (
    user_id    text NOT NULL,
    device_id  text NOT NULL,
    event_type text NOT NULL,
    txn_id     text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, device_id, event_type, txn_id)
);
CREATE INDEX to_device_transactions_age ON to_device_transactions (created_at);

-- Devices of a user are gone: with them go their keys and their messages, and the list of the user's devices has changed.
CREATE FUNCTION forget_removed_devices(owner text, new_position bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    present text[] := ARRAY(SELECT device_id FROM devices WHERE user_id = owner);
BEGIN
    DELETE FROM device_keys WHERE user_id = owner AND device_id <> ALL (present);
    DELETE FROM one_time_keys WHERE user_id = owner AND device_id <> ALL (present);
    DELETE FROM fallback_keys WHERE user_id = owner AND device_id <> ALL (present);
    DELETE FROM to_device_messages WHERE user_id = owner AND device_id <> ALL (present);
    INSERT INTO device_lists (user_id, position) VALUES (owner, new_position)
    ON CONFLICT (user_id) DO UPDATE SET position = excluded.position;
END $$;
