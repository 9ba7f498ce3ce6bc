-- What users of this server are shown of rooms that it is not in: they are invited there, or knock. With their newest member event.
CREATE TABLE stripped_states (
    room_nid  bigint NOT NULL,
    user_id   text NOT NULL,
    event_nid bigint NOT NULL,
    events    bytea NOT NULL,  -- a JSON array of stripped state events
    PRIMARY KEY (room_nid, user_id)
);
