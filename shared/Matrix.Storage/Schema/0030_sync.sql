-- A user's own membership events in order: what changed for the user since a position.
CREATE INDEX events_own_memberships ON events (state_key, position) WHERE type = 'm.room.member' AND position IS NOT NULL;

-- The first members of a room who are there: its heroes.
CREATE INDEX memberships_present ON memberships (room_nid, position) WHERE membership IN ('join', 'invite');
