-- Schedules read highlights from many kinds of sources, for some days, and make several montages of them; policies say what
-- happens to ticks that were missed and to runs whose predecessor is not done. A run has any number of jobs.

ALTER TABLE jobs.schedules
    -- Which days are asked for; everything if null.
    ADD COLUMN days jsonb,
    -- Which montages are made; one of everything if empty.
    ADD COLUMN montages jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN jitter_seconds integer NOT NULL DEFAULT 0 CHECK (jitter_seconds BETWEEN 0 AND 3600),
    ADD COLUMN catch_up text NOT NULL DEFAULT 'once' CHECK (catch_up IN ('skip', 'once', 'each')),
    ADD COLUMN overlap text NOT NULL DEFAULT 'allow' CHECK (overlap IN ('allow', 'skip', 'wait'));

ALTER TABLE jobs.schedule_runs
    -- The days that were asked for by hand, instead of the schedule's own.
    ADD COLUMN asked jsonb,
    -- Whether also what was posted before for the same days is posted.
    ADD COLUMN again boolean NOT NULL DEFAULT false,
    -- The days that the run asked its source for; known once it was read.
    ADD COLUMN days jsonb,
    -- What was read and skipped; known once the source was read.
    ADD COLUMN report jsonb,
    DROP CONSTRAINT schedule_runs_outcome_check,
    ADD CONSTRAINT schedule_runs_outcome_check CHECK (outcome IN ('running', 'submitted', 'empty', 'skipped', 'failed')),
    -- Jobs have rows of their own now. `job` and `job_id` are not written any more; a later release drops them.
    DROP CONSTRAINT schedule_runs_check,
    -- A run that is tried again says why.
    DROP CONSTRAINT schedule_runs_check1;

-- The jobs of a run, fixed before the first is posted, so that a second try after a crash posts the very same.
CREATE TABLE jobs.schedule_jobs (
    run_id uuid NOT NULL REFERENCES jobs.schedule_runs (id) ON DELETE CASCADE,
    position integer NOT NULL,
    schedule_id uuid NOT NULL REFERENCES jobs.schedules (id) ON DELETE CASCADE,
    -- The Idempotency-Key: the same for the same days of the same schedule.
    key text NOT NULL,
    title text NOT NULL,
    streamer text,
    highlights integer NOT NULL,
    left_out integer NOT NULL DEFAULT 0,
    outcome text NOT NULL DEFAULT 'waiting' CHECK (outcome IN ('waiting', 'submitted', 'known', 'refused')),
    -- What is posted. Once it was answered the job has its own row, and this copy has served.
    body jsonb CHECK ((outcome = 'waiting') = (body IS NOT NULL)),
    job_id uuid CHECK (outcome <> 'submitted' OR job_id IS NOT NULL),
    reason text,
    PRIMARY KEY (run_id, position)
);

-- Whether a schedule posted these days before.
CREATE INDEX schedule_jobs_posted ON jobs.schedule_jobs (schedule_id, key);

-- Runs that ended, and those that are under way with a job that is fixed already.
INSERT INTO jobs.schedule_jobs (run_id, position, schedule_id, key, title, highlights, outcome, body, job_id)
SELECT id, 0, schedule_id,
       'schedule:' || schedule_id || ':' || to_char(tick_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
       coalesce(job ->> 'title', 'Montage'), coalesce(jsonb_array_length(job #> '{spec,highlights}'), 0),
       CASE WHEN job_id IS NULL THEN 'waiting' ELSE 'submitted' END,
       CASE WHEN job_id IS NULL THEN job END,
       job_id
FROM jobs.schedule_runs
WHERE job_id IS NOT NULL OR (outcome = 'running' AND job IS NOT NULL);
