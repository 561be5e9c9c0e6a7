-- The library: published montages, what is said in them, the objects that they own, and uploaded files.
-- The rows decide what exists; the object store only holds bytes.

-- Text as it is searched and marked: tags, entities and the like are words of people here, never markup, so the signs
-- that PostgreSQL's parser would take for markup are set aside (private-use signs, which no parser treats as letters).
CREATE FUNCTION montages.plain(value text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT translate(value, U&'<>&\E000\E001\E002\E003\E004', U&'\E002\E003\E004')
$$;

-- The searchable words of a text: as they are written, and as English stems.
CREATE FUNCTION montages.words(value text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT to_tsvector('pg_catalog.simple', montages.plain(coalesce(value, '')))
        || to_tsvector('pg_catalog.english', montages.plain(coalesce(value, '')))
$$;

-- What a person typed, as a search: words are all wanted, "phrases", or, -without. Quiet about words such as "the", which
-- every other search would log a notice for.
CREATE FUNCTION montages.query(typed text) RETURNS tsquery LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET client_min_messages = 'warning' AS $$
    SELECT websearch_to_tsquery('pg_catalog.simple', montages.plain(typed))
        || websearch_to_tsquery('pg_catalog.english', montages.plain(typed))
$$;

-- A text, or the best part of one of more than 300 characters, with the matching words between U+E000 and U+E001; without
-- any where nothing matches. `<`, `>` and `&` stay set aside as U+E002, U+E003 and U+E004: whoever shows it turns all
-- five into safe markup.
CREATE FUNCTION montages.marked(value text, wanted tsquery) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE WHEN strpos(english, U&'\E000') > 0 THEN english
                ELSE ts_headline('pg_catalog.simple', montages.plain(value), wanted, options) END
    FROM (SELECT U&'StartSel=\E000, StopSel=\E001, MaxWords=30, MinWords=12'
                 || CASE WHEN length(value) <= 300 THEN ', HighlightAll=true' ELSE '' END) AS how (options),
         LATERAL ts_headline('pg_catalog.english', montages.plain(value), wanted, options) AS english
$$;

-- The same search with any of its words instead of all: finds the places that are worth showing.
CREATE FUNCTION montages.any_word(wanted tsquery) RETURNS tsquery LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT replace(wanted::text, ' & ', ' | ')::tsquery
$$;

-- A published result. It becomes visible by this row, which is unique per job and written only by the newest fence.
CREATE TABLE montages.montages (
    id uuid PRIMARY KEY,
    job_id uuid NOT NULL UNIQUE,
    -- Of the lease under which it was published.
    fence bigint NOT NULL CHECK (fence >= 1),
    -- SHA-256 of what was published, in a canonical form: tells a repeated publish from another one.
    content_sha256 text NOT NULL CHECK (length(content_sha256) = 64),
    title text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    labels jsonb NOT NULL CHECK (jsonb_typeof(labels) = 'object'),
    -- A person changed title or labels: a newer publish of the job keeps them.
    edited boolean NOT NULL DEFAULT false,
    streamers text[] NOT NULL,
    media jsonb NOT NULL,
    clips jsonb NOT NULL CHECK (jsonb_typeof(clips) = 'array'),
    sprites jsonb NOT NULL,
    -- Without its cues.
    transcript jsonb NOT NULL,
    -- The newest lease that replaced the transcript.
    transcript_job_id uuid,
    transcript_fence bigint,
    provenance jsonb NOT NULL,
    -- In seconds.
    duration double precision NOT NULL CHECK (duration > 0),
    width integer NOT NULL,
    height integer NOT NULL,
    -- Grows with every change that a client can see: the ETag.
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    -- When the present media came.
    published_at timestamptz NOT NULL DEFAULT now(),
    -- Written by montages.refresh_search.
    search tsvector NOT NULL DEFAULT ''
);
CREATE INDEX montages_newest ON montages.montages (created_at DESC, id DESC);
CREATE INDEX montages_labels ON montages.montages USING gin (labels jsonb_path_ops);
CREATE INDEX montages_streamers ON montages.montages USING gin (streamers);
CREATE INDEX montages_search ON montages.montages USING gin (search);

-- What is said, in timed pieces. Milliseconds on the montage and on the clip's source.
CREATE TABLE montages.cues (
    montage_id uuid NOT NULL REFERENCES montages.montages (id) ON DELETE CASCADE,
    position integer NOT NULL CHECK (position >= 0),
    start_ms bigint NOT NULL CHECK (start_ms >= 0),
    end_ms bigint NOT NULL CHECK (end_ms >= start_ms),
    -- Index into the montage's clips.
    clip integer NOT NULL CHECK (clip >= 0),
    source_start_ms bigint NOT NULL,
    source_end_ms bigint NOT NULL,
    text text NOT NULL,
    -- The single words with their times; an empty array where the engine does not time them.
    words jsonb NOT NULL DEFAULT '[]',
    search tsvector GENERATED ALWAYS AS (montages.words(text)) STORED,
    PRIMARY KEY (montage_id, position)
);
CREATE INDEX cues_search ON montages.cues USING gin (search);

-- Brings the search words of a montage up to date: title first, then clips and streamers, then what is said (of a very
-- long transcript the first 200,000 characters, because such an entry has a greatest size; single cues are found beyond).
CREATE FUNCTION montages.refresh_search(montage uuid) RETURNS void LANGUAGE sql AS $$
    UPDATE montages.montages SET search =
        setweight(montages.words(title), 'A')
        || setweight(montages.words(
            (SELECT string_agg(concat_ws(' ', clip ->> 'title', clip ->> 'streamer'), ' . ')
             FROM jsonb_array_elements(clips) AS clip)), 'B')
        || setweight(montages.words(left(
            (SELECT string_agg(cues.text, ' ' ORDER BY cues.position) FROM montages.cues WHERE cues.montage_id = montage),
            200000)), 'C')
    WHERE id = montage
$$;

-- The objects that a montage owns.
CREATE TABLE montages.pieces (
    montage_id uuid NOT NULL REFERENCES montages.montages (id) ON DELETE CASCADE,
    piece text NOT NULL CHECK (piece IN ('media', 'poster', 'sprites', 'speech')),
    object_key text NOT NULL UNIQUE,
    bytes bigint NOT NULL CHECK (bytes > 0),
    sha256 text NOT NULL CHECK (length(sha256) = 64),
    PRIMARY KEY (montage_id, piece)
);

-- Up to three places of a montage where words of a search stand, marked: its title, then clips, then the best cues.
CREATE FUNCTION montages.excerpt(montage uuid, wanted tsquery) RETURNS text LANGUAGE sql STABLE AS $$
    WITH loose AS MATERIALIZED (SELECT montages.any_word(wanted) AS query),
    places AS (
        SELECT 0 AS kind, 0::bigint AS place, whole.title AS found
        FROM montages.montages AS whole
        WHERE whole.id = montage
        UNION ALL
        SELECT 1, clip.place, concat_ws(' · ', clip.value ->> 'title', clip.value ->> 'streamer')
        FROM montages.montages AS whole, jsonb_array_elements(whole.clips) WITH ORDINALITY AS clip (value, place)
        WHERE whole.id = montage
        UNION ALL
        (SELECT 2, cues.position, cues.text
         FROM montages.cues, loose
         WHERE cues.montage_id = montage AND cues.search @@ loose.query
         ORDER BY ts_rank(cues.search, loose.query) DESC, cues.position
         LIMIT 3)
    ),
    best AS (
        SELECT kind, place, montages.marked(found, loose.query) AS text
        FROM places, loose
        WHERE montages.words(found) @@ loose.query
        ORDER BY kind, place
    )
    SELECT string_agg(text, ' … ' ORDER BY kind, place)
    FROM (SELECT * FROM best WHERE strpos(text, U&'\E000') > 0 ORDER BY kind, place LIMIT 3) AS shown
$$;

-- A file that somebody uploaded to use as a source. The row comes when the file is complete.
CREATE TABLE montages.uploads (
    id uuid PRIMARY KEY,
    name text,
    object_key text NOT NULL UNIQUE,
    bytes bigint NOT NULL CHECK (bytes > 0),
    sha256 text NOT NULL CHECK (length(sha256) = 64),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX uploads_newest ON montages.uploads (created_at DESC, id DESC);

-- Objects that are to go, and when. A place that is about to be written to stands here first, a day ahead, and is taken out
-- in the transaction that makes a row own it: what no row ever owned goes by itself, whatever crashed in between.
CREATE TABLE montages.deletions (
    -- All objects below it go: `montages/{job}/{fence}`, `montages/{job}` or `uploads/{id}`.
    prefix text PRIMARY KEY,
    due_at timestamptz NOT NULL,
    -- Deleting began: nothing may take it as its own any more.
    started boolean NOT NULL DEFAULT false,
    tries integer NOT NULL DEFAULT 0
);
CREATE INDEX deletions_due ON montages.deletions (due_at);

-- Jobs whose montage somebody deleted: a late or repeated publish does not bring it back.
CREATE TABLE montages.deleted (
    job_id uuid PRIMARY KEY,
    montage_id uuid NOT NULL,
    deleted_at timestamptz NOT NULL DEFAULT now()
);
