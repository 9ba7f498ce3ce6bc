-- End-to-end encryption: what devices publish. Every row is written in the log's order, under its lock.

-- Identity keys of devices. Without a foreign key to devices, which every message would have to check: forget_removed_devices does its work.
CREATE TABLE device_keys (
    user_id    text NOT NULL,
    device_id  text NOT NULL,
    keys       bytea NOT NULL,  -- the object as it was uploaded, without signatures and unsigned
    signatures jsonb NOT NULL,  -- by the device and by its user: shown to everybody
    PRIMARY KEY (user_id, device_id)
);

CREATE TABLE cross_signing_keys (
    user_id    text NOT NULL,
    usage      text NOT NULL,   -- master, self_signing, user_signing
    public_key text NOT NULL,
    keys       bytea NOT NULL,
    signatures jsonb NOT NULL,
    PRIMARY KEY (user_id, usage)
);

-- Signatures on the master keys of others: shown to their signer alone.
CREATE TABLE key_signatures (
    signer     text NOT NULL,
    target     text NOT NULL,   -- a user
    target_key text NOT NULL,   -- the public key
    signatures jsonb NOT NULL,  -- by key id
    position   bigint NOT NULL,
    PRIMARY KEY (signer, target, target_key)
);
CREATE INDEX key_signatures_since ON key_signatures (signer, position);

-- When the list of a user's devices, or the keys in it, last changed.
CREATE TABLE device_lists (
    user_id  text PRIMARY KEY,
    position bigint NOT NULL
);
CREATE INDEX device_lists_since ON device_lists (position);

CREATE TABLE one_time_keys (
    user_id   text NOT NULL,
    device_id text NOT NULL,
    algorithm text NOT NULL,
    key_nid   bigint GENERATED ALWAYS AS IDENTITY,  -- given out in this order
    key_id    text NOT NULL,
    key       bytea NOT NULL,
    PRIMARY KEY (user_id, device_id, algorithm, key_nid),
    UNIQUE (user_id, device_id, algorithm, key_id)
);

CREATE TABLE fallback_keys (
    user_id   text NOT NULL,
    device_id text NOT NULL,
    algorithm text NOT NULL,
    key_id    text NOT NULL,
    key       bytea NOT NULL,
    used      boolean NOT NULL DEFAULT false,
    PRIMARY KEY (user_id, device_id, algorithm)
);

-- Two objects of signatures, by entity and key, in one.
CREATE FUNCTION merge_signatures(one jsonb, other jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(jsonb_object_agg(entity, coalesce(one -> entity, '{}') || coalesce(other -> entity, '{}')), '{}')
    FROM (SELECT jsonb_object_keys(one) UNION SELECT jsonb_object_keys(other)) AS entities (entity)
$$;

-- Who went away since: what a client that was away has to be told of whom it no longer shares a room with.
CREATE INDEX memberships_gone ON memberships (room_nid, position) WHERE membership IN ('leave', 'ban');
