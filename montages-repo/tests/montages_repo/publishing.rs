//! Publishing under fences, and changing.

use contracts::{
    ids::JobId,
    montage::{Montage, MontageKind},
    object::Piece,
    replay::{Difference, ReplayReport, Verification},
    transcript::Engine,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::world::world;

#[tokio::test]
async fn a_result_appears_once_whatever_is_repeated() {
    let world = world!();
    let job = JobId::generate();
    world.problem(world.get(&format!("/v1/results/{job}")), "not_found").await;
    let first = world.attempt(job, 3);
    let request = world.prepare(first, "Best of the week", b"the first media").await;
    let made = world.published(&request).await;
    assert_eq!(made.summary.streamers, ["hana", "minh"]);
    assert!(made.missing.is_empty() && made.transcript.cues.is_empty());

    // The same again is the same.
    let again = world.publish(&request).await;
    assert_eq!(again.status(), StatusCode::OK);
    assert_eq!(again.json::<Montage>().await.unwrap(), made);
    // The same attempt with something else is refused.
    let mut other = request.clone();
    other.title = "Another title".into();
    world.problem(world.ask(Method::POST, "/v1/results").json(&other), "conflict").await;
    // Without the lease nothing is published, not even what is there.
    world.ledger.lose(job);
    world.problem(world.ask(Method::POST, "/v1/results").json(&request), "stale_fence").await;

    // A newer attempt takes its place under the same id; the older one's objects go.
    let second = world.attempt(job, 5);
    let newer = world.prepare(second, "Best of the week, again", b"the second media, longer").await;
    let answer = world.publish(&newer).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let replaced: Montage = answer.json().await.unwrap();
    assert_eq!(replaced.summary.id, made.summary.id);
    assert_eq!(replaced.summary.title, "Best of the week, again");
    let media = world.get(&made.summary.links["media"]).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(media, "the second media, longer");
    world
        .until("the objects of fence 3 are gone", || !world.files().iter().any(|key| key.contains("/3/")))
        .await;
    assert_eq!(world.files().len(), 4);

    // The older one cannot come back, even if its lease had been checked before it was lost.
    world.ledger.hold(job, first.executor, 3);
    world.problem(world.ask(Method::POST, "/v1/results").json(&request), "stale_fence").await;
    let found = world.json(world.get(&format!("/v1/results/{job}")), 200).await;
    assert_eq!(found["id"], json!(made.summary.id));
    assert_eq!(found["title"], "Best of the week, again");
    world.end().await;
}

/// A replay is a montage of its own kind, with what was played, and is never transcribed.
#[tokio::test]
async fn a_replay_keeps_what_was_played() {
    let world = world!();
    let job = JobId::generate();
    let mut request = world.prepare(world.attempt(job, 1), "A play", b"the media").await;
    request.pieces.retain(|piece| piece.piece != Piece::Speech);
    request.transcript.engine = Engine::Play;
    let report = ReplayReport {
        mode: "osu".into(),
        player: "Player".into(),
        played_at: None,
        artist: "Artist".into(),
        title: "Title".into(),
        difficulty: "Hard".into(),
        creator: "Mapper".into(),
        map_md5: "0".repeat(32),
        mods: vec!["HD".into()],
        lazer: false,
        stars: 5.5,
        pp: 123.4,
        accuracy: 0.98,
        score: 1_000_000,
        max_combo: 500,
        unstable_rate: 90.5,
        counts: [("300".to_owned(), 490), ("miss".to_owned(), 1)].into(),
        slider_breaks: 0,
        verification: Verification {
            verified: false,
            differences: vec![Difference { name: "count_100".into(), header: 9, judged: 8 }],
        },
    };
    request.replay = Some(report.clone());
    let made = world.published(&request).await;
    assert_eq!((made.summary.kind, made.replay.as_ref()), (MontageKind::Replay, Some(&report)));
    let listed = world.json(world.get("/v1/montages?kind=replay"), 200).await;
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    assert_eq!(world.json(world.get("/v1/montages?kind=montage"), 200).await["items"], json!([]));
    let path = format!("{}/transcribe", made.summary.links["self"]);
    world.problem(world.ask(Method::POST, &path).json(&json!({ "engine": "local" })), "conflict").await;
    world.problem(world.ask(Method::POST, &path).json(&json!({ "engine": "play" })), "invalid_spec").await;

    // A newer attempt's report takes the place of the older one's.
    let mut newer = world.prepare(world.attempt(job, 2), "A play", b"the media").await;
    newer.replay = Some(ReplayReport { pp: 125.0, ..report });
    let answer = world.publish(&newer).await.json::<Montage>().await.unwrap();
    assert_eq!(answer.replay.map(|report| report.pp), Some(125.0));
    world.end().await;
}

#[tokio::test]
async fn of_concurrent_publishes_the_newest_fence_stands() {
    let world = world!();
    for _ in 0..5 {
        let job = JobId::generate();
        let mut requests = Vec::new();
        for fence in 1..=3_i64 {
            let attempt = world.attempt(job, fence);
            let media = format!("media of fence {fence}");
            requests.push(world.prepare(attempt, &format!("fence {fence}"), media.as_bytes()).await);
        }
        // Each twice, all at once.
        let all = requests.iter().chain(&requests).map(|request| world.publish(request));
        let answers = futures::future::join_all(all).await;
        let mut created = 0;
        for answer in answers {
            match answer.status() {
                StatusCode::CREATED => created += 1,
                StatusCode::OK | StatusCode::CONFLICT => {}
                other => panic!("{other}: {}", answer.text().await.unwrap()),
            }
        }
        assert_eq!(created, 1);
        let found = world.json(world.get(&format!("/v1/results/{job}")), 200).await;
        assert_eq!(found["title"], "fence 3");
        let media = world.get(found["links"]["media"].as_str().unwrap()).send().await.unwrap();
        assert_eq!(media.text().await.unwrap(), "media of fence 3");
    }
    let page = world.json(world.get("/v1/montages"), 200).await;
    assert_eq!(page["items"].as_array().unwrap().len(), 5);
    // What was replaced goes now, what came too late to publish in a day; what is published stays.
    sqlx::query("UPDATE montages.deletions SET due_at = now()").execute(&world.pool).await.unwrap();
    world.until("only the objects of the newest fences are left", || world.files().len() == 20).await;
    assert!(world.files().iter().all(|key| key.contains("/3/")));
    world.end().await;
}

#[tokio::test]
async fn every_mistake_of_a_result_is_named_and_nothing_is_kept() {
    let world = world!();
    let attempt = world.attempt(JobId::generate(), 2);
    let good = world.prepare(attempt, "Title", b"some media").await;
    let mut bad = good.clone();
    bad.title = " ".into();
    bad.pieces[0].key = "montages/of/another/media.mp4".into();
    bad.pieces[1].sha256 = "no".into();
    bad.transcript.cues[1].clip = 2;
    bad.transcript.cues[0].end = 0.5;
    let problem = world.problem(world.ask(Method::POST, "/v1/results").json(&bad), "invalid_spec").await;
    let mut pointers: Vec<&str> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["pointer"].as_str().unwrap())
        .collect();
    pointers.sort_unstable();
    assert_eq!(
        pointers,
        ["/pieces/0/key", "/pieces/1/sha256", "/title", "/transcript/cues/0", "/transcript/cues/1/clip"]
    );
    // What PostgreSQL could not store.
    let mut bad = good.clone();
    bad.clips[0].title = "a\0b".into();
    world.problem(world.ask(Method::POST, "/v1/results").json(&bad), "invalid_spec").await;
    // A size that the store does not have.
    let mut bad = good.clone();
    bad.pieces[2].bytes += 1;
    let problem = world.problem(world.ask(Method::POST, "/v1/results").json(&bad), "invalid_spec").await;
    assert_eq!(problem["errors"][0]["pointer"], "/pieces/2/bytes");
    // A piece that was never sent.
    let unsent = world.attempt(JobId::generate(), 1);
    let mut bad = good.clone();
    (bad.job_id, bad.fence, bad.executor_id) = (unsent.job, 1, unsent.executor);
    for piece in &mut bad.pieces {
        piece.key = format!("montages/{}/1/{}", unsent.job, piece.piece.file_name());
    }
    let problem = world.problem(world.ask(Method::POST, "/v1/results").json(&bad), "invalid_spec").await;
    assert_eq!(problem["errors"].as_array().unwrap().len(), 4);
    let page = world.json(world.get("/v1/montages"), 200).await;
    assert_eq!(page["items"], json!([]));
    // And the good one is still good.
    world.published(&good).await;
    world.end().await;
}

#[tokio::test]
async fn one_of_many_changes_under_one_etag_wins() {
    let world = world!();
    let made = world.montage("Before", b"media").await;
    let path = made.summary.links["self"].clone();
    let etag = world.get(&path).send().await.unwrap().headers()["etag"].clone();
    let changes = (0..8).map(|number| {
        let patch = json!({ "title": format!("After {number}"), "labels": { "winner": number.to_string(), "show": null } });
        world.ask(Method::PATCH, &path).header("if-match", etag.clone()).json(&patch).send()
    });
    let answers = futures::future::join_all(changes).await;
    let mut winner = None;
    for answer in answers {
        let answer = answer.unwrap();
        match answer.status() {
            StatusCode::OK => assert!(winner.replace(answer.json::<Montage>().await.unwrap()).is_none()),
            status => assert_eq!(status, StatusCode::PRECONDITION_FAILED),
        }
    }
    let winner = winner.unwrap();
    let now: Montage = world.get(&path).send().await.unwrap().json().await.unwrap();
    assert_eq!(now, winner);
    assert!(now.summary.title.starts_with("After ") && now.updated_at > made.updated_at);
    assert_eq!(now.summary.labels.keys().collect::<Vec<_>>(), ["winner"]);

    // The tag of a GET, and its conditions.
    let known = world.get(&path).send().await.unwrap().headers()["etag"].clone();
    assert_ne!(known, etag);
    let unchanged = world.get(&path).header("if-none-match", known.clone()).send().await.unwrap();
    assert_eq!(unchanged.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(
        world.get(&path).header("if-none-match", etag.clone()).send().await.unwrap().status(),
        StatusCode::OK
    );
    // The search follows a new title.
    for (word, count) in [("before", 0), ("after", 1)] {
        let page = world.json(world.get(&format!("/v1/montages?q={word}")), 200).await;
        assert_eq!(page["items"].as_array().unwrap().len(), count, "{word}");
    }
    // So do the filters.
    for (label, count) in [("show", 0), ("winner", 1)] {
        let page = world.json(world.get(&format!("/v1/montages?label={label}")), 200).await;
        assert_eq!(page["items"].as_array().unwrap().len(), count, "{label}");
    }
    // Mistakes change nothing.
    for (patch, pointer) in [
        (json!({ "title": "" }), "/title"),
        (json!({ "title": "a\nb" }), "/title"),
        (json!({ "labels": { "Bad Name": "x" } }), "/labels/Bad Name"),
        (json!({ "titel": "x" }), ""),
    ] {
        let problem = world.problem(world.ask(Method::PATCH, &path).json(&patch), "invalid_spec").await;
        assert_eq!(problem["errors"][0]["pointer"], pointer);
    }
    assert_eq!(world.get(&path).send().await.unwrap().headers()["etag"], known);
    // A newer publish keeps what a person has written.
    let newer = world.prepare(world.attempt(made.summary.job_id, 2), "By the executor", b"media 2").await;
    let replaced: Montage = world.publish(&newer).await.json().await.unwrap();
    assert_eq!(replaced.summary.title, winner.summary.title);
    assert_eq!(replaced.summary.labels, winner.summary.labels);
    world.end().await;
}

#[tokio::test]
async fn objects_of_an_attempt_that_never_published_go_after_a_day() {
    let world = world!();
    let made = world.montage("Kept", b"kept media").await;
    let abandoned = world.attempt(JobId::generate(), 7);
    let request = world.prepare(abandoned, "Abandoned", b"abandoned media").await;
    assert_eq!(world.files().len(), 8);
    let due: Vec<bool> =
        sqlx::query_scalar("SELECT due_at > now() + interval '23 hours' FROM montages.deletions")
            .fetch_all(&world.pool)
            .await
            .unwrap();
    assert_eq!(due, [true]);
    // A day later; and a grant that came while the other one was being published is due as well.
    sqlx::query("UPDATE montages.deletions SET due_at = now()").execute(&world.pool).await.unwrap();
    let owned = format!("montages/{}/1", made.summary.job_id);
    sqlx::query("INSERT INTO montages.deletions (prefix, due_at) VALUES ($1, now() - interval '1 hour')")
        .bind(owned)
        .execute(&world.pool)
        .await
        .unwrap();
    world.until("the abandoned objects are gone", || world.files().len() == 4).await;
    for _ in 0..600 {
        let left: i64 = sqlx::query_scalar("SELECT count(*) FROM montages.deletions")
            .fetch_one(&world.pool)
            .await
            .unwrap();
        if left == 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let media = world.get(&made.summary.links["media"]).send().await.unwrap();
    assert_eq!(media.text().await.unwrap(), "kept media");
    let problem: Value =
        world.problem(world.ask(Method::POST, "/v1/results").json(&request), "invalid_spec").await;
    assert!(problem["errors"][0]["detail"].as_str().unwrap().contains("not in the store"));
    world.end().await;
}
