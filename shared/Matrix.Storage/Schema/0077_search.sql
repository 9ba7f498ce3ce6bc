-- What is found by its words. The words are made by the server, not by a text search configuration of Postgres: see the ADR on search.
-- Beside them stand '#' with the room's number and '@' with the kind of text, so that the index itself finds the rooms of a reader.
CREATE TABLE event_search (
    event_nid bigint PRIMARY KEY,
    room_nid  bigint NOT NULL,
    position  bigint NOT NULL,
    words     tsvector NOT NULL
);
CREATE INDEX event_search_words ON event_search USING gin (words);

-- Users whom others may find: those who are in a room.
CREATE TABLE user_directory (
    user_id      text PRIMARY KEY,
    display_name text,
    avatar_url   text,
    words        tsvector NOT NULL
);
CREATE INDEX user_directory_words ON user_directory USING gin (words);

-- How far the log is indexed. Moved from where it was read at: a late holder of the lease changes nothing.
CREATE TABLE search_cursor (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    position bigint NOT NULL
);
INSERT INTO search_cursor (position) VALUES (0);
