-- A database belongs to one homeserver for good.
CREATE TABLE server (
    only_row    boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    server_name text NOT NULL
);
