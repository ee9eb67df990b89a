-- What keeps messages back, who has taken an incident on, and which channel was told which state.

CREATE TABLE silences (
    id INTEGER PRIMARY KEY,
    incident_id INTEGER,
    capabilities TEXT NOT NULL,
    blames TEXT NOT NULL,
    reason TEXT,
    starts_at_ms INTEGER NOT NULL,
    ends_at_ms INTEGER NOT NULL,
    author TEXT NOT NULL,
    comment TEXT NOT NULL
) STRICT;

CREATE INDEX silences_by_end ON silences (ends_at_ms);

ALTER TABLE incidents ADD COLUMN acked_at_ms INTEGER;
ALTER TABLE incidents ADD COLUMN acked_by TEXT;
ALTER TABLE incidents ADD COLUMN ack_comment TEXT;

-- An event of before has no state of its own and reached everybody (`*`).
ALTER TABLE incident_events ADD COLUMN state TEXT CHECK (state IN (
    'operational', 'degraded', 'outage', 'maintenance', 'unknown'));
ALTER TABLE incident_events ADD COLUMN channels TEXT NOT NULL DEFAULT '["*"]';
