-- API keys. The secret itself is never stored: it has 256 random bits, so that its plain SHA-256 cannot be searched.

CREATE TABLE jobs.api_keys (
    -- The public half, part of the key as people send it.
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    scopes text[] NOT NULL
        CHECK (cardinality(scopes) > 0 AND scopes <@ ARRAY ['read', 'write', 'admin', 'executor']::text[]),
    secret_hash bytea NOT NULL CHECK (octet_length(secret_hash) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    -- Within a minute.
    last_used_at timestamptz,
    revoked_at timestamptz
);
