-- Segments as results of their own, the preview of a job that is being made, and the playlist as a piece of a montage.

-- A montage may have its media's byte ranges as an HLS playlist.
ALTER TABLE montages.pieces DROP CONSTRAINT pieces_piece_check;
ALTER TABLE montages.pieces ADD CONSTRAINT pieces_piece_check
    CHECK (piece IN ('media', 'poster', 'sprites', 'speech', 'playlist'));

-- The smallest pieces of montages, each named by what it is made from. Anybody who renders may use them; they go when nobody
-- has used them for a while, or to make room.
CREATE TABLE montages.segments (
    -- SHA-256 of what it is made from, in hexadecimal.
    key text PRIMARY KEY CHECK (length(key) = 64),
    object_key text NOT NULL UNIQUE,
    bytes bigint NOT NULL CHECK (bytes > 0),
    -- Of its bytes.
    sha256 text NOT NULL CHECK (length(sha256) = 64),
    created_at timestamptz NOT NULL DEFAULT now(),
    -- When somebody last looked it up, to within a minute.
    used_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX segments_used ON montages.segments (used_at DESC, key);

-- What can be played of a job's montage while it is being made. Its objects lie under `previews/{job}/{fence}`, which stays
-- listed for deletion all the time: the row goes when they begin to go.
CREATE TABLE montages.previews (
    job_id uuid PRIMARY KEY,
    fence bigint NOT NULL CHECK (fence >= 1),
    -- The fragments in playing order, as contracts::preview::PreviewEntry.
    playlist jsonb NOT NULL CHECK (jsonb_typeof(playlist) = 'array'),
    -- All of it is there.
    done boolean NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);
