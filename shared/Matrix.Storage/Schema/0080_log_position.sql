-- The same in the language whose functions keep their plan: the one before was parsed and planned anew by every statement that called it,
-- three times for a message.
CREATE OR REPLACE FUNCTION log_position(back int) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT position - back FROM log_head);
END $$;
