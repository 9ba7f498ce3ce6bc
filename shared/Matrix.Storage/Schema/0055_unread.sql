-- What followers of the log need to know of an entry without a query, in a form of its kind's own.
ALTER TABLE log ADD COLUMN note text;

-- Events that notify somebody, as running counts: what is unread is the difference of two of them. user_id '' stands for everybody who has the
-- ordinary rules (see notify_levels); the rows of a user are the events that the rules of this user judge in another way, each counted as it is
-- for the user and as it was for ''.
CREATE TABLE unread_marks (
    room_nid    bigint NOT NULL,
    user_id     text NOT NULL,
    thread_id   text NOT NULL,   -- a thread root, or 'main'
    position    bigint NOT NULL, -- of the event
    notified    int NOT NULL,
    highlighted int NOT NULL,
    ordinarily_notified    int NOT NULL,
    ordinarily_highlighted int NOT NULL,
    PRIMARY KEY (room_nid, user_id, thread_id, position)
);

-- Threads with marks, by the newest mark.
CREATE TABLE unread_threads (
    room_nid  bigint NOT NULL,
    thread_id text NOT NULL,
    position  bigint NOT NULL,
    PRIMARY KEY (room_nid, thread_id)
);
CREATE INDEX unread_threads_newest ON unread_threads (room_nid, position);

-- Up to where local users who are in a room have read. thread_id '': the whole room, from when they joined; else a thread, where it is further.
CREATE TABLE room_reads (
    user_id   text NOT NULL,
    room_nid  bigint NOT NULL,
    thread_id text NOT NULL,
    position  bigint NOT NULL,
    PRIMARY KEY (user_id, room_nid, thread_id)
);

-- From a position on, whether what notifies by the ordinary rules counts for a user in a room. No row: it does.
CREATE TABLE notify_levels (
    user_id  text NOT NULL,
    room_nid bigint NOT NULL,
    position bigint NOT NULL,
    ordinary boolean NOT NULL,
    PRIMARY KEY (user_id, room_nid, position)
);

-- What is unread in a thread for a user who has read it up to a position: for each stretch in which the user's level was the same, the difference
-- of the counts at its ends, in one statement.
CREATE FUNCTION unread_count(who text, room bigint, thread text, read_to bigint, OUT notified int, OUT highlighted int)
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
            SELECT read_to AS since, coalesce((SELECT n.ordinary FROM notify_levels n
                WHERE n.user_id = who AND n.room_nid = room AND n.position <= read_to ORDER BY n.position DESC LIMIT 1), true) AS ordinary
            UNION ALL
            SELECT n.position, n.ordinary FROM notify_levels n WHERE n.user_id = who AND n.room_nid = room AND n.position > read_to) l
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

-- Who is in a room already starts with nothing unread.
INSERT INTO room_reads (user_id, room_nid, thread_id, position)
SELECT m.user_id, m.room_nid, '', h.position
FROM memberships m JOIN users USING (user_id) CROSS JOIN log_head h
WHERE m.membership = 'join';
