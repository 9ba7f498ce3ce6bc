-- What addresses are about, for a while: also of those that could not be fetched.
CREATE TABLE url_previews (
    url_hash   bytea PRIMARY KEY,   -- SHA-256
    body       text,                -- the answer to clients; null: there was none
    expires_at timestamptz NOT NULL
);
CREATE INDEX url_previews_expiry ON url_previews (expires_at);
