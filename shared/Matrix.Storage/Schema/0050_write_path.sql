-- Writers of one process plan on events of this process that are still on their way. If these fail, another process may bring the head to the
-- very version that was expected: so the events that it was built on are compared too.
CREATE FUNCTION advance_room_head(
    room bigint, expected bigint, built_on bigint[], new_extremities bigint[], new_root bytea, new_depth bigint, new_position bigint)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE room_heads SET version = expected + 1, extremities = new_extremities, state_root = new_root, depth = new_depth,
        position = new_position
    WHERE room_nid = room AND version = expected AND extremities = built_on;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the head of room % is no longer at version %', room, expected USING ERRCODE = 'MX001';
    END IF;
END $$;

-- A device may use the same transaction id at another endpoint for something else (C-S API, Transaction identifiers).
ALTER TABLE event_transactions ADD COLUMN endpoint text NOT NULL DEFAULT 'send';
ALTER TABLE event_transactions DROP CONSTRAINT event_transactions_pkey;
ALTER TABLE event_transactions ADD PRIMARY KEY (user_id, device_id, room_nid, txn_id, endpoint);
