-- Montages number $1 to $2 of $3, the oldest first: titles and clips out of 8,000 words and 5,000 streamers, of which a few are everywhere
-- and most are rare, as it is with people; every 25th has something said in it. What the measurements look for by name: `quokka` stands
-- in every 50,000th, `clutch` in one of a hundred, `best` in every third; `veteran` is seen in every twentieth of the oldest third
-- and never since; the label `award` is on every 10,000th.
WITH made AS MATERIALIZED (
    SELECT number, number::double precision / $3::bigint AS age, random() AS luck, floor(5000 * power(random(), 4))::integer AS main,
           CASE WHEN random() < 0.4 THEN floor(5000 * power(random(), 4))::integer END AS guest,
           3 + floor(random() * 6)::integer AS clip_count, floor(40 * power(random(), 2))::integer AS game,
           timestamptz '2021-01-01' + number * (interval '1825 days' / $3::bigint) AS created_at
    FROM generate_series($1::bigint, $2::bigint) AS number
),
named AS MATERIALIZED (
    SELECT made.*,
           (lpad(to_hex((extract(epoch FROM created_at) * 1000)::bigint), 12, '0') || '7' || substr(md5(number::text), 1, 3)
            || '8' || substr(md5(number::text), 4, 15))::uuid AS id,
           concat_ws(' ', CASE WHEN number % 3 = 0 THEN 'Best of' END, pg_temp.word(3), pg_temp.word(3),
                     CASE WHEN luck < 0.01 THEN 'clutch' END, CASE WHEN number % 50000 = 0 THEN 'quokka' END,
                     'in', pg_temp.name(game)) AS title,
           CASE WHEN age < 0.33 AND number % 20 = 0 THEN 'veteran' ELSE pg_temp.name(main) END AS host,
           CASE WHEN guest IS DISTINCT FROM main THEN pg_temp.name(guest) END AS second
    FROM made
),
clipped AS MATERIALIZED (
    SELECT named.*, clips.list, clips.words
    FROM named, LATERAL (
        SELECT jsonb_agg(jsonb_build_object('title', part.title, 'streamer', part.streamer, 'score', 1.5,
                   'source', 'https://media.example/' || part.streamer || '/vod-' || number || '.mp4', 'start', place * 12.5, 'duration', 12.5,
                   'source_start', place * 1000.5, 'frames', 375, 'mode', 'exact') ORDER BY place) AS list,
               string_agg(part.title || ' ' || part.streamer, ' . ' ORDER BY place) AS words
        FROM generate_series(0, clip_count - 1) AS place,
             LATERAL (SELECT concat_ws(' ', pg_temp.word(3), pg_temp.word(3), pg_temp.word(3)) AS title,
                             CASE WHEN place % 2 = 1 THEN coalesce(second, host) ELSE host END AS streamer
                      WHERE place >= 0) AS part
    ) AS clips
),
spoken AS MATERIALIZED (
    SELECT id, place, concat_ws(' ', 'What a', pg_temp.word(2), pg_temp.word(2), 'and then the', pg_temp.word(2), pg_temp.word(2)) AS text
    FROM clipped, generate_series(0, 9) AS place
    WHERE number % 25 = 0
),
said AS MATERIALIZED (SELECT id, string_agg(text, ' ') AS text FROM spoken GROUP BY id),
montage AS (
    INSERT INTO montages.montages (id, job_id, fence, content_sha256, title, labels, streamers, media, clips, sprites, transcript,
                                   provenance, duration, width, height, created_at, updated_at, published_at, search)
    SELECT id, md5('job' || number)::uuid, 1, repeat('0', 64), title,
           jsonb_strip_nulls(jsonb_build_object('show', (ARRAY['weekly', 'weekly', 'weekly', 'monthly', 'special'])[1 + number % 5],
               'game', pg_temp.name(game), 'award', CASE WHEN number % 10000 = 0 THEN 'gold' END)),
           CASE WHEN second IS NULL THEN ARRAY[host] ELSE ARRAY[host, second] END,
           jsonb_build_object('width', 1920, 'height', 1080, 'frame_rate', '30/1', 'frames', 375 * clip_count,
               'duration_ticks', 8820000000 * clip_count, 'duration', 12.5 * clip_count, 'bytes', 50000000, 'sha256', repeat('0', 64)),
           list,
           '{"tile_width": 160, "tile_height": 90, "columns": 10, "rows": 10, "count": 100, "interval": 1.0}',
           '{"state": "complete", "engine": "local", "model": "a model", "language": "en", "reason": null, "cues": []}',
           jsonb_build_object('executor', 'bench', 'attempt', 1, 'plan', jsonb_build_object('number', number)),
           12.5 * clip_count, 1920, 1080, created_at, created_at, created_at,
           setweight(montages.words(title), 'A') || setweight(montages.words(words), 'B')
           || setweight(montages.words(said.text), 'C')
    FROM clipped LEFT JOIN said USING (id)
    ORDER BY number
),
piece AS (
    INSERT INTO montages.pieces (montage_id, piece, object_key, bytes, sha256)
    SELECT id, 'playlist', 'montages/' || number || '/1/media.m3u8', 1000, repeat('0', 64) FROM clipped
)
INSERT INTO montages.cues (montage_id, position, start_ms, end_ms, clip, source_start_ms, source_end_ms, text)
SELECT id, place, place * 3000, place * 3000 + 2000, 0, place * 3000, place * 3000 + 2000, text FROM spoken
