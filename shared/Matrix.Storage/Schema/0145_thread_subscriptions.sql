-- Threads that a user was subscribed to or has left. Of a thread that was left the position says what the user knew of then: nothing before it
-- subscribes the user again by itself.
CREATE TABLE thread_subscriptions (
    user_id    text NOT NULL,
    room_nid   bigint NOT NULL,
    thread_id  text NOT NULL,    -- the root's event id
    subscribed boolean NOT NULL,
    automatic  boolean NOT NULL, -- a client did it because of an event, not the user
    position   bigint NOT NULL,  -- of the last change
    PRIMARY KEY (user_id, room_nid, thread_id)
);
CREATE INDEX thread_subscriptions_changes ON thread_subscriptions (user_id, position);
CREATE INDEX thread_subscriptions_subscribers ON thread_subscriptions (room_nid, thread_id) INCLUDE (user_id) WHERE subscribed;

-- Whether what notifies by the ordinary rules counts in threads that the user is not subscribed to. Null: as in the main timeline.
ALTER TABLE notify_levels ADD COLUMN threads boolean;

-- As before, with the level that holds for the thread.
CREATE OR REPLACE FUNCTION unread_count(who text, room bigint, thread text, read_to bigint, OUT notified int, OUT highlighted int)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    stretch record;
    found record;
BEGIN
    notified := 0;
    highlighted := 0;
    FOR stretch IN
        SELECT l.since, l.ordinary, lead(l.since, 1, 9223372036854775807) OVER (ORDER BY l.since) AS until
        FROM (
            SELECT read_to AS since, coalesce((SELECT CASE WHEN thread = 'main' THEN n.ordinary ELSE coalesce(n.threads, n.ordinary) END FROM notify_levels n
                WHERE n.user_id = who AND n.room_nid = room AND n.position <= read_to ORDER BY n.position DESC LIMIT 1), true) AS ordinary
            UNION ALL
            SELECT n.position, CASE WHEN thread = 'main' THEN n.ordinary ELSE coalesce(n.threads, n.ordinary) END
            FROM notify_levels n WHERE n.user_id = who AND n.room_nid = room AND n.position > read_to) l
    LOOP
        -- the running counts at its end less those at its beginning: the user's own, and everybody's without what the user's own stand for
        SELECT coalesce(sum(x.notified), 0) AS notified, coalesce(sum(x.highlighted), 0) AS highlighted INTO found
        FROM (
            (SELECT m.notified - CASE WHEN stretch.ordinary THEN m.ordinarily_notified ELSE 0 END AS notified,
                m.highlighted - CASE WHEN stretch.ordinary THEN m.ordinarily_highlighted ELSE 0 END AS highlighted
            FROM unread_marks m WHERE m.room_nid = room AND m.user_id = who AND m.thread_id = thread AND m.position <= stretch.until
            ORDER BY m.position DESC LIMIT 1)
            UNION ALL
            (SELECT CASE WHEN stretch.ordinary THEN m.ordinarily_notified ELSE 0 END - m.notified,
                CASE WHEN stretch.ordinary THEN m.ordinarily_highlighted ELSE 0 END - m.highlighted
            FROM unread_marks m WHERE m.room_nid = room AND m.user_id = who AND m.thread_id = thread AND m.position <= stretch.since
            ORDER BY m.position DESC LIMIT 1)
            UNION ALL
            (SELECT m.notified, m.highlighted
            FROM unread_marks m WHERE m.room_nid = room AND m.user_id = '' AND m.thread_id = thread AND m.position <= stretch.until AND stretch.ordinary
            ORDER BY m.position DESC LIMIT 1)
            UNION ALL
            (SELECT -m.notified, -m.highlighted
            FROM unread_marks m WHERE m.room_nid = room AND m.user_id = '' AND m.thread_id = thread AND m.position <= stretch.since AND stretch.ordinary
            ORDER BY m.position DESC LIMIT 1)) x;
        notified := notified + found.notified;
        highlighted := highlighted + found.highlighted;
    END LOOP;
END $$;
