-- Which executors there are, and what is needed to tell quickly which jobs changed of late.

-- One row for each executor process that asked for work within the last day. It has no index beside its key: it is small, and
-- so each note of a sign of life stays on its page (a HOT update).
CREATE TABLE jobs.executors (
    -- The process's own id. It proves who holds a lease and is never answered.
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    -- Everything that it has asked for.
    kinds text[] NOT NULL,
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    -- Within some seconds: not every sign of life is noted.
    seen_at timestamptz NOT NULL DEFAULT now()
);

-- When anything of a job changed but how far it is. Jobs that changed of late are those that turned of late, and of the running
-- ones those that were updated of late. An index on updated_at itself would say the same, but every heartbeat that carries
-- progress would then write to each index of the table: measured, 750 bytes of WAL instead of 270. As it is, nearly all of them
-- stay HOT updates.
ALTER TABLE jobs.jobs ADD COLUMN turned_at timestamptz NOT NULL DEFAULT '-infinity';
ALTER TABLE jobs.jobs ALTER COLUMN turned_at SET DEFAULT now();
CREATE INDEX jobs_turned ON jobs.jobs (turned_at);

-- A trigger, so that no statement can forget it.
CREATE FUNCTION jobs.note_turn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.turned_at := now();
    RETURN NEW;
END
$$;
CREATE TRIGGER turns BEFORE UPDATE ON jobs.jobs FOR EACH ROW
    WHEN (NEW.state <> OLD.state OR NEW.progress IS NOT DISTINCT FROM OLD.progress)
    EXECUTE FUNCTION jobs.note_turn();
