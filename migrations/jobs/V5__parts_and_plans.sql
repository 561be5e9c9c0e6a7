-- Jobs that the services make themselves: plans, which are answered and forgotten, and parts of a montage, which other
-- executors make while one leads.

ALTER TABLE jobs.jobs
    -- The job that this is a part of.
    ADD COLUMN parent_id uuid REFERENCES jobs.jobs (id) ON DELETE CASCADE,
    -- What names the part's result within its parent.
    ADD COLUMN part_key text CHECK (part_key ~ '^[0-9a-f]{64}$'),
    -- The fence of the parent's lease under which the part was posted last: an older attempt's failures do not count.
    ADD COLUMN parent_fence bigint,
    -- Which of the parent's plans the part's segments are numbers of.
    ADD COLUMN plan_hash bytea,
    -- What a plan or a part came to. Montages and transcripts have montage_id instead.
    ADD COLUMN result jsonb,
    ADD CONSTRAINT jobs_part_is_whole CHECK (
        num_nulls(parent_id, part_key, parent_fence, plan_hash) = CASE WHEN kind = 'segment' THEN 0 ELSE 4 END),
    -- What was jobs_check1: succeeded means that there is a result, and now there are two kinds of them.
    DROP CONSTRAINT jobs_check1,
    ADD CONSTRAINT jobs_result CHECK (
        num_nonnulls(montage_id, result) = CASE WHEN state = 'succeeded' THEN 1 ELSE 0 END);

CREATE UNIQUE INDEX jobs_parts ON jobs.jobs (parent_id, part_key) WHERE parent_id IS NOT NULL;
-- The line that claims of one parent's parts are served from.
CREATE INDEX jobs_parts_line ON jobs.jobs (parent_id, priority DESC, run_at, id)
    WHERE parent_id IS NOT NULL AND state IN ('queued', 'retrying');
CREATE INDEX jobs_plans ON jobs.jobs (created_at) WHERE kind = 'plan';

-- The plans of montages that are made in parts: each is stored once, however many parts there are.
CREATE TABLE jobs.part_plans (
    job_id uuid NOT NULL REFERENCES jobs.jobs (id) ON DELETE CASCADE,
    -- SHA-256 of the plan in a canonical form.
    hash bytea NOT NULL CHECK (length(hash) = 32),
    plan jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (job_id, hash)
);
ALTER TABLE jobs.jobs
    ADD CONSTRAINT jobs_part_plan FOREIGN KEY (parent_id, plan_hash) REFERENCES jobs.part_plans (job_id, hash);
