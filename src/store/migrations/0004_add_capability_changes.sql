-- What the verdict said of each capability over the years, and what the account held around an
-- incident. Both are kept for ever: a report of last year needs them.

-- One row per change, at the time of the decision. Between two rows the first holds, except where
-- no heartbeat says that anybody was looking.
CREATE TABLE capability_changes (
    capability TEXT NOT NULL CHECK (capability IN (
        'video_generation', 'video_translation', 'api', 'web_app', 'authentication', 'speech',
        'webhooks')),
    at_ms INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN (
        'operational', 'degraded', 'outage', 'maintenance', 'unknown')),
    blame TEXT NOT NULL CHECK (blame IN (
        'none', 'provider', 'account', 'client', 'network', 'monitor')),
    reason TEXT NOT NULL,
    PRIMARY KEY (capability, at_ms)
) STRICT, WITHOUT ROWID;

-- The last reading of the account when an incident opened and when it was resolved.
CREATE TABLE incident_accounts (
    incident_id INTEGER NOT NULL REFERENCES incidents (id),
    moment TEXT NOT NULL CHECK (moment IN ('opened', 'resolved')),
    at_ms INTEGER NOT NULL,
    reading TEXT NOT NULL,
    PRIMARY KEY (incident_id, moment)
) STRICT, WITHOUT ROWID;
