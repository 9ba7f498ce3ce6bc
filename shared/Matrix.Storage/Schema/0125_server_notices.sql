-- The room in which the server speaks to a user.
CREATE TABLE server_notice_rooms (
    user_id text PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    room_id text NOT NULL
);
