-- Which programs can live with this schema: those that know the migration `needs`. A migration that takes away what the release before it
-- still used (the contracting half of a change, one release after the expanding one) sets it to the name of the expanding one.
CREATE TABLE schema_window (id boolean PRIMARY KEY DEFAULT true CHECK (id), needs text NOT NULL);
INSERT INTO schema_window (needs) VALUES ('0130_schema_window');
