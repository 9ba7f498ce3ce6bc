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

-- Push rules are account data that is changed a rule at a time: fails when another device was first, so that none undoes the other.
CREATE FUNCTION set_push_rules(owner text, rules text, expected bigint, new_position bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO account_data (user_id, room_id, type, content, position) VALUES (owner, '', 'm.push_rules', rules, new_position)
    ON CONFLICT (user_id, room_id, type) DO UPDATE SET content = excluded.content, position = excluded.position
    WHERE account_data.position = expected;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the push rules of % have changed since position %', owner, expected USING ERRCODE = 'MX001';
    END IF;
END $$;
