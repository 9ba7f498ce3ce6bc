-- Transaction ids are forgotten by age. Rows come in order of time, so a few bytes for many pages are index enough.
CREATE INDEX event_transactions_age ON event_transactions USING brin (created_at);
