-- The Idempotency-Key that a schedule was posted under, so that posting it again answers the same schedule. It lives as
-- long as the schedule.

ALTER TABLE jobs.schedules
    -- The API key's id; `open` where the gateway runs open.
    ADD COLUMN posted_by text,
    ADD COLUMN idempotency_key text,
    -- SHA-256 of the body in a canonical form.
    ADD COLUMN request_hash bytea CHECK (length(request_hash) = 32),
    ADD CONSTRAINT schedules_key_is_whole CHECK (num_nulls(posted_by, idempotency_key, request_hash) IN (0, 3));

-- Schedules without a key are distinct: nulls equal nothing.
CREATE UNIQUE INDEX schedules_idempotency ON jobs.schedules (posted_by, idempotency_key);
