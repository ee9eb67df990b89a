-- HeyGen's asynchronous jobs, paid tests and their price, and what the account held.

-- One row per job. A stage change lies between two looks, so both ends are kept. The row lives
-- until it has finished_at_ms: when the job had ended at the latest, as far as that is known.
CREATE TABLE jobs (
    kind TEXT NOT NULL CHECK (kind IN ('video', 'translation')),
    id TEXT NOT NULL,
    origin TEXT NOT NULL CHECK (origin IN ('canary', 'natural')),
    title TEXT,
    created_at_ms INTEGER NOT NULL,
    first_seen_at_ms INTEGER NOT NULL,
    seen_at_ms INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN (
        'queued', 'processing', 'waiting_for_input', 'completed', 'failed', 'rejected', 'unpaid',
        'gone')),
    started_earliest_at_ms INTEGER,
    started_latest_at_ms INTEGER,
    ended_earliest_at_ms INTEGER,
    ended_latest_at_ms INTEGER,
    finished_at_ms INTEGER,
    abandoned INTEGER NOT NULL CHECK (abandoned IN (0, 1)),
    sample INTEGER NOT NULL CHECK (sample IN (0, 1)),
    has_failure INTEGER NOT NULL CHECK (has_failure IN (0, 1)),
    failure_code TEXT,
    failure_message TEXT,
    PRIMARY KEY (kind, id),
    CHECK ((started_earliest_at_ms IS NULL) = (started_latest_at_ms IS NULL)),
    CHECK ((ended_earliest_at_ms IS NULL) = (ended_latest_at_ms IS NULL)),
    CHECK ((state IN ('queued', 'processing', 'waiting_for_input')) = (finished_at_ms IS NULL)),
    CHECK (has_failure = 1 OR (failure_code IS NULL AND failure_message IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX jobs_live ON jobs (kind, origin, created_at_ms, id) WHERE finished_at_ms IS NULL;
CREATE INDEX jobs_by_end ON jobs (finished_at_ms) WHERE finished_at_ms IS NOT NULL;
CREATE INDEX jobs_by_creation ON jobs (kind, origin, created_at_ms, id);

-- Holds all that a baseline is made of, so that learning never touches the rows themselves.
CREATE INDEX jobs_samples ON jobs (kind, origin, finished_at_ms, created_at_ms,
        started_earliest_at_ms, started_latest_at_ms, ended_latest_at_ms, sample, state)
    WHERE sample = 1 AND state = 'completed';

-- Where the look at the account's jobs stands.
CREATE TABLE job_positions (
    kind TEXT PRIMARY KEY NOT NULL CHECK (kind IN ('video', 'translation')),
    newest_created_at_ms INTEGER,
    backfill TEXT NOT NULL CHECK (backfill IN ('due', 'under_way', 'done')),
    backfill_cursor TEXT,
    CHECK ((backfill = 'under_way') = (backfill_cursor IS NOT NULL))
) STRICT, WITHOUT ROWID;

-- The ledger: one row per paid test, on disk before its request is sent. Rows are never deleted,
-- so numbers are never given twice. Prices are millionths of a US dollar.
CREATE TABLE intents (
    id INTEGER PRIMARY KEY,
    probe TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('render', 'translation', 'speech')),
    nonce TEXT NOT NULL UNIQUE,
    look TEXT NOT NULL,
    price_micro_usd INTEGER NOT NULL CHECK (price_micro_usd >= 0),
    trigger TEXT NOT NULL CHECK (trigger IN (
        'schedule', 'silence', 'disagreement', 'second_look')),
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

CREATE INDEX intents_open ON intents (id)
    WHERE state IN ('intended', 'ambiguous', 'accepted', 'judged');
CREATE INDEX intents_by_creation ON intents (created_at_ms);
CREATE INDEX intents_by_look ON intents (probe, look, id);

-- What is said once by day and repeated weekly.
CREATE TABLE told (
    key TEXT PRIMARY KEY NOT NULL,
    at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What the account held, one row per day of UTC: the last reading of the day.
CREATE TABLE account_readings (
    day_at_ms INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    reading TEXT NOT NULL
) STRICT;
