-- Accounts whose rooms do not show yet what became of them: another name or picture, or that the account was closed. A request that
-- changes an account brings its rooms up to date itself; what a crash left over is taken up again.
CREATE TABLE room_updates_due (
    user_id   text PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    mark      uuid NOT NULL,                     -- of the newest change
    marked_at timestamptz NOT NULL DEFAULT now()
);
