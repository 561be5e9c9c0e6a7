-- Schedules: when, from where and with which template jobs are made unattended; and what became of each tick.

CREATE TABLE jobs.schedules (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    -- Five fields; checked by the scheduler before it is stored.
    cron text NOT NULL,
    -- IANA name.
    time_zone text NOT NULL,
    source jsonb NOT NULL,
    template jsonb NOT NULL,
    paused boolean NOT NULL DEFAULT false,
    -- The next tick. A paused schedule has none; a schedule that has none left (a date in the past) has none either.
    next_at timestamptz CHECK (NOT (paused AND next_at IS NOT NULL)),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX schedules_due ON jobs.schedules (next_at) WHERE next_at IS NOT NULL;

CREATE TABLE jobs.schedule_runs (
    -- Version 7, so that runs sort by age.
    id uuid PRIMARY KEY,
    schedule_id uuid NOT NULL REFERENCES jobs.schedules (id) ON DELETE CASCADE,
    tick_at timestamptz NOT NULL,
    by_hand boolean NOT NULL DEFAULT false,
    outcome text NOT NULL DEFAULT 'running' CHECK (outcome IN ('running', 'submitted', 'empty', 'failed')),
    -- What is posted, fixed before the first try, so that a second try after a crash posts the very same.
    job jsonb,
    job_id uuid CHECK ((outcome = 'submitted') = (job_id IS NOT NULL)),
    reason text CHECK (outcome = 'failed' OR reason IS NULL),
    -- A run that is under way is not taken up before this moment.
    retry_at timestamptz NOT NULL DEFAULT now(),
    tries integer NOT NULL DEFAULT 0,
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz CHECK ((outcome = 'running') = (ended_at IS NULL)),
    -- However many schedulers there are, a tick is run once.
    UNIQUE (schedule_id, tick_at)
);

CREATE INDEX schedule_runs_newest ON jobs.schedule_runs (schedule_id, id DESC);
CREATE INDEX schedule_runs_open ON jobs.schedule_runs (retry_at) WHERE outcome = 'running';
