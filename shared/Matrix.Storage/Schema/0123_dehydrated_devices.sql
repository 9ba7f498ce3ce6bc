-- A device of a user that nobody uses: it lies here, encrypted, and receives keys for the user's next one (MSC3814). It has no tokens.
ALTER TABLE devices ADD COLUMN dehydrated_data text;
CREATE UNIQUE INDEX devices_dehydrated ON devices (user_id) WHERE dehydrated_data IS NOT NULL;
