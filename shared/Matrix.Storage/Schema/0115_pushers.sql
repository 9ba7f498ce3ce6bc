-- Where users want to be notified while no client of theirs is looking (C-S API, Push Notifications). A pusher goes with the device that set it.
CREATE TABLE pushers (
    pusher_id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id             text NOT NULL,
    device_id           text NOT NULL,
    app_id              text NOT NULL,
    pushkey             text NOT NULL,
    kind                text NOT NULL,   -- http, email
    app_display_name    text NOT NULL,
    device_display_name text NOT NULL,
    profile_tag         text,
    lang                text NOT NULL,
    data                text NOT NULL,   -- JSON object as the client sent it
    set_at              timestamptz NOT NULL DEFAULT now(),
    enabled             boolean NOT NULL DEFAULT true,
    shard               smallint NOT NULL,  -- of the user: which lease its work belongs to
    secret              text,            -- of a mail pusher: what the links in its mails prove themselves with
    confirmed_at        timestamptz,     -- of a mail pusher: when its address said that it wants mail
    UNIQUE (app_id, pushkey, user_id),
    FOREIGN KEY (user_id, device_id) REFERENCES devices ON DELETE CASCADE
);
CREATE INDEX pushers_of_device ON pushers (user_id, device_id);
CREATE INDEX pushers_of_shard ON pushers (shard);
CREATE UNIQUE INDEX pushers_secret ON pushers (secret) WHERE secret IS NOT NULL;

-- How far a pusher has come; apart, because it is rewritten with each push.
CREATE TABLE push_cursors (
    pusher_id bigint PRIMARY KEY REFERENCES pushers ON DELETE CASCADE,
    cursor    bigint NOT NULL,                    -- everything up to this log position was delivered, or is in waiting
    waiting   bigint[] NOT NULL DEFAULT '{}',     -- positions that wait for delivery though their shard has passed them; those above the cursor count
    badge     int,                                -- the count of unread events that was told last
    mailed_at timestamptz,                        -- of a mail pusher: when the last mail left
    mail_due  timestamptz                         -- of a mail pusher: when the next one is to leave
) WITH (fillfactor = 50);

-- How far the log has been looked through for the pushers of a shard.
CREATE TABLE push_shards (
    shard    smallint PRIMARY KEY,
    position bigint NOT NULL,
    fence    bigint NOT NULL       -- of the lease under which it was written: a late holder's writes do nothing
) WITH (fillfactor = 50);
