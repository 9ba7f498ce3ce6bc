-- Which events name which media, kept where media_retention asks what is not referred to, or no longer. One replica follows the log for it.
CREATE TABLE media_references (
    event_nid   bigint NOT NULL,
    origin      text NOT NULL,
    media_id    text NOT NULL,
    redacted_at timestamptz,        -- when it was noticed that the event was redacted
    PRIMARY KEY (origin, media_id, event_nid)
);
CREATE INDEX media_references_event ON media_references (event_nid);
CREATE INDEX media_references_redacted ON media_references (redacted_at) WHERE redacted_at IS NOT NULL;

-- How far. What was stored before it began may be named by events that were never looked at, and is left alone.
CREATE TABLE media_following (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    position bigint NOT NULL,
    since    timestamptz NOT NULL
);
