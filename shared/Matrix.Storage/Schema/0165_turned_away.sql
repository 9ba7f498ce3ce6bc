-- Leaves and bans by users of this server of users of others who were not in the room: who was invited, or has knocked. Their servers are not among those of the
-- room, so that what a server missed while it was away is not found by its rooms. Written by the log entry; deleted when all have got it.
CREATE TABLE turned_away (
    server    text NOT NULL,
    position  bigint NOT NULL,
    event_nid bigint NOT NULL,
    PRIMARY KEY (server, position)
);
