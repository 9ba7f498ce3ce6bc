-- What decides who may see which part of a room: its visibility events, and the memberships of one user, each in order.
CREATE INDEX events_visibility ON events (room_nid, position)
    WHERE type = 'm.room.history_visibility' AND state_key = '' AND position IS NOT NULL;
CREATE INDEX events_memberships_in_room ON events (room_nid, state_key, position) WHERE type = 'm.room.member' AND position IS NOT NULL;

-- The event nearest to a time.
CREATE INDEX events_by_time ON events (room_nid, origin_server_ts) WHERE position IS NOT NULL;
