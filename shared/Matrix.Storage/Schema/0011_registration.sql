-- A client on its way through user-interactive authentication; any replica goes on with it.
CREATE TABLE uia_sessions (
    session_id         text PRIMARY KEY,
    operation          text NOT NULL,              -- what it authorises: it cannot be used for anything else
    completed          text[] NOT NULL DEFAULT '{}',
    registration_token text,                       -- the token that the session holds one use of
    expires_at         timestamptz NOT NULL
);
CREATE INDEX uia_sessions_expiry ON uia_sessions (expires_at);
CREATE INDEX uia_sessions_token ON uia_sessions (registration_token) WHERE registration_token IS NOT NULL;

CREATE TABLE registration_tokens (
    token        text PRIMARY KEY,
    uses_allowed int,                   -- null: any number
    completed    int NOT NULL DEFAULT 0,
    expires_at   timestamptz
);

-- Handed out for shared-secret registration, each for one use.
CREATE TABLE registration_nonces (
    nonce      text PRIMARY KEY,
    expires_at timestamptz NOT NULL
);

-- What a user changed in the push rules that every account begins with.
CREATE TABLE push_rules (
    user_id  text PRIMARY KEY,
    ruleset  text NOT NULL,    -- JSON: the user's own rules, and what was changed of the default ones
    position bigint NOT NULL
);
