CREATE TABLE users (
    user_id        text PRIMARY KEY,
    localpart_ci   text NOT NULL UNIQUE, -- lower-cased: no two accounts that differ in case alone
    password_hash  text,                 -- bcrypt $2b$
    created_at     timestamptz NOT NULL DEFAULT now(),
    is_admin       boolean NOT NULL DEFAULT false,
    is_guest       boolean NOT NULL DEFAULT false,
    user_type      text,                 -- as the administrator named it: bot, support, …
    deactivated_at timestamptz,
    erased         boolean NOT NULL DEFAULT false,
    display_name   text,
    avatar_url     text
);

-- What a profile has beside the name and the avatar.
CREATE TABLE profile_fields (
    user_id text NOT NULL REFERENCES users ON DELETE CASCADE,
    field   text NOT NULL,
    value   text NOT NULL,  -- JSON as the client sent it
    PRIMARY KEY (user_id, field)
);

CREATE TABLE devices (
    user_id      text NOT NULL REFERENCES users ON DELETE CASCADE,
    device_id    text NOT NULL,
    display_name text,
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz,
    last_seen_ip text,
    PRIMARY KEY (user_id, device_id)
);

-- Tokens are stored as SHA-256: a copy of the database opens no session.
-- A refresh token stays good until the pair that it was exchanged for is first used; until then that pair points back at it.
CREATE TABLE refresh_tokens (
    token_hash bytea PRIMARY KEY,
    user_id    text NOT NULL,
    device_id  text NOT NULL,
    expires_at timestamptz,
    replaces   bytea REFERENCES refresh_tokens ON DELETE SET NULL,
    FOREIGN KEY (user_id, device_id) REFERENCES devices ON DELETE CASCADE
);
CREATE INDEX refresh_tokens_device ON refresh_tokens (user_id, device_id);
CREATE INDEX refresh_tokens_replaces ON refresh_tokens (replaces);

CREATE TABLE access_tokens (
    token_hash         bytea PRIMARY KEY,
    user_id            text NOT NULL,
    device_id          text NOT NULL,
    expires_at         timestamptz,
    refresh_token_hash bytea REFERENCES refresh_tokens ON DELETE CASCADE,  -- issued together; dies with it
    FOREIGN KEY (user_id, device_id) REFERENCES devices ON DELETE CASCADE
);
CREATE INDEX access_tokens_device ON access_tokens (user_id, device_id);
CREATE INDEX access_tokens_refresh ON access_tokens (refresh_token_hash);

-- Global (room_id = '') and per-room account data, with the position of its newest change.
CREATE TABLE account_data (
    user_id  text NOT NULL,
    room_id  text NOT NULL,
    type     text NOT NULL,
    content  text NOT NULL,  -- JSON object as the client sent it
    position bigint NOT NULL,
    PRIMARY KEY (user_id, room_id, type)
);
CREATE INDEX account_data_since ON account_data (user_id, position);

CREATE TABLE filters (
    user_id   text NOT NULL,
    filter_id bigint GENERATED ALWAYS AS IDENTITY,
    filter    text NOT NULL,
    PRIMARY KEY (user_id, filter_id)
);
