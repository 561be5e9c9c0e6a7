-- What a library of many montages needs: kinds, a trash, and what lists show of a search.

ALTER TABLE montages.montages
    ADD COLUMN kind text NOT NULL DEFAULT 'montage' CHECK (kind IN ('montage')),
    -- When somebody deleted it: it is in the trash, absent for everybody, and refuses late publishes of its job. The row and its
    -- objects go after a while (SM_TRASH_KEEP); then montages.deleted remembers the job.
    ADD COLUMN deleted_at timestamptz;
CREATE INDEX montages_trash ON montages.montages (deleted_at) WHERE deleted_at IS NOT NULL;

-- Lists read what is not in the trash, newest first: of each kind, or of all to look through them.
CREATE INDEX montages_kinds ON montages.montages (kind, created_at DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX montages_live ON montages.montages (created_at DESC, id DESC) WHERE deleted_at IS NULL;
-- Nothing reads it any more.
DROP INDEX montages.montages_newest;

-- For labels by their name alone, which montages_labels does not know.
CREATE INDEX montages_label_names ON montages.montages USING gin (labels);
-- What is new stands in the index itself, not in a list beside it that every search has to go through.
ALTER INDEX montages.montages_search SET (fastupdate = off);
ALTER INDEX montages.montages_streamers SET (fastupdate = off);
ALTER INDEX montages.montages_labels SET (fastupdate = off);
ALTER INDEX montages.montages_label_names SET (fastupdate = off);

-- What montages that are not in the trash are filtered by, each in the order of the lists, which the indexes of above do not know: a
-- page is read off the primary key, however frequent the tag is and whenever it was. Written by a trigger only.
CREATE TABLE montages.tags (
    -- As montages.tag makes it.
    tag uuid NOT NULL,
    created_at timestamptz NOT NULL,
    montage_id uuid NOT NULL,
    kind text NOT NULL,
    PRIMARY KEY (tag, created_at, montage_id) INCLUDE (kind)
);
-- Enough to know which of two tags is the rarer one.
ALTER TABLE montages.tags ALTER tag SET STATISTICS 1000;

-- A tag: `streamer` and a name, `label` and a name, or `label` and `name=value`. Hashed, because names may be long.
CREATE FUNCTION montages.tag(what text, name text) RETURNS uuid LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT md5(what || '=' || name)::uuid
$$;

-- The tags of a montage, each once.
CREATE FUNCTION montages.tags_of(streamers text[], labels jsonb) RETURNS SETOF uuid LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT montages.tag('streamer', streamer) FROM unnest(streamers) AS streamer
    UNION SELECT montages.tag('label', label.key) FROM jsonb_each_text(labels) AS label
    UNION SELECT montages.tag('label', label.key || '=' || label.value) FROM jsonb_each_text(labels) AS label
$$;

CREATE FUNCTION montages.retag() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.deleted_at IS NULL THEN
        DELETE FROM montages.tags
        WHERE tag IN (SELECT montages.tags_of(OLD.streamers, OLD.labels)) AND created_at = OLD.created_at AND montage_id = OLD.id;
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.deleted_at IS NULL THEN
        INSERT INTO montages.tags (tag, created_at, montage_id, kind)
        SELECT tag, NEW.created_at, NEW.id, NEW.kind FROM montages.tags_of(NEW.streamers, NEW.labels) AS tag;
    END IF;
    RETURN NULL;
END
$$;

INSERT INTO montages.tags (tag, created_at, montage_id, kind)
SELECT tag, created_at, id, kind FROM montages.montages, montages.tags_of(streamers, labels) AS tag;

CREATE TRIGGER tags AFTER INSERT OR DELETE OR UPDATE OF created_at, kind, streamers, labels, deleted_at ON montages.montages
    FOR EACH ROW EXECUTE FUNCTION montages.retag();

-- What a search found in a montage: up to three places where its words stand, marked, and the second to play from: that of the best
-- cue, else of the best clip; none where only the title has the words. Only what is shown is marked, because that is what costs.
CREATE FUNCTION montages.found(montage uuid, wanted tsquery, OUT excerpt text, OUT second double precision)
LANGUAGE sql STABLE STRICT AS $$
    WITH loose AS MATERIALIZED (SELECT montages.any_word(wanted) AS query),
    texts AS (
        SELECT 0 AS kind, 0::bigint AS place, NULL::double precision AS second, whole.title AS text
        FROM montages.montages AS whole
        WHERE whole.id = montage
        UNION ALL
        SELECT 1, clip.place, (clip.value ->> 'start')::double precision,
               concat_ws(' · ', clip.value ->> 'title', clip.value ->> 'streamer')
        FROM montages.montages AS whole, jsonb_array_elements(whole.clips) WITH ORDINALITY AS clip (value, place)
        WHERE whole.id = montage
    ),
    places AS MATERIALIZED (
        SELECT kind, place, second, text, ts_rank(words, loose.query) AS rank
        FROM texts, LATERAL montages.words(text) AS words, loose
        WHERE words @@ loose.query
        UNION ALL
        (SELECT 2, cues.position, cues.start_ms / 1000.0::double precision, cues.text, ts_rank(cues.search, loose.query)
         FROM montages.cues, loose
         WHERE cues.montage_id = montage AND cues.search @@ loose.query
         ORDER BY 5 DESC, 2
         LIMIT 3)
    )
    SELECT (SELECT string_agg(marked.text, ' … ' ORDER BY first.kind, first.place)
            -- A search that is without some word is met by texts that have none of the others.
            FROM (SELECT * FROM places WHERE rank > 0 ORDER BY kind, place LIMIT 3) AS first, loose,
                 LATERAL montages.marked(first.text, loose.query) AS marked (text)
            WHERE strpos(marked.text, U&'\E000') > 0),
           (SELECT places.second FROM places WHERE kind > 0 AND rank > 0 ORDER BY kind DESC, rank DESC, place LIMIT 1)
$$;
