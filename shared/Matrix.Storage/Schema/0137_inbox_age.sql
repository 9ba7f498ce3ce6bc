-- Since when an event waits.
ALTER TABLE federation_inbox ADD COLUMN received_at timestamptz NOT NULL DEFAULT now();
