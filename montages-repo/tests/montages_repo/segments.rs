//! Segments: looked up, written, raced for, kept and removed.

use contracts::{
    ids::JobId,
    object::{Grant, GrantRequest},
    segment::{SegmentWish, SegmentsStored, StoreSegments, StoredSegment},
};
use reqwest::{Method, StatusCode, header};

use crate::world::{Attempt, SEGMENT_BYTES, World, hash, world};

fn content_key(name: &str) -> String {
    hash(name.as_bytes())
}

impl World {
    /// Sends a segment by the link of a grant of its own, and answers what would take it in.
    async fn send_segment(&self, attempt: Attempt, key: &str, bytes: &[u8]) -> StoredSegment {
        let wish = SegmentWish { key: key.to_owned(), bytes: bytes.len() as u64 };
        let request = GrantRequest { write_segments: vec![wish], ..attempt.wishes() };
        let grant = self.granted(&request).await.write_segments.remove(0);
        let sent = self.ask(Method::PUT, &grant.url).body(bytes.to_vec()).send().await.unwrap();
        assert_eq!(sent.status(), StatusCode::CREATED);
        StoredSegment {
            key: key.to_owned(),
            object_key: grant.key,
            bytes: bytes.len() as u64,
            sha256: hash(bytes),
        }
    }

    async fn take_in(&self, attempt: Attempt, segments: &[StoredSegment]) -> SegmentsStored {
        let answer =
            self.json(self.ask(Method::POST, "/v1/segments").json(&body(attempt, segments)), 200).await;
        serde_json::from_value(answer).unwrap()
    }

    async fn refused(&self, attempt: Attempt, segments: &[StoredSegment], code: &str) -> serde_json::Value {
        self.problem(self.ask(Method::POST, "/v1/segments").json(&body(attempt, segments)), code).await
    }

    /// A segment that is taken in.
    async fn segment(&self, attempt: Attempt, name: &str, bytes: &[u8]) -> StoredSegment {
        let segment = self.send_segment(attempt, &content_key(name), bytes).await;
        self.take_in(attempt, std::slice::from_ref(&segment)).await;
        segment
    }

    /// What is read of a key; `None` where it is not there.
    async fn look_up(&self, attempt: Attempt, key: &str) -> Option<(Grant, Vec<u8>)> {
        let request = GrantRequest { segments: vec![key.to_owned()], ..attempt.wishes() };
        let found = self.granted(&request).await.segments.remove(0)?;
        let bytes = self.get(&found.grant.url).send().await.unwrap().bytes().await.unwrap().to_vec();
        assert_eq!((found.bytes, found.sha256), (bytes.len() as u64, hash(&bytes)));
        Some((found.grant, bytes))
    }

    async fn used_long_ago(&self, key: &str, seconds: f64) {
        let done = sqlx::query(
            "UPDATE montages.segments SET used_at = now() - $2 * interval '1 second' WHERE key = $1",
        )
        .bind(key)
        .bind(seconds)
        .execute(&self.pool)
        .await
        .unwrap();
        assert_eq!(done.rows_affected(), 1);
    }

    async fn number(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query).fetch_one(&self.pool).await.unwrap()
    }

    async fn until_segments(&self, wanted: i64) {
        for _ in 0..600 {
            if self.number("SELECT count(*) FROM montages.segments").await == wanted {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("there never were {wanted} segments");
    }
}

fn body(attempt: Attempt, segments: &[StoredSegment]) -> StoreSegments {
    StoreSegments {
        job_id: attempt.job,
        fence: attempt.fence,
        executor_id: attempt.executor,
        segments: segments.to_vec(),
    }
}

#[tokio::test]
async fn what_one_attempt_makes_another_job_finds() {
    let world = world!();
    let first = world.attempt(JobId::generate(), 1);
    let keys = ["a", "b", "c"].map(content_key);
    for key in &keys {
        assert!(world.look_up(first, key).await.is_none());
    }
    let sent = [
        world.send_segment(first, &keys[0], b"the body of a clip").await,
        world.send_segment(first, &keys[1], b"its head").await,
    ];
    // Sent is not yet taken in.
    assert!(world.look_up(first, &keys[0]).await.is_none());
    assert_eq!(world.number("SELECT count(*) FROM montages.deletions").await, 2);
    let mut stored = world.take_in(first, &sent).await;
    stored.stored.sort();
    let mut expected = keys[..2].to_vec();
    expected.sort();
    assert_eq!((stored.stored, stored.present.len()), (expected, 0));
    assert_eq!(world.number("SELECT count(*) FROM montages.deletions").await, 0, "rows own the objects now");
    // The same again is answered the same.
    assert_eq!(world.take_in(first, &sent).await.stored.len(), 2);

    // Any lease on any job reads them; several at once are answered in the order of the wishes.
    world.ledger.lose(first.job);
    let other = world.attempt(JobId::generate(), 7);
    assert_eq!(world.look_up(other, &keys[0]).await.unwrap().1, b"the body of a clip");
    let request = GrantRequest { segments: vec![keys[2].clone(), keys[1].clone()], ..other.wishes() };
    let found = world.granted(&request).await.segments;
    assert!(found[0].is_none());
    let grant = &found[1].as_ref().unwrap().grant;
    assert_eq!((grant.method.as_str(), grant.key.as_str()), ("GET", sent[1].object_key.as_str()));
    let part = world.get(&grant.url).header(header::RANGE, "bytes=4-7").send().await.unwrap();
    assert_eq!((part.status().as_u16(), part.text().await.unwrap().as_str()), (206, "head"));
    // A link to read does not write, and without a lease there are no links.
    world.problem(world.ask(Method::PUT, &grant.url).body("x"), "link_invalid").await;
    let request = GrantRequest { segments: vec![keys[0].clone()], ..first.wishes() };
    world.problem(world.ask(Method::POST, "/v1/grants").json(&request), "stale_fence").await;
    world.end().await;
}

#[tokio::test]
async fn of_two_writers_the_first_stands_and_the_other_leaves_nothing() {
    let world = world!();
    let writers = [1, 2].map(|fence| world.attempt(JobId::generate(), fence));
    let names = ["a", "b", "c", "d", "e"].map(content_key);
    let mut sent = [Vec::new(), Vec::new()];
    for (writer, sent) in writers.iter().zip(&mut sent) {
        for key in &names {
            sent.push(
                world.send_segment(*writer, key, format!("{key} by {}", writer.fence).as_bytes()).await,
            );
        }
    }
    // In opposite orders and at once: neither waits for the other in a circle.
    sent[1].reverse();
    let (one, two) = tokio::join!(world.take_in(writers[0], &sent[0]), world.take_in(writers[1], &sent[1]));
    assert_eq!(one.stored.len() + two.stored.len(), names.len(), "each is stored once: {one:?} {two:?}");
    assert_eq!(one.present.len() + two.present.len(), names.len());
    for key in &names {
        let writer = if one.stored.contains(key) { 1 } else { 2 };
        let (_, bytes) = world.look_up(writers[0], key).await.unwrap();
        assert_eq!(bytes, format!("{key} by {writer}").as_bytes());
    }
    // What lost goes by the list of deletions; what stands is never touched by it.
    assert_eq!(world.files().len(), 10);
    sqlx::query("UPDATE montages.deletions SET due_at = now()").execute(&world.pool).await.unwrap();
    world.until("the losers' objects are gone", || world.files().len() == 5).await;
    for key in &names {
        assert!(world.look_up(writers[0], key).await.is_some());
    }
    world.end().await;
}

#[tokio::test]
async fn only_what_is_as_it_is_said_to_be_is_taken_in() {
    let world = world!();
    let attempt = world.attempt(JobId::generate(), 3);
    let good = world.send_segment(attempt, &content_key("good"), b"good").await;
    let other = world.send_segment(attempt, &content_key("other"), b"other").await;
    let with = |change: fn(&mut StoredSegment)| {
        let mut segment = good.clone();
        change(&mut segment);
        segment
    };
    for (wrong, pointer) in [
        (with(|segment| segment.bytes = 5), "/segments/1/bytes"),
        (with(|segment| segment.bytes = 0), "/segments/1/bytes"),
        (with(|segment| segment.sha256 = "x".repeat(64)), "/segments/1/sha256"),
        (with(|segment| segment.key = "A".repeat(64)), "/segments/1/key"),
        (with(|segment| segment.key = "a".repeat(64)), "/segments/1/object_key"),
        (
            with(|segment| segment.object_key = segment.object_key.replace("/content", "/x")),
            "/segments/1/object_key",
        ),
        (with(|segment| segment.object_key = "montages/a/1/media.mp4".into()), "/segments/1/object_key"),
        (other.clone(), "/segments/1/key"),
    ] {
        let problem = world.refused(attempt, &[other.clone(), wrong], "invalid_spec").await;
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
    // Granted, but never sent.
    let wish = SegmentWish { key: content_key("missing"), bytes: 4 };
    let request = GrantRequest { write_segments: vec![wish.clone()], ..attempt.wishes() };
    let grant = world.granted(&request).await.write_segments.remove(0);
    let missing = StoredSegment { key: wish.key, object_key: grant.key.clone(), ..good.clone() };
    let problem = world.refused(attempt, &[good.clone(), missing.clone()], "invalid_spec").await;
    assert_eq!(problem["errors"][0]["pointer"], "/segments/1/object_key");
    // A link is for the agreed size.
    world.problem(world.ask(Method::PUT, &grant.url).body("longer"), "too_large").await;
    // Another attempt's object, a lost lease.
    let stranger = world.attempt(JobId::generate(), 3);
    world.refused(stranger, std::slice::from_ref(&good), "invalid_spec").await;
    world.ledger.lose(attempt.job);
    world.refused(attempt, std::slice::from_ref(&good), "stale_fence").await;
    world.ledger.hold(attempt.job, attempt.executor, attempt.fence);
    // An object whose deletion began, together with one that is good: neither is taken in.
    let place = other.object_key.strip_suffix("/content").unwrap();
    sqlx::query("UPDATE montages.deletions SET started = true WHERE prefix = $1")
        .bind(place)
        .execute(&world.pool)
        .await
        .unwrap();
    world.refused(attempt, &[good.clone(), other], "conflict").await;
    assert_eq!(world.number("SELECT count(*) FROM montages.segments").await, 0);
    // Wishes that cannot be.
    for (request, pointer) in [
        (GrantRequest { segments: vec!["A".repeat(64)], ..attempt.wishes() }, "/segments/0"),
        (GrantRequest { segments: vec!["../x".into()], ..attempt.wishes() }, "/segments/0"),
        (
            GrantRequest {
                write_segments: vec![SegmentWish { key: "a".into(), bytes: 1 }],
                ..attempt.wishes()
            },
            "/write_segments/0/key",
        ),
        (
            GrantRequest {
                write_segments: vec![SegmentWish { key: content_key("a"), bytes: 0 }],
                ..attempt.wishes()
            },
            "/write_segments/0/bytes",
        ),
        (GrantRequest { segments: vec![content_key("a"); 1001], ..attempt.wishes() }, ""),
    ] {
        let problem =
            world.problem(world.ask(Method::POST, "/v1/grants").json(&request), "invalid_spec").await;
        assert_eq!(problem["errors"][0]["pointer"], pointer);
    }
    // And what is good is.
    assert_eq!(world.take_in(attempt, &[good]).await.stored.len(), 1);
    world.end().await;
}

#[tokio::test]
async fn segments_go_when_nobody_uses_them() {
    let world = world!();
    let attempt = world.attempt(JobId::generate(), 1);
    let old = world.segment(attempt, "old", b"nobody needs this").await;
    let kept = world.segment(attempt, "kept", b"somebody needs this").await;
    // Looked up just before its time is over: it is used from now.
    world.used_long_ago(&kept.key, 3500.0).await;
    let (link, _) = world.look_up(attempt, &kept.key).await.unwrap();
    world.used_long_ago(&old.key, 3700.0).await;
    world.until_segments(1).await;
    assert!(world.look_up(attempt, &old.key).await.is_none());
    assert_eq!(
        world
            .number("SELECT count(*) FROM montages.segments WHERE used_at > now() - interval '5 minutes'")
            .await,
        1
    );
    // Whoever got a link just before can still read until it ends.
    assert!(world.object(&old.object_key).exists());
    assert_eq!(world.number("SELECT count(*) FROM montages.deletions WHERE started AND due_at > now() + interval '10 minutes'").await, 1);
    sqlx::query("UPDATE montages.deletions SET due_at = now()").execute(&world.pool).await.unwrap();
    world.until("its object is gone", || !world.object(&old.object_key).exists()).await;
    assert_eq!(world.get(&link.url).send().await.unwrap().status(), StatusCode::OK);
    // What was removed can be made again.
    world.segment(attempt, "old", b"somebody needs it again").await;
    assert_eq!(world.look_up(attempt, &old.key).await.unwrap().1, b"somebody needs it again");
    world.end().await;
}

#[tokio::test]
async fn the_least_recently_used_make_room() {
    let world = world!();
    let attempt = world.attempt(JobId::generate(), 1);
    let quarter = vec![7; (SEGMENT_BYTES / 4) as usize];
    let mut made = Vec::new();
    for (name, seconds) in [("a", 400.0), ("b", 300.0), ("c", 200.0), ("d", 100.0)] {
        let segment = world.segment(attempt, name, &quarter).await;
        world.used_long_ago(&segment.key, seconds).await;
        made.push(segment);
    }
    assert_eq!(world.number("SELECT count(*) FROM montages.segments").await, 4, "all of them fit");
    // The oldest one is used again, so that the second has to make room.
    assert!(world.look_up(attempt, &made[0].key).await.is_some());
    world.segment(attempt, "e", b"one more").await;
    world.until_segments(4).await;
    assert!(world.look_up(attempt, &made[1].key).await.is_none());
    for segment in [&made[0], &made[2], &made[3]] {
        assert!(world.look_up(attempt, &segment.key).await.is_some());
    }
    world.end().await;
}
