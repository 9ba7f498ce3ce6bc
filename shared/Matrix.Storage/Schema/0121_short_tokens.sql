-- Tokens that a user hands to somebody else, as SHA-256: to a third party that asks who the user is (OpenID), or to another of the user's
-- own devices, which logs in with it once.
CREATE TABLE openid_tokens (
    token_hash bytea PRIMARY KEY,
    user_id    text NOT NULL REFERENCES users ON DELETE CASCADE,
    expires_at timestamptz NOT NULL
);
CREATE INDEX openid_tokens_expiry ON openid_tokens (expires_at);

CREATE TABLE login_tokens (
    token_hash bytea PRIMARY KEY,
    user_id    text NOT NULL REFERENCES users ON DELETE CASCADE,
    expires_at timestamptz NOT NULL
);
CREATE INDEX login_tokens_expiry ON login_tokens (expires_at);
