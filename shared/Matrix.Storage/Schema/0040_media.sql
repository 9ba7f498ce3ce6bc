-- Media by its mxc URI. The bytes lie in the media store under their SHA-256, once however often they are uploaded.
CREATE TABLE media (
    origin        text NOT NULL,      -- server_name of the mxc URI
    media_id      text NOT NULL,
    content_hash  bytea NOT NULL,
    size          bigint NOT NULL,
    content_type  text NOT NULL,
    file_name     text,
    uploader      text,               -- null: fetched from another server
    authenticated boolean NOT NULL,   -- not to be had from the endpoints that ask for no token
    created_at    timestamptz NOT NULL,
    PRIMARY KEY (origin, media_id)
);
CREATE INDEX media_uploader ON media (uploader, created_at) WHERE uploader IS NOT NULL;
