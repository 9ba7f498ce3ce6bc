-- Events that were made in a room whose members were not known (ADR 28), and that it was left, or joined anew, without them: the states these events stand in stay
-- without members, so nothing is judged by them, and nobody is told them.
ALTER TABLE events ADD COLUMN half_known boolean;

-- The members of a room are not asked for any more; false: another process was first. joined_by null: whatever the room was joined by.
CREATE FUNCTION abandon_partial_room(room bigint, joined_by bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    began bigint;
BEGIN
    DELETE FROM partial_rooms p USING events e WHERE p.room_nid = room AND p.join_nid = coalesce(joined_by, p.join_nid) AND e.event_nid = p.join_nid
        RETURNING e.position INTO began;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE events SET half_known = true WHERE room_nid = room AND position >= began AND state_before IS NOT NULL;
    RETURN true;
END $$;
