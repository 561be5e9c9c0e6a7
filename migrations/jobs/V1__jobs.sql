-- The ledger of work: jobs, their attempts, the leases on them, the outbox of hints, and idempotency keys.
-- Only this database's clock decides anything here.

-- The right to work on something until a moment in time. Rows are never deleted, so that fences only grow.
CREATE TABLE jobs.leases (
    -- What the lease is on, such as `job:{id}` or `schedule:{id}`.
    subject text PRIMARY KEY CHECK (length(subject) BETWEEN 1 AND 200),
    -- Null while nobody holds it.
    owner uuid,
    -- Of the newest lease that was ever given on the subject.
    fence bigint NOT NULL CHECK (fence >= 1),
    expires_at timestamptz,
    CHECK ((owner IS NULL) = (expires_at IS NULL))
);
CREATE INDEX leases_expiry ON jobs.leases (expires_at) WHERE owner IS NOT NULL;

CREATE TABLE jobs.jobs (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    title text NOT NULL,
    labels jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(labels) = 'object'),
    priority smallint NOT NULL CHECK (priority BETWEEN -100 AND 100),
    spec jsonb NOT NULL CHECK (jsonb_typeof(spec) = 'object'),
    state text NOT NULL
        CHECK (state IN ('queued', 'running', 'retrying', 'succeeded', 'failed', 'dead', 'cancelled')),
    -- Not claimed before this moment: what was asked for, or the end of a back-off.
    run_at timestamptz NOT NULL,
    max_attempts integer NOT NULL CHECK (max_attempts BETWEEN 1 AND 1000),
    -- Number of the newest attempt; never falls.
    attempt integer NOT NULL DEFAULT 0 CHECK (attempt >= 0),
    -- Attempts that count against max_attempts; zero again when the job is sent again.
    attempts_used integer NOT NULL DEFAULT 0 CHECK (attempts_used BETWEEN 0 AND max_attempts),
    -- Of those, how many lost their lease: the first is repeated without waiting.
    leases_lost integer NOT NULL DEFAULT 0 CHECK (leases_lost >= 0),
    -- How often executors gave it back since then: past a bound, giving it back counts as an attempt.
    releases integer NOT NULL DEFAULT 0 CHECK (releases >= 0),
    cancel_requested boolean NOT NULL DEFAULT false,
    progress jsonb,
    failure jsonb,
    montage_id uuid,
    -- W3C trace context of the request that posted it.
    trace_parent text,
    -- Grows with every change that a client can see: the ETag.
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    CHECK ((state = 'succeeded') = (montage_id IS NOT NULL)),
    CHECK ((state IN ('succeeded', 'failed', 'dead', 'cancelled')) = (finished_at IS NOT NULL)),
    CHECK (NOT cancel_requested OR state = 'running')
);
-- The line that claims are served from.
CREATE INDEX jobs_line ON jobs.jobs (priority DESC, run_at, id) WHERE state IN ('queued', 'retrying');
CREATE INDEX jobs_newest ON jobs.jobs (created_at DESC, id DESC);
CREATE INDEX jobs_newest_by_state ON jobs.jobs (state, created_at DESC, id DESC);
CREATE INDEX jobs_labels ON jobs.jobs USING gin (labels jsonb_path_ops);

-- A succeeded job stays so; a failed, dead or cancelled one can only be sent again.
CREATE FUNCTION jobs.refuse_leaving_final_state() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'succeeded' OR NEW.state <> 'queued' THEN
        RAISE EXCEPTION 'job % is final (%) and cannot become %', OLD.id, OLD.state, NEW.state
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER final_states BEFORE UPDATE OF state ON jobs.jobs FOR EACH ROW
    WHEN (OLD.state IN ('succeeded', 'failed', 'dead', 'cancelled') AND NEW.state IS DISTINCT FROM OLD.state)
    EXECUTE FUNCTION jobs.refuse_leaving_final_state();

-- One try at a job, by one executor, under one lease.
CREATE TABLE jobs.attempts (
    job_id uuid NOT NULL REFERENCES jobs.jobs (id) ON DELETE CASCADE,
    number integer NOT NULL CHECK (number >= 1),
    fence bigint NOT NULL,
    executor_name text NOT NULL,
    started_at timestamptz NOT NULL,
    -- No heartbeat extends the lease past this moment.
    deadline_at timestamptz NOT NULL,
    ended_at timestamptz,
    outcome text CHECK (outcome IN ('succeeded', 'error', 'lease_lost', 'deadline', 'cancelled', 'released')),
    failure jsonb,
    PRIMARY KEY (job_id, number),
    UNIQUE (job_id, fence),
    CHECK ((ended_at IS NULL) = (outcome IS NULL))
);
-- At most one attempt of a job is live.
CREATE UNIQUE INDEX attempts_live ON jobs.attempts (job_id) WHERE ended_at IS NULL;

-- A hint that is to be sent: written in the transaction that makes its job claimable.
CREATE TABLE jobs.outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_id uuid NOT NULL REFERENCES jobs.jobs (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- When the job may be claimed; not sent before.
    available_at timestamptz NOT NULL,
    -- A relay is sending it until then; after that another one may.
    locked_until timestamptz,
    -- When the broker acknowledged it.
    sent_at timestamptz
);
-- By state and not by a cursor on the id: ids become visible out of order.
CREATE INDEX outbox_unsent ON jobs.outbox (available_at, id) WHERE sent_at IS NULL;
CREATE INDEX outbox_sent ON jobs.outbox (sent_at) WHERE sent_at IS NOT NULL;

-- What a caller posted under an Idempotency-Key, so that posting it again answers the same jobs.
CREATE TABLE jobs.idempotency_keys (
    -- The API key's id; empty where the gateway runs open.
    caller text NOT NULL,
    key text NOT NULL,
    -- SHA-256 of the body in a canonical form.
    request_hash bytea NOT NULL CHECK (length(request_hash) = 32),
    job_ids uuid[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (caller, key)
);
CREATE INDEX idempotency_keys_age ON jobs.idempotency_keys (created_at);
