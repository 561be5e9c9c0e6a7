-- What a library of many montages needs: kinds, a trash, and what lists show of a search.

ALTER TABLE montages.montages
    ADD COLUMN kind text NOT NULL DEFAULT 'montage' CHECK (kind IN ('montage')),
    -- When somebody deleted it: it is in the trash, absent for everybody, and refuses late publishes of its job. The row and its
    -- objects go after a while (SM_TRASH_KEEP); then montages.deleted remembers the job.
    ADD COLUMN deleted_at timestamptz;
CREATE INDEX montages_trash ON montages.montages (deleted_at) WHERE deleted_at IS NOT NULL;

-- Lists read what is not in the trash, newest first. The second one is for kinds that are rare.
CREATE INDEX montages_live ON montages.montages (created_at DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX montages_kinds ON montages.montages (kind, created_at DESC, id DESC) WHERE deleted_at IS NULL;
-- Nothing reads it any more.
DROP INDEX montages.montages_newest;

-- For labels by their name alone, which montages_labels does not know.
CREATE INDEX montages_label_names ON montages.montages USING gin (labels);
-- What is new stands in the index itself, not in a list beside it that every search has to go through.
ALTER INDEX montages.montages_search SET (fastupdate = off);
ALTER INDEX montages.montages_streamers SET (fastupdate = off);
ALTER INDEX montages.montages_labels SET (fastupdate = off);
ALTER INDEX montages.montages_label_names SET (fastupdate = off);

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
