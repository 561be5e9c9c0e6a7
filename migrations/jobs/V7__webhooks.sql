-- Webhooks: who is told of jobs that ended, and what became of each telling. A delivery is written in the transaction that
-- ends the job, whoever ends it, and sent afterwards.

CREATE TABLE jobs.webhooks (
    -- Version 7, so that webhooks sort by age.
    id uuid PRIMARY KEY,
    url text NOT NULL,
    events text[] NOT NULL
        CHECK (cardinality(events) > 0
               AND events <@ ARRAY ['job.succeeded', 'job.failed', 'job.dead', 'job.cancelled']::text[]),
    description text CHECK (char_length(description) BETWEEN 1 AND 200),
    enabled boolean NOT NULL,
    -- Where it was not a person who disabled it.
    disabled_reason text CHECK (NOT enabled OR disabled_reason IS NULL),
    -- What signs. Kept as it is, since a signature cannot be made with a hash of it.
    secret bytea NOT NULL CHECK (octet_length(secret) = 32),
    -- The one before signs too until then, so that a receiver can change over without losing anything.
    old_secret bytea CHECK (octet_length(old_secret) = 32),
    old_secret_until timestamptz CHECK (num_nulls(old_secret, old_secret_until) IN (0, 2)),
    -- The first failed try since the last success, and the newest one.
    failing_since timestamptz,
    failed_at timestamptz CHECK (num_nulls(failing_since, failed_at) IN (0, 2)),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE jobs.webhook_deliveries (
    -- What receivers know a repeated one by.
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    webhook_id uuid NOT NULL REFERENCES jobs.webhooks (id) ON DELETE CASCADE,
    event text NOT NULL,
    job_id uuid,
    -- What is sent, to the byte, with every try.
    body text NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'failed')),
    -- Tries that were begun; never falls, so that it tells one sender's try from another's.
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    -- Steps of the schedule of retries that are used up; zero again when it is sent again by hand.
    retries integer NOT NULL DEFAULT 0 CHECK (retries >= 0),
    next_at timestamptz DEFAULT now(),
    -- A sender is at it until then; after that another one may be.
    locked_until timestamptz,
    attempted_at timestamptz,
    last_status integer,
    last_error text,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((state = 'waiting') = (next_at IS NOT NULL)),
    CHECK (locked_until IS NULL OR state = 'waiting')
);
CREATE INDEX webhook_deliveries_due ON jobs.webhook_deliveries (webhook_id, next_at, id) WHERE state = 'waiting';
CREATE INDEX webhook_deliveries_held ON jobs.webhook_deliveries (webhook_id) WHERE locked_until IS NOT NULL;
CREATE INDEX webhook_deliveries_newest ON jobs.webhook_deliveries (webhook_id, created_at DESC, id DESC);
CREATE INDEX webhook_deliveries_age ON jobs.webhook_deliveries (created_at);

-- A moment as it is written in bodies, whatever the session's time zone.
CREATE FUNCTION jobs.webhook_moment(moment timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$;

-- What is sent.
CREATE FUNCTION jobs.webhook_body(event text, moment timestamptz, data jsonb) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('type', event, 'timestamp', jobs.webhook_moment(moment), 'data', data)::text
$$;

CREATE FUNCTION jobs.tell_webhooks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- No spec: it may hold signed links. The lock is what the reference takes anyway; taken here, a webhook that is just being
    -- deleted is left out, where the reference would fail, and the job's end with it.
    INSERT INTO jobs.webhook_deliveries (webhook_id, event, job_id, body)
    SELECT hook.id, 'job.' || NEW.state, NEW.id,
           jobs.webhook_body('job.' || NEW.state, NEW.finished_at, jsonb_build_object(
               'id', NEW.id, 'kind', NEW.kind, 'title', NEW.title, 'labels', NEW.labels, 'state', NEW.state,
               'result', CASE WHEN NEW.montage_id IS NOT NULL THEN jsonb_build_object(
                   'montage_id', NEW.montage_id, 'href', '/v1/montages/' || NEW.montage_id) END,
               'failure', NEW.failure,
               'created_at', jobs.webhook_moment(NEW.created_at),
               'finished_at', jobs.webhook_moment(NEW.finished_at)))
    FROM jobs.webhooks AS hook
    WHERE hook.enabled AND 'job.' || NEW.state = ANY (hook.events)
    FOR KEY SHARE;
    RETURN NULL;
END
$$;
-- Plans and parts are the services' own business.
CREATE TRIGGER webhooks AFTER UPDATE OF state ON jobs.jobs FOR EACH ROW
    WHEN (NEW.state IN ('succeeded', 'failed', 'dead', 'cancelled') AND NEW.state IS DISTINCT FROM OLD.state
          AND NEW.kind IN ('montage', 'transcript'))
    EXECUTE FUNCTION jobs.tell_webhooks();
