//! Previews of jobs, and montages as HLS.

use contracts::{
    ids::{JobId, MontageId},
    montage::StoredPiece,
    object::{GrantRequest, Piece, WriteWish},
    preview::{PreviewEntry, PreviewRequest, PreviewWish},
};
use reqwest::{Method, RequestBuilder, StatusCode, header};

use crate::world::{Attempt, World, hash, world};

fn entry(name: &str) -> PreviewEntry {
    PreviewEntry { name: name.into(), seconds: 2.0, discontinuity: false, map: None, byterange: None }
}

fn first(name: &str, map: &str) -> PreviewEntry {
    PreviewEntry { map: Some(map.into()), ..entry(name) }
}

fn wishes(attempt: Attempt, name: &str, bytes: &[u8]) -> GrantRequest {
    let wish = PreviewWish { name: name.into(), bytes: bytes.len() as u64 };
    GrantRequest { write_preview: vec![wish], ..attempt.wishes() }
}

impl World {
    async fn send_preview(&self, attempt: Attempt, name: &str, bytes: &[u8]) {
        let grant = self.granted(&wishes(attempt, name, bytes)).await.write_preview.remove(0);
        let sent = self.ask(Method::PUT, &grant.url).body(bytes.to_vec()).send().await.unwrap();
        assert_eq!(sent.status(), StatusCode::CREATED);
    }

    fn preview(&self, attempt: Attempt, entries: &[PreviewEntry], done: bool) -> RequestBuilder {
        let Attempt { job, executor, fence } = attempt;
        let request =
            PreviewRequest { job_id: job, fence, executor_id: executor, entries: entries.to_vec(), done };
        self.ask(Method::POST, "/v1/previews").json(&request)
    }

    async fn shown(&self, attempt: Attempt, entries: &[PreviewEntry], done: bool) {
        let answer = self.preview(attempt, entries, done).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::NO_CONTENT, "{}", answer.text().await.unwrap());
    }

    /// The addresses and whether it is all, of a preview that must be there.
    async fn playlist(&self, job: JobId) -> (Vec<String>, bool) {
        let answer = self.get(&format!("/v1/jobs/{job}/preview.m3u8")).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/vnd.apple.mpegurl");
        let text = answer.text().await.unwrap();
        assert!(text.starts_with("#EXTM3U\n") && text.contains("#EXT-X-PLAYLIST-TYPE:EVENT\n"), "{text}");
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        (lines.map(str::to_owned).collect(), text.ends_with("#EXT-X-ENDLIST\n"))
    }
}

#[tokio::test]
async fn a_preview_grows_and_leads_to_the_montage_in_the_end() {
    let world = world!();
    let job = JobId::generate();
    let attempt = world.attempt(job, 2);
    let address = format!("/v1/jobs/{job}/preview.m3u8");
    world.problem(world.get(&address), "not_found").await;
    world.send_preview(attempt, "init-0", b"an init section").await;
    world.send_preview(attempt, "0.m4s", b"a first fragment").await;
    // Sent is not yet shown, and what is not sent is not shown.
    world.problem(world.get(&address), "not_found").await;
    world.problem(world.get(&format!("/v1/jobs/{job}/preview/0.m4s")), "not_found").await;
    let one = [first("0.m4s", "init-0")];
    let two =
        [one[0].clone(), PreviewEntry { discontinuity: true, map: Some("init-1".into()), ..entry("1.m4s") }];
    let problem = world.problem(world.preview(attempt, &two, false), "invalid_spec").await;
    let pointers: Vec<_> =
        problem["errors"].as_array().unwrap().iter().map(|error| &error["pointer"]).collect();
    assert_eq!(pointers, ["/entries/1/map", "/entries/1/name"]);

    world.shown(attempt, &one, false).await;
    assert_eq!(world.playlist(job).await, (vec!["preview/0.m4s?fence=2".into()], false));
    let part = format!("/v1/jobs/{job}/preview/0.m4s?fence=2");
    let whole = world.get(&part).send().await.unwrap();
    assert_eq!(whole.headers()[header::CONTENT_TYPE], "video/mp4");
    let etag = whole.headers()[header::ETAG].clone();
    assert_eq!(whole.bytes().await.unwrap(), "a first fragment");
    let range = world.get(&part).header(header::RANGE, "bytes=2-6").send().await.unwrap();
    assert_eq!((range.status().as_u16(), range.text().await.unwrap().as_str()), (206, "first"));
    let again = world.get(&part).header(header::IF_NONE_MATCH, etag).send().await.unwrap();
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    let init = world.get(&format!("/v1/jobs/{job}/preview/init-0")).send().await.unwrap();
    assert_eq!(init.bytes().await.unwrap(), "an init section");
    for missing in ["0.m4s?fence=1", "1.m4s", "..%2f..%2fetc", "init-1"] {
        world.problem(world.get(&format!("/v1/jobs/{job}/preview/{missing}")), "not_found").await;
    }

    // It grows; a shorter list that comes late changes nothing, nor does one that takes back its end.
    world.send_preview(attempt, "init-1", b"another").await;
    world.send_preview(attempt, "1.m4s", b"a second").await;
    world.shown(attempt, &two, true).await;
    for late in [&one[..], &two[..]] {
        world.shown(attempt, late, false).await;
    }
    let addresses = vec!["preview/0.m4s?fence=2".to_owned(), "preview/1.m4s?fence=2".to_owned()];
    assert_eq!(world.playlist(job).await, (addresses, true));

    // Published: the address leads to the montage, and who is watching can do so for a while.
    let request = world.prepare(attempt, "Previewed", b"media").await;
    let made = world.published(&request).await;
    let led = world.get(&address).send().await.unwrap();
    assert_eq!(led.status(), StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(led.headers()[header::LOCATION], format!("/v1/montages/{}/media", made.summary.id));
    assert_eq!(world.get(&part).send().await.unwrap().status(), StatusCode::OK);
    let due: bool = sqlx::query_scalar(
        "SELECT due_at < now() + interval '11 minutes' FROM montages.deletions WHERE prefix LIKE 'previews/%'",
    )
    .fetch_one(&world.pool)
    .await
    .unwrap();
    assert!(due, "its objects go soon");
    // It is over for the executor too.
    world.problem(world.preview(attempt, &two, true), "conflict").await;
    let grants = world.ask(Method::POST, "/v1/grants").json(&wishes(attempt, "2.m4s", b"x"));
    world.problem(grants, "conflict").await;
    sqlx::query("UPDATE montages.deletions SET due_at = now()").execute(&world.pool).await.unwrap();
    world
        .until("the preview's objects are gone", || {
            !world.files().iter().any(|file| file.starts_with("previews/"))
        })
        .await;
    world.problem(world.get(&part), "not_found").await;
    assert_eq!(world.get(&address).send().await.unwrap().status(), StatusCode::TEMPORARY_REDIRECT);
    world.end().await;
}

#[tokio::test]
async fn the_newest_attempt_shows_its_preview() {
    let world = world!();
    let job = JobId::generate();
    let older = world.attempt(job, 1);
    let newer = world.attempt(job, 2);
    for attempt in [older, newer] {
        world.send_preview(attempt, "i", b"init").await;
        world.send_preview(attempt, "a", format!("fragment of {}", attempt.fence).as_bytes()).await;
        world.send_preview(attempt, "b", b"another").await;
    }
    let list = [first("a", "i"), entry("b")];
    world.shown(older, &list, false).await;
    // A newer attempt begins again with less, and the older one's objects go.
    world.shown(newer, &list[..1], false).await;
    assert_eq!(world.playlist(job).await, (vec!["preview/a?fence=2".into()], false));
    let gone = format!("previews/{job}-1/");
    world
        .until("the older one's are gone", || !world.files().iter().any(|file| file.starts_with(&gone)))
        .await;
    let text = world.get(&format!("/v1/jobs/{job}/preview/a")).send().await.unwrap().text().await.unwrap();
    assert_eq!(text, "fragment of 2");
    world.problem(world.get(&format!("/v1/jobs/{job}/preview/a?fence=1")), "not_found").await;
    // Refused, even if its lease had been checked before it was lost.
    world.problem(world.preview(older, &list, true), "stale_fence").await;
    world.ledger.lose(job);
    world.problem(world.preview(newer, &list, true), "stale_fence").await;
    world.problem(world.ask(Method::POST, "/v1/grants").json(&wishes(newer, "c", b"x")), "stale_fence").await;
    // A job whose montage never comes: its preview goes with its objects, and it is said that there is none.
    sqlx::query("UPDATE montages.deletions SET due_at = now()").execute(&world.pool).await.unwrap();
    world.until("all objects are gone", || world.files().is_empty()).await;
    world.problem(world.get(&format!("/v1/jobs/{job}/preview.m3u8")), "not_found").await;
    world.end().await;
}

#[tokio::test]
async fn a_preview_is_what_can_be_played() {
    let world = world!();
    let attempt = world.attempt(JobId::generate(), 1);
    world.send_preview(attempt, "i", b"init").await;
    world.send_preview(attempt, "a", b"0123456789").await;
    let with = |change: fn(&mut PreviewEntry)| {
        let mut entry = first("a", "i");
        change(&mut entry);
        vec![entry]
    };
    for (entries, pointer) in [
        (Vec::new(), "/entries"),
        (vec![entry("a")], "/entries/0/map"),
        (with(|entry| entry.name = "../a".into()), "/entries/0/name"),
        (with(|entry| entry.map = Some("A".into())), "/entries/0/map"),
        (with(|entry| entry.seconds = 0.0), "/entries/0/seconds"),
        (with(|entry| entry.seconds = 3601.0), "/entries/0/seconds"),
        (with(|entry| entry.byterange = Some((0, 0))), "/entries/0/byterange"),
        (with(|entry| entry.byterange = Some((u64::MAX, 1))), "/entries/0/byterange"),
        (with(|entry| entry.byterange = Some((1, 10))), "/entries/0/byterange"),
        (with(|entry| entry.name = "b".into()), "/entries/0/name"),
    ] {
        let problem = world.problem(world.preview(attempt, &entries, false), "invalid_spec").await;
        assert_eq!(problem["errors"][0]["pointer"], pointer);
    }
    for (name, bytes, pointer) in
        [("../x", &b"x"[..], "/write_preview/0/name"), ("x", b"", "/write_preview/0/bytes")]
    {
        let ask = world.ask(Method::POST, "/v1/grants").json(&wishes(attempt, name, bytes));
        assert_eq!(world.problem(ask, "invalid_spec").await["errors"][0]["pointer"], pointer);
    }
    // An object that holds two entries.
    let two = [
        PreviewEntry { byterange: Some((0, 4)), ..first("a", "i") },
        PreviewEntry { byterange: Some((4, 6)), ..entry("a") },
    ];
    world.shown(attempt, &two, true).await;
    let text = world.get(&format!("/v1/jobs/{}/preview.m3u8", attempt.job)).send().await.unwrap();
    let text = text.text().await.unwrap();
    assert!(text.contains("#EXT-X-BYTERANGE:4@0\n") && text.contains("#EXT-X-BYTERANGE:6@4\n"), "{text}");
    world.end().await;
}

const PLAYLIST: &str = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:20\n#EXT-X-PLAYLIST-TYPE:VOD\n\
                        #EXT-X-MAP:URI=\"media.mp4\",BYTERANGE=\"4@0\"\n#EXTINF:20.0,\n#EXT-X-BYTERANGE:8@4\nmedia.mp4\n#EXT-X-ENDLIST\n";

#[tokio::test]
async fn the_media_is_a_stream_of_the_same_bytes() {
    let world = world!();
    let job = JobId::generate();
    let attempt = world.attempt(job, 1);
    let media = b"initfragment!";
    let mut request = world.prepare(attempt, "Streamed", media).await;
    let plain = request.pieces.clone();
    let send = async |attempt: Attempt, text: &'static str| {
        let wish = WriteWish { piece: Piece::Playlist, bytes: text.len() as u64 };
        let grant = world.grants(attempt, Vec::new(), vec![wish]).await.write.remove(0);
        assert!(world.ask(Method::PUT, &grant.url).body(text).send().await.unwrap().status().is_success());
        let (bytes, sha256) = (text.len() as u64, hash(text.as_bytes()));
        StoredPiece { piece: Piece::Playlist, key: grant.key, bytes, sha256 }
    };
    // One that would send people elsewhere is refused.
    let hostile = world.attempt(JobId::generate(), 1);
    let mut other = world.prepare(hostile, "Hostile", media).await;
    other.pieces.push(send(hostile, "#EXTM3U\n#EXTINF:1,\nhttps://example.org/\n#EXT-X-ENDLIST\n").await);
    let problem = world.problem(world.ask(Method::POST, "/v1/results").json(&other), "invalid_spec").await;
    assert_eq!(problem["errors"][0]["pointer"], "/pieces/4");

    request.pieces.push(send(attempt, PLAYLIST).await);
    let made = world.published(&request).await;
    let link = made.summary.links["playlist"].clone();
    assert_eq!(link, format!("/v1/montages/{}/media.m3u8", made.summary.id));
    let answer = world.get(&link).send().await.unwrap();
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/vnd.apple.mpegurl");
    assert_eq!(answer.text().await.unwrap(), PLAYLIST);
    // By the name that the playlist knows it by, too.
    for address in [made.summary.links["media"].clone(), link.replace("media.m3u8", "media.mp4")] {
        let range = world.get(&address).header(header::RANGE, "bytes=4-11").send().await.unwrap();
        assert_eq!(range.headers()[header::CONTENT_TYPE], "video/mp4");
        assert_eq!(range.text().await.unwrap(), "fragment");
    }
    let listed = world.json(world.get("/v1/montages"), 200).await;
    assert_eq!(listed["items"][0]["links"]["playlist"], link.as_str());
    let led = world.get(&format!("/v1/jobs/{job}/preview.m3u8")).send().await.unwrap();
    assert_eq!(led.headers()[header::LOCATION], link.as_str());

    // A newer attempt without one takes it away with its own.
    let second = world.attempt(job, 2);
    let newer = world.prepare(second, "Streamed", media).await;
    assert_eq!(newer.pieces.len(), plain.len());
    assert_eq!(world.publish(&newer).await.status(), StatusCode::OK);
    let now = world.json(world.get(&made.summary.links["self"]), 200).await;
    assert!(now["links"].get("playlist").is_none());
    let problem = world.problem(world.get(&link), "not_found").await;
    assert!(problem["detail"].as_str().unwrap().contains("without a playlist"));
    world
        .problem(world.get(&format!("/v1/montages/{}/media.m3u8", MontageId::generate())), "not_found")
        .await;
    // Deleted: the job's address leads nowhere.
    world.ask(Method::DELETE, &made.summary.links["self"]).send().await.unwrap();
    world.problem(world.get(&format!("/v1/jobs/{job}/preview.m3u8")), "not_found").await;
    world.end().await;
}

#[tokio::test]
async fn what_is_said_to_be_copied_adds_up() {
    let world = world!();
    let attempt = world.attempt(JobId::generate(), 1);
    let mut request = world.prepare(attempt, "Copied", b"media").await;
    let range = |first_frame, frames| contracts::montage::CopiedRange {
        clip: 0,
        first_frame,
        frames,
        sha256: "0".repeat(64),
    };
    request.provenance.copied = vec![range(0, 400), range(410, 190)];
    for (copied, pointer) in [(601, "/provenance/frames_copied"), (591, "/provenance/copied")] {
        request.provenance.frames_copied = copied;
        let problem =
            world.problem(world.ask(Method::POST, "/v1/results").json(&request), "invalid_spec").await;
        assert_eq!(problem["errors"][0]["pointer"], pointer);
    }
    request.provenance.frames_copied = 590;
    request.clips[0].mode = Some(contracts::montage::ClipMode::Snap);
    let made = world.published(&request).await;
    assert_eq!(made.clips[0].mode, request.clips[0].mode);
    let record = world.json(world.get(&made.summary.links["provenance"]), 200).await;
    assert_eq!((&record["frames_copied"], &record["copied"][1]["first_frame"]), (&590.into(), &410.into()));
    world.end().await;
}
