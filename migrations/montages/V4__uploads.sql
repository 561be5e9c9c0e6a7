-- Uploads that come piece by piece and may break off in between (tus), and what a sender says of a file besides its name.

ALTER TABLE montages.uploads
    -- As the sender said it, in the form of tus: names and values in base64.
    ADD COLUMN metadata text;

-- A file of which not everything has come, or is not one object yet; then it gets a row in montages.uploads instead. Its place
-- `uploads/{id}` stays listed for deletion a day after the last of it came, and with that this row goes.
CREATE TABLE montages.unfinished_uploads (
    id uuid PRIMARY KEY,
    name text,
    metadata text,
    -- How many there will be.
    bytes bigint NOT NULL CHECK (bytes > 0),
    -- How many have come: those of its parts.
    received bigint NOT NULL DEFAULT 0 CHECK (received BETWEEN 0 AND bytes),
    created_at timestamptz NOT NULL DEFAULT now(),
    -- The one request that may add to it, and until when the others leave it to that one.
    writer uuid,
    writer_until timestamptz,
    CHECK ((writer IS NULL) = (writer_until IS NULL))
);

-- What has come, each part an object, without gaps from the first byte on.
CREATE TABLE montages.upload_parts (
    upload_id uuid NOT NULL REFERENCES montages.unfinished_uploads (id) ON DELETE CASCADE,
    -- Its first byte in the file.
    start bigint NOT NULL CHECK (start >= 0),
    bytes bigint NOT NULL CHECK (bytes > 0),
    object_key text NOT NULL UNIQUE,
    PRIMARY KEY (upload_id, start)
);
