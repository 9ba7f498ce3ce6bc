-- The processes that keep sessions in memory, each with how far it has followed the log: whoever ends a session waits for them.
CREATE TABLE session_caches (
    process uuid PRIMARY KEY,
    applied bigint NOT NULL,       -- ends of sessions up to this position hold there
    seen_at timestamptz NOT NULL
) WITH (fillfactor = 10);

-- For the commands of a change: fails it unless what it was built on still holds.
CREATE FUNCTION refuse_unless(holds boolean, reason text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF holds IS NOT TRUE THEN
        RAISE EXCEPTION USING MESSAGE = reason, ERRCODE = 'MX003';
    END IF;
END $$;
