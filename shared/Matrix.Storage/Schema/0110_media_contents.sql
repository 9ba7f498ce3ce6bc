-- The files of media and of thumbnails, by the SHA-256 of their bytes. What refers to one keeps it: its row can be deleted only when nothing does, and
-- its bytes only with its row.
CREATE TABLE media_contents (
    content_hash bytea PRIMARY KEY,
    size         bigint NOT NULL,
    claimed_at   timestamptz NOT NULL   -- when somebody last began to store these bytes; they may not be referred to yet
);
INSERT INTO media_contents SELECT DISTINCT ON (content_hash) content_hash, size, created_at FROM media;

-- Contents that may have lost, or may never get, what refers to them: looked at once that time has come.
CREATE TABLE media_orphans (
    content_hash bytea PRIMARY KEY,
    check_after  timestamptz NOT NULL
);
CREATE INDEX media_orphans_due ON media_orphans (check_after);

ALTER TABLE media
    ADD COLUMN quarantined_by text,                            -- not served
    ADD COLUMN protected      boolean NOT NULL DEFAULT false,  -- from quarantine
    ADD COLUMN last_access    timestamptz,
    ADD FOREIGN KEY (content_hash) REFERENCES media_contents;
UPDATE media SET last_access = created_at;
ALTER TABLE media ALTER COLUMN last_access SET NOT NULL;
CREATE INDEX media_content ON media (content_hash);
CREATE INDEX media_last_access ON media (last_access);

-- No media with these bytes is served, whoever uploads them or wherever they are fetched from.
CREATE TABLE media_quarantined_hashes (
    content_hash   bytea PRIMARY KEY,
    quarantined_by text NOT NULL
);

-- Media ids of this server that have been given out and whose bytes have not come yet.
CREATE TABLE media_pending (
    media_id   text PRIMARY KEY,
    uploader   text NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX media_pending_uploader ON media_pending (uploader);
CREATE INDEX media_pending_expiry ON media_pending (expires_at);

-- A thumbnail belongs to bytes, not to media: the same picture uploaded twice has one.
CREATE TABLE media_thumbnails (
    source_hash  bytea NOT NULL REFERENCES media_contents ON DELETE CASCADE,
    width        integer NOT NULL,
    height       integer NOT NULL,
    method       text NOT NULL,
    animated     boolean NOT NULL,
    content_hash bytea NOT NULL REFERENCES media_contents,
    size         bigint NOT NULL,
    content_type text NOT NULL,
    PRIMARY KEY (source_hash, width, height, method, animated)
);
CREATE INDEX media_thumbnails_content ON media_thumbnails (content_hash);

-- Work that one replica does for all who wait for its result.
CREATE TABLE media_work (
    key        text PRIMARY KEY,
    holder     uuid NOT NULL,
    expires_at timestamptz NOT NULL
);
