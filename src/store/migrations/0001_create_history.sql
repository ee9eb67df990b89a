-- History, incidents and the outbox. Times are unix milliseconds in UTC; words are those of the
-- contract; JSON columns hold shapes that only ever grow.

CREATE TABLE meta (
    key TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Random once per database: part of probe phases and of Message-IDs.
INSERT INTO meta (key, value) VALUES ('monitor_id', lower(hex(randomblob(16))));

-- What an observation needs to be understood later, once. A probe whose meaning changes gets a new
-- row, so that old observations keep theirs.
CREATE TABLE series (
    id INTEGER PRIMARY KEY,
    probe TEXT NOT NULL,
    subject TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN (
        'api', 'submit', 'web', 'control', 'status_page', 'queue', 'render', 'translation',
        'speech', 'webhook')),
    anonymous INTEGER NOT NULL CHECK (anonymous IN (0, 1)),
    capabilities TEXT NOT NULL,
    UNIQUE (probe, subject, kind, anonymous, capabilities)
) STRICT;

-- One row per run, as small as it gets: a success has no outcome (NULL = ok) and no details. Keyed
-- by the end of the run, which is the order in which runs were judged.
CREATE TABLE observations (
    series_id INTEGER NOT NULL REFERENCES series (id),
    ended_at_ms INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL CHECK (duration_ms >= 0),
    outcome TEXT CHECK (outcome IN (
        'slow', 'blocked', 'rate_limited', 'quota_exceeded', 'insufficient_credit', 'plan_limit',
        'unauthorized', 'forbidden', 'upstream_fetch_failed', 'not_ready', 'endpoint_retired',
        'bad_request', 'unavailable', 'server_error', 'gateway_error', 'malformed', 'dns_failed',
        'connect_failed', 'tls_failed', 'timeout', 'queue_late', 'processing_late', 'queue_stuck',
        'processing_stuck', 'job_failed', 'job_rejected', 'job_lost', 'result_invalid',
        'cleanup_failed', 'skipped', 'monitor_error')),
    PRIMARY KEY (series_id, ended_at_ms)
) STRICT, WITHOUT ROWID;

-- What a plain success does not have: failures keep their evidence, controls what each target did.
CREATE TABLE details (
    series_id INTEGER NOT NULL,
    ended_at_ms INTEGER NOT NULL,
    skipped TEXT CHECK (skipped IN (
        'budget', 'reserve', 'maintenance', 'overrun', 'paused', 'no_key', 'backlog')),
    answered INTEGER NOT NULL CHECK (answered IN (0, 1)),
    phases TEXT,
    evidence TEXT,
    transport TEXT,
    control TEXT,
    certificate_expires_at_ms INTEGER,
    PRIMARY KEY (series_id, ended_at_ms),
    FOREIGN KEY (series_id, ended_at_ms)
        REFERENCES observations (series_id, ended_at_ms) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- One row per uninterrupted stretch of being alive, extended in place: what lies between is no_data.
CREATE TABLE heartbeats (
    begun_at_ms INTEGER PRIMARY KEY,
    ended_at_ms INTEGER NOT NULL CHECK (ended_at_ms >= begun_at_ms)
) STRICT;

-- The last good reading of each source.
CREATE TABLE readings (
    source TEXT PRIMARY KEY NOT NULL,
    at_ms INTEGER NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('primary', 'alternative', 'peer')),
    replaces TEXT NOT NULL,
    page TEXT NOT NULL
) STRICT;

-- When which row of which page changed its state, and to what.
CREATE TABLE component_changes (
    source TEXT NOT NULL,
    component TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN (
        'operational', 'degraded_performance', 'partial_outage', 'major_outage',
        'under_maintenance', 'unknown')),
    raw TEXT NOT NULL,
    PRIMARY KEY (source, component, at_ms)
) STRICT, WITHOUT ROWID;

CREATE TABLE incidents (
    id INTEGER PRIMARY KEY,
    blame TEXT NOT NULL CHECK (blame IN (
        'none', 'provider', 'account', 'client', 'network', 'monitor')),
    cause TEXT NOT NULL,
    reason TEXT NOT NULL CHECK (reason IN (
        'ok', 'slow', 'blocked', 'rate_limited', 'quota_exceeded', 'insufficient_credit',
        'plan_limit', 'unauthorized', 'forbidden', 'upstream_fetch_failed', 'not_ready',
        'endpoint_retired', 'bad_request', 'unavailable', 'server_error', 'gateway_error',
        'malformed', 'dns_failed', 'connect_failed', 'tls_failed', 'timeout', 'queue_late',
        'processing_late', 'queue_stuck', 'processing_stuck', 'job_failed', 'job_rejected',
        'job_lost', 'result_invalid', 'cleanup_failed', 'skipped', 'monitor_error',
        'monitor_offline', 'official_maintenance', 'official_incident', 'intermittent_errors',
        'provider_throttling', 'jobs_late', 'jobs_stuck', 'jobs_failing', 'single_job_stuck',
        'avatar_specific', 'own_backlog', 'local_dns', 'local_path', 'local_view',
        'network_doubtful', 'no_data', 'no_recent_jobs', 'not_watching', 'not_watched',
        'balance_low', 'key_expires_soon')),
    state TEXT NOT NULL CHECK (state IN (
        'operational', 'degraded', 'outage', 'maintenance', 'unknown')),
    worst_state TEXT NOT NULL CHECK (worst_state IN (
        'operational', 'degraded', 'outage', 'maintenance', 'unknown')),
    capabilities TEXT NOT NULL,
    opened_at_ms INTEGER NOT NULL,
    confirmed_at_ms INTEGER NOT NULL,
    resolved_at_ms INTEGER,
    acknowledged_at_ms INTEGER,
    suspended TEXT CHECK (suspended IN ('offline', 'no_data', 'source_unreadable')),
    flapping INTEGER NOT NULL CHECK (flapping IN (0, 1)),
    subject TEXT NOT NULL,
    headline TEXT NOT NULL,
    evidence TEXT NOT NULL
) STRICT;

CREATE INDEX incidents_open ON incidents (id) WHERE resolved_at_ms IS NULL;
CREATE INDEX incidents_by_end ON incidents (resolved_at_ms) WHERE resolved_at_ms IS NOT NULL;

CREATE TABLE incident_events (
    incident_id INTEGER NOT NULL REFERENCES incidents (id),
    seq INTEGER NOT NULL CHECK (seq >= 1),
    kind TEXT NOT NULL CHECK (kind IN (
        'opened', 'acknowledged_officially', 'worsened', 'eased', 'reminder', 'flapping',
        'resolved', 'suppression_ended', 'channel_broken', 'warning', 'drill')),
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (incident_id, seq)
) STRICT, WITHOUT ROWID;

-- The outbox: one row per event and channel. The thread is the incident's number, or 0 for what is
-- said about the monitor itself. A row without finished_at_ms is owed.
CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    thread INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    channel TEXT NOT NULL,
    message TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'leased', 'delivered', 'dead', 'merged')),
    attempts INTEGER NOT NULL DEFAULT 0,
    next_at_ms INTEGER NOT NULL,
    lease_until_ms INTEGER,
    created_at_ms INTEGER NOT NULL,
    finished_at_ms INTEGER,
    last_error TEXT,
    provider_ref TEXT,
    UNIQUE (thread, seq, channel),
    CHECK ((state = 'leased') = (lease_until_ms IS NOT NULL)),
    CHECK ((state IN ('pending', 'leased')) = (finished_at_ms IS NULL))
) STRICT;

CREATE INDEX deliveries_owed ON deliveries (thread, channel, id) WHERE finished_at_ms IS NULL;
CREATE INDEX deliveries_by_end ON deliveries (finished_at_ms) WHERE finished_at_ms IS NOT NULL;

CREATE TABLE attempts (
    delivery_id INTEGER NOT NULL REFERENCES deliveries (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    result TEXT NOT NULL CHECK (result IN ('accepted', 'retry', 'dead')),
    reason TEXT CHECK (reason IN (
        'unreachable', 'timeout', 'rate_limited', 'server_error', 'unauthorized', 'rejected')),
    detail TEXT,
    PRIMARY KEY (delivery_id, number)
) STRICT, WITHOUT ROWID;
