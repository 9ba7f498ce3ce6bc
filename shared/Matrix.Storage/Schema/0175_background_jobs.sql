-- Long work over what is stored already, such as the back-fill of a column or table that a release brings: done in small batches while the server runs. How far it
-- is moves in the transaction of each batch, so that whoever goes on after a kill does nothing twice and leaves nothing out.
CREATE TABLE background_jobs (
    name       text PRIMARY KEY,
    position   bigint NOT NULL DEFAULT 0,  -- everything up to it is done
    goal       bigint NOT NULL,            -- where it ends
    rows       bigint NOT NULL DEFAULT 0,  -- that were looked at
    begun_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at   timestamptz,
    failure    text                        -- why the newest attempt failed; null when it did not
);
