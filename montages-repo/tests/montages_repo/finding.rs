//! Lists, filters, pages and search.

use contracts::{
    ids::JobId,
    montage::{FacetCount, MontageFacets, MontageKind, MontagePage},
    search::{HitKind, SearchResults},
    transcript::Word,
};
use serde_json::json;
use std::collections::HashSet;

use crate::world::{World, world};

async fn page(world: &World, query: &str) -> MontagePage {
    serde_json::from_value(world.json(world.get(&format!("/v1/montages{query}")), 200).await).unwrap()
}

async fn titles(world: &World, query: &str) -> Vec<String> {
    page(world, query).await.items.into_iter().map(|item| item.title).collect()
}

#[tokio::test]
async fn markup_in_titles_stays_text_and_words_are_marked() {
    let world = world!();
    let attempt = world.attempt(JobId::generate(), 1);
    let mut request = world
        .prepare(attempt, "<script>alert('x')</script> & the <b>goals</b> \u{e000}forged\u{e001}", b"m")
        .await;
    request.clips[0].title = "<img src=x onerror=alert(1)> goal of the year".into();
    request.transcript.cues[0].text = "A <i>goal</i>, \"they\" said & left".into();
    world.published(&request).await;
    world.montage("Nothing of the kind", b"n").await;

    let found = page(&world, "?q=goal+year").await;
    assert_eq!(found.items.len(), 1);
    let matched = found.items[0].matched.clone().unwrap();
    assert!(matched.contains("&lt;b&gt;<b>goals</b>&lt;/b&gt;"), "{matched}");
    assert!(
        matched.contains("&lt;img src=x onerror=alert(1)&gt; <b>goal</b> of the <b>year</b>"),
        "{matched}"
    );
    assert!(
        matched.contains("A &lt;i&gt;<b>goal</b>&lt;/i&gt;, &quot;they&quot; said &amp; left"),
        "{matched}"
    );
    assert!(!matched.contains("<b>forged</b>"), "{matched}");
    let rest = matched.replace("<b>", "").replace("</b>", "");
    assert!(!rest.contains(['<', '>']), "{matched}");
    assert!(found.items[0].title.starts_with("<script>"), "titles are answered as they are");
    assert_eq!(found.items[0].matched_at, Some(1.25), "where the words are said");

    let hits: SearchResults =
        serde_json::from_value(world.json(world.get("/v1/search?q=script"), 200).await).unwrap();
    assert_eq!(hits.items.len(), 1);
    assert!(hits.items[0].matched.starts_with("&lt;<b>script</b>&gt;"), "{}", hits.items[0].matched);
    world.end().await;
}

#[tokio::test]
async fn hits_name_the_second_on_the_montage_and_on_the_source() {
    let world = world!();
    let made = world.montage("Weekly", b"m").await;
    let search = async |query: &str| -> SearchResults {
        serde_json::from_value(world.json(world.get(&format!("/v1/search?q={query}")), 200).await).unwrap()
    };
    let cue = &search("dragons").await.items[0];
    assert_eq!((cue.kind, cue.montage_id, cue.clip), (HitKind::Cue, made.summary.id, Some(1)));
    assert_eq!((cue.start, cue.end, cue.source_start), (12.5, 14.5, Some(112.5)));
    assert_eq!(cue.matched, "Nobody saw the <b>dragon</b> coming.");
    assert_eq!(cue.streamer.as_deref(), Some("minh"));
    assert_eq!(cue.source.as_deref(), Some("https://media.example/vod.mp4"));
    assert_eq!(cue.links["media"], format!("/v1/montages/{}/media#t=12.5", made.summary.id));
    let clip = &search("minh+lucky").await.items[0];
    assert_eq!(
        (clip.kind, clip.start, clip.end, clip.source_start),
        (HitKind::Highlight, 10.0, 20.0, Some(50.5))
    );
    let title = &search("weekly").await.items[0];
    assert_eq!((title.kind, title.start, title.source_start), (HitKind::Montage, 0.0, None));
    assert_eq!(title.matched, "<b>Weekly</b>");
    assert!(search("nowhere").await.items.is_empty());
    assert!(search("%22dragon+saw%22").await.items.is_empty());
    assert_eq!(search("%22saw+the+dragon%22").await.items.len(), 1);
    assert_eq!(search("goal+or+dragon").await.items.len(), 2);
    assert_eq!(search("goal+or+dragon&limit=1").await.items.len(), 1);
    // Words that are no operators, whatever they look like.
    for odd in ["%27%3B--", "a%26%26b", "%28%28", "%3A%2A", "%5C", "%3C-%3E", "the"] {
        search(odd).await;
        page(&world, &format!("?q={odd}")).await;
    }
    for (query, code) in [
        ("", "invalid_query"),
        ("?q=", "invalid_query"),
        ("?q=x&limit=0", "invalid_query"),
        ("?q=x&x=y", "invalid_query"),
    ] {
        world.problem(world.get(&format!("/v1/search{query}")), code).await;
    }
    let long = format!("/v1/search?q={}", "x".repeat(501));
    world.problem(world.get(&long), "invalid_query").await;
    world.end().await;
}

#[tokio::test]
async fn filters_choose() {
    let world = world!();
    for (title, show, streamer) in
        [("one", "weekly", "hana"), ("two", "monthly", "hana"), ("three", "weekly", "kim")]
    {
        let mut request = world.prepare(world.attempt(JobId::generate(), 1), title, b"m").await;
        request.labels = [("show".to_owned(), show.to_owned()), (title.to_owned(), String::new())].into();
        request.clips[0].streamer = Some(streamer.into());
        world.published(&request).await;
    }
    assert_eq!(titles(&world, "").await, ["three", "two", "one"]);
    assert_eq!(titles(&world, "?label=show:weekly").await, ["three", "one"]);
    assert_eq!(titles(&world, "?label=two").await, ["two"]);
    assert_eq!(titles(&world, "?label=show:").await, Vec::<String>::new());
    assert_eq!(titles(&world, "?streamer=hana").await, ["two", "one"]);
    assert_eq!(titles(&world, "?kind=montage").await.len(), 3);
    assert_eq!(titles(&world, "?kind=montage,%20montage&streamer=kim").await, ["three"]);
    assert_eq!(titles(&world, "?streamer=hana&label=show=weekly").await, ["one"]);
    assert_eq!(titles(&world, "?q=kim").await, ["three"]);
    assert_eq!(titles(&world, "?q=kim+dragon").await, ["three"]);
    assert_eq!(titles(&world, "?q=dragon+-kim").await, ["two", "one"]);
    assert_eq!(titles(&world, "?since=2100-01-01T00:00:00Z").await, Vec::<String>::new());
    assert_eq!(titles(&world, "?until=2100-01-01T00:00:00Z").await.len(), 3);
    let newest = page(&world, "?limit=1").await.items[0].created_at;
    let newest = newest.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    assert_eq!(titles(&world, &format!("?since={newest}")).await, ["three"]);
    assert_eq!(titles(&world, &format!("?until={newest}")).await, ["two", "one"]);
    for query in ["?limit=201", "?kind=film", "?kind=", "?label=Bad%20Name", "?since=yesterday", "?unknown=1"]
    {
        world.problem(world.get(&format!("/v1/montages{query}")), "invalid_query").await;
    }
    world.end().await;
}

#[tokio::test]
async fn a_summary_has_what_a_card_shows() {
    let world = world!();
    let made = world.montage("Weekly", b"m").await;
    assert_eq!((made.summary.kind, made.summary.clip_count), (MontageKind::Montage, 2));
    assert_eq!((made.summary.sprites.count, made.summary.sprites.interval), (4, 5.0));
    let listed = page(&world, "").await.items.remove(0);
    assert_eq!(listed, made.summary);
    // The second to play from: of what is said, else of the clip, and nowhere in particular for a title.
    for (words, second) in [
        ("dragon", Some(12.5)),
        ("dragon+-kim", Some(12.5)),
        ("lucky+weekly", Some(10.0)),
        ("escape+coming", Some(12.5)),
        ("weekly", None),
    ] {
        assert_eq!(page(&world, &format!("?q={words}")).await.items[0].matched_at, second, "{words}");
    }
    world.end().await;
}

#[tokio::test]
async fn facets_say_what_filters_find() {
    let world = world!();
    let facets = async || -> MontageFacets {
        serde_json::from_value(world.json(world.get("/v1/montages/facets"), 200).await).unwrap()
    };
    let none = facets().await;
    assert_eq!((none.of, none.kinds.len(), none.streamers.len(), none.labels.len()), (0, 0, 0, 0));
    for (show, streamers) in
        [("weekly", ["hana", "kim"]), ("weekly", ["hana", "hana"]), ("a:b", ["minh", "kim"])]
    {
        let mut request = world.prepare(world.attempt(JobId::generate(), 1), "one", b"m").await;
        request.labels = [("show".to_owned(), show.to_owned())].into();
        for (clip, streamer) in request.clips.iter_mut().zip(streamers) {
            clip.streamer = Some(streamer.into());
        }
        world.published(&request).await;
    }
    let found = facets().await;
    let named =
        |list: &[FacetCount]| list.iter().map(|one| (one.name.clone(), one.count)).collect::<Vec<_>>();
    assert_eq!(found.of, 3);
    assert_eq!(named(&found.kinds), [("montage".to_owned(), 3)]);
    assert_eq!(
        named(&found.streamers),
        [("hana".to_owned(), 2), ("kim".to_owned(), 2), ("minh".to_owned(), 1)]
    );
    let labels: Vec<_> =
        found.labels.iter().map(|one| (one.name.as_str(), one.value.as_str(), one.count)).collect();
    assert_eq!(labels, [("show", "weekly", 2), ("show", "a:b", 1)]);
    for one in &found.streamers {
        assert_eq!(titles(&world, &format!("?streamer={}", one.name)).await.len() as u64, one.count);
    }
    for one in &found.labels {
        assert_eq!(
            titles(&world, &format!("?label={}:{}", one.name, one.value)).await.len() as u64,
            one.count
        );
    }
    world.end().await;
}

#[tokio::test]
async fn pages_neither_repeat_nor_skip_while_montages_come_and_go() {
    let world = world!();
    let mut before = Vec::new();
    for number in 0..7 {
        before.push(world.montage(&format!("dragon {number}"), b"m").await.summary.id);
    }
    for search in ["", "&q=dragon"] {
        let mut seen = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = page(&world, &format!("?limit=2{search}{cursor}")).await;
            assert!(page.items.len() <= 2);
            seen.extend(page.items.iter().map(|item| item.id));
            // New ones come in front of what has been read, and one that has been read goes.
            world.montage("dragon that came later", b"m").await;
            let Some(next) = page.next_cursor else { break };
            cursor = format!("&cursor={next}");
        }
        let unique: HashSet<_> = seen.iter().collect();
        assert_eq!(unique.len(), seen.len());
        let old: Vec<_> = seen.iter().copied().filter(|id| before.contains(id)).collect();
        assert_eq!(old, before.iter().rev().copied().collect::<Vec<_>>());
    }
    let first = page(&world, "?limit=1").await;
    let cursor = first.next_cursor.unwrap();
    for query in [format!("?limit=1&q=dragon&cursor={cursor}"), "?cursor=AAAA".to_owned()] {
        world.problem(world.get(&format!("/v1/montages{query}")), "invalid_cursor").await;
    }
    // The last page says so, even when it is full.
    let whole = page(&world, "?limit=200").await;
    assert_eq!(whole.next_cursor, None);
    let exact = page(&world, &format!("?limit={}", whole.items.len())).await;
    assert_eq!((exact.items.len(), exact.next_cursor), (whole.items.len(), None));
    assert_eq!(json!(whole.items[0].matched), json!(null));
    world.end().await;
}

/// With one montage on a page, 200 are looked through for words at first: all ways to find something are gone here, and must agree.
#[tokio::test]
async fn what_is_frequent_rare_or_long_ago_is_found_in_one_order() {
    let world = world!();
    sqlx::raw_sql(
        "INSERT INTO montages.montages (id, job_id, fence, content_sha256, title, labels, streamers, media, clips, sprites, transcript,
                                        provenance, duration, width, height, created_at)
         SELECT md5('id' || number)::uuid, md5('job' || number)::uuid, 1, repeat('0', 64),
                concat_ws(' ', 'number', CASE WHEN number % 3 = 0 THEN 'often' END, CASE WHEN number < 30 THEN 'early' END,
                          CASE WHEN number IN (7, 333) THEN 'seldom' END),
                jsonb_build_object('show', CASE WHEN number % 3 = 0 THEN 'often' ELSE 'else' END),
                ARRAY[CASE WHEN number < 30 THEN 'early' ELSE 'late' END], '{}', '[]',
                '{\"tile_width\": 1, \"tile_height\": 1, \"columns\": 1, \"rows\": 1, \"count\": 1, \"interval\": 1}',
                '{\"state\": \"none\"}', '{}', 1, 1, 1,
                -- Three at a time: the ids decide among them.
                timestamptz '2026-01-01' + number / 3 * interval '1 hour'
         FROM generate_series(1, 450) AS number;
         SELECT montages.refresh_search(id) FROM montages.montages",
    )
    .execute(&world.pool)
    .await
    .unwrap();
    for (query, condition, count) in [
        ("q=often", "title LIKE '%often%'", 150),
        ("q=early", "title LIKE '%early%'", 29),
        ("q=seldom", "title LIKE '%seldom%'", 2),
        ("q=nothing", "false", 0),
        ("streamer=early", "streamers = '{early}'", 29),
        ("label=show:often", "title LIKE '%often%'", 150),
        ("label=show&streamer=early", "streamers = '{early}'", 29),
        ("label=show:often&streamer=early&kind=montage", "title LIKE '%often%early%'", 9),
        ("q=number&label=show:often&streamer=early", "title LIKE '%often%early%'", 9),
        (
            "q=number&label=show&until=2026-01-01T09:00:00Z",
            "title LIKE '%early%' AND created_at < '2026-01-01T09:00Z'",
            26,
        ),
        ("kind=montage&since=2026-01-05T00:00:00Z", "created_at >= '2026-01-05T00:00Z'", 163),
        ("label=other", "false", 0),
        ("kind=montage&q=early+often", "title LIKE '%often%early%'", 9),
        (
            "q=early&since=2026-01-01T05:00:00Z&until=2026-01-01T08:00:00Z",
            "title LIKE '%early%' AND created_at >= '2026-01-01T05:00Z' AND created_at < '2026-01-01T08:00Z'",
            9,
        ),
    ] {
        let expected: Vec<uuid::Uuid> = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
            "SELECT id FROM montages.montages WHERE {condition} ORDER BY created_at DESC, id DESC"
        )))
        .fetch_all(&world.pool)
        .await
        .unwrap();
        let (mut found, mut cursor) = (Vec::new(), String::new());
        for _ in 0..=450 {
            let page = page(&world, &format!("?limit=1&{query}{cursor}")).await;
            found.extend(page.items.into_iter().map(|item| item.id.0));
            let Some(next) = page.next_cursor else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(found, expected, "{query}");
        assert_eq!(found.len(), count, "{query}");
        let whole = page(&world, &format!("?limit=200&{query}")).await;
        assert_eq!(whole.items.into_iter().map(|item| item.id.0).collect::<Vec<_>>(), expected, "{query}");
    }
    // A search for a word that stands in more than a hundred montages ranks the newest of them.
    let hits: SearchResults =
        serde_json::from_value(world.json(world.get("/v1/search?q=often&limit=200"), 200).await).unwrap();
    assert_eq!(hits.items.len(), 100);
    let newest: Vec<uuid::Uuid> = sqlx::query_scalar(
        "SELECT id FROM montages.montages WHERE title LIKE '%often%' ORDER BY created_at DESC, id DESC LIMIT 100",
    )
    .fetch_all(&world.pool)
    .await
    .unwrap();
    let newest: HashSet<_> = newest.into_iter().collect();
    assert!(hits.items.iter().all(|hit| newest.contains(&hit.montage_id.0)));
    world.end().await;
}

#[tokio::test]
async fn hours_of_talk_are_published_and_found() {
    let world = world!();
    let mut request = world.prepare(world.attempt(JobId::generate(), 1), "A long evening", b"m").await;
    let one = request.transcript.cues[0].clone();
    // More than other routes accept, and more words than one search entry may have.
    request.transcript.cues = (0..6_000_u32)
        .map(|number| {
            let mut cue = one.clone();
            cue.start = f64::from(number) * 0.5;
            cue.end = cue.start + 0.5;
            cue.text =
                format!("word{number} number{number} thing{number} spoken{number} by somebody{number}");
            let word = |text: &str| Word { start: cue.start, end: cue.end, text: text.to_owned() };
            cue.words = cue.text.split(' ').map(word).collect();
            cue
        })
        .collect();
    assert!(serde_json::to_vec(&request).unwrap().len() > 2 << 20);
    world.published(&request).await;
    // The list knows the beginning, the search every cue.
    assert_eq!(titles(&world, "?q=somebody17").await, ["A long evening"]);
    let hits = world.json(world.get("/v1/search?q=spoken5999"), 200).await;
    assert_eq!(hits["items"][0]["start"], 2999.5);
    let cues = world
        .json(
            world.get(&format!(
                "/v1/montages/{}/captions.json",
                hits["items"][0]["montage_id"].as_str().unwrap()
            )),
            200,
        )
        .await;
    assert_eq!(cues[5_999]["words"][0]["text"], "word5999");
    world.end().await;
}
