-- A test may be asked for by hand: one more trigger. SQLite cannot change a CHECK in place.

CREATE TABLE new_intents (
    id INTEGER PRIMARY KEY,
    probe TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('render', 'translation', 'speech')),
    nonce TEXT NOT NULL UNIQUE,
    look TEXT NOT NULL,
    price_micro_usd INTEGER NOT NULL CHECK (price_micro_usd >= 0),
    trigger TEXT NOT NULL CHECK (trigger IN (
        'schedule', 'silence', 'disagreement', 'second_look', 'asked')),
    state TEXT NOT NULL CHECK (state IN (
        'intended', 'ambiguous', 'accepted', 'judged', 'refused', 'absent', 'closed')),
    created_at_ms INTEGER NOT NULL,
    job_id TEXT,
    searches INTEGER NOT NULL CHECK (searches >= 0),
    misses INTEGER NOT NULL CHECK (misses >= 0),
    failed_deletes INTEGER NOT NULL CHECK (failed_deletes >= 0),
    outcome TEXT CHECK (outcome IN (
        'ok', 'slow', 'blocked', 'rate_limited', 'quota_exceeded', 'insufficient_credit',
        'plan_limit', 'unauthorized', 'forbidden', 'upstream_fetch_failed', 'not_ready',
        'endpoint_retired', 'bad_request', 'unavailable', 'server_error', 'gateway_error',
        'malformed', 'dns_failed', 'connect_failed', 'tls_failed', 'timeout', 'queue_late',
        'processing_late', 'queue_stuck', 'processing_stuck', 'job_failed', 'job_rejected',
        'job_lost', 'result_invalid', 'cleanup_failed', 'skipped', 'monitor_error')),
    changed_at_ms INTEGER NOT NULL
) STRICT;

INSERT INTO new_intents
SELECT id, probe, kind, nonce, look, price_micro_usd, trigger, state, created_at_ms, job_id,
    searches, misses, failed_deletes, outcome, changed_at_ms
FROM intents;

DROP TABLE intents;
ALTER TABLE new_intents RENAME TO intents;

CREATE INDEX intents_open ON intents (id)
    WHERE state IN ('intended', 'ambiguous', 'accepted', 'judged');
CREATE INDEX intents_by_creation ON intents (created_at_ms);
CREATE INDEX intents_by_look ON intents (probe, look, id);
