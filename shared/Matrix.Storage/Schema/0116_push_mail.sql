-- Of mail pushers: what a room's last mail was about, so that a room that stays unread is mailed about ever more rarely.
CREATE TABLE push_mail_rooms (
    pusher_id bigint NOT NULL REFERENCES pushers ON DELETE CASCADE,
    room_nid  bigint NOT NULL,
    position  bigint NOT NULL,       -- of the newest event in it
    mailed_at timestamptz NOT NULL,
    mails     int NOT NULL,          -- since the room was last read
    PRIMARY KEY (pusher_id, room_nid)
);
