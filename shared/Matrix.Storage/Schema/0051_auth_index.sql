-- The auth chains of state events, folded into chains that are numbered through: an event has all earlier ones of its chain in its auth chain,
-- so what it reaches is one number for each chain. Rows never change.
CREATE TABLE auth_index (
    event_nid bigint PRIMARY KEY,
    chain     bigint NOT NULL,   -- the event_nid of the chain's first event
    sequence  int NOT NULL,      -- from 1
    base_nid  bigint,            -- an event in its auth chain whose reach it shares; null: reach is complete
    reach     bytea NOT NULL     -- chain and last sequence in its auth chain, beyond those of base_nid
);
CREATE UNIQUE INDEX auth_index_place ON auth_index (chain, sequence);

-- Who cites whom, without what follows from the rest: enough to find everything that has an event in its auth chain.
CREATE TABLE auth_edges (
    auth_nid  bigint NOT NULL,
    event_nid bigint NOT NULL,
    PRIMARY KEY (auth_nid, event_nid)
);

-- State events that are not in the index yet: auth events of theirs came later, or have not come.
CREATE TABLE auth_backlog (
    room_nid  bigint NOT NULL,
    event_nid bigint NOT NULL,
    PRIMARY KEY (room_nid, event_nid)
);
INSERT INTO auth_backlog (room_nid, event_nid) SELECT room_nid, event_nid FROM events WHERE state_key IS NOT NULL;
