-- Events of this server's users that came from another server, which has told the others in the room of them: the join that it took, or what a restore
-- had lost here. They are not sent.
CREATE TABLE told_events (
    event_nid bigint PRIMARY KEY
);
