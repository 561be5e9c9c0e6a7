//! Media and the other files over HTTP; signed links.

use contracts::{
    ids::{JobId, MontageId, UploadId},
    object::{GrantRequest, Piece, ReadWish, WriteWish},
    spec::{JobSpec, NewJob},
};
use reqwest::{Method, StatusCode, header};
use serde_json::json;
use std::time::Duration;

use crate::world::{hash, world};

#[tokio::test]
async fn media_is_served_whole_in_part_and_on_condition() {
    let world = world!();
    // Larger than one read from the store.
    let media: Vec<u8> = (0..700_000_u32).flat_map(u32::to_le_bytes).collect();
    let length = media.len();
    let made = world.montage("Range \"test\"\u{202e} été/..", &media).await;
    let path = made.summary.links["media"].clone();
    let etag = format!("\"{}\"", hash(&media));

    let whole = world.get(&path).send().await.unwrap();
    assert_eq!(whole.status(), StatusCode::OK);
    let headers = whole.headers().clone();
    assert_eq!(headers[header::ETAG], etag.as_str());
    assert_eq!(headers[header::CONTENT_TYPE], "video/mp4");
    assert_eq!(headers[header::ACCEPT_RANGES], "bytes");
    assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    assert_eq!(headers[header::CACHE_CONTROL], "private, no-cache");
    assert_eq!(headers[header::CONTENT_LENGTH], length.to_string().as_str());
    assert!(!headers.contains_key(header::CONTENT_DISPOSITION));
    assert!(whole.bytes().await.unwrap() == media.as_slice());
    let date = headers[header::LAST_MODIFIED].to_str().unwrap().to_owned();

    let last = length - 1;
    for (range, first, end) in [
        ("bytes=0-0".to_owned(), 0, 0),
        ("bytes=0-".to_owned(), 0, last),
        ("bytes=262143-262145".to_owned(), 262_143, 262_145),
        (format!("bytes={last}-"), last, last),
        ("bytes=-5".to_owned(), length - 5, last),
        ("bytes=-99999999".to_owned(), 0, last),
        ("bytes=1000000-99999999999999".to_owned(), 1_000_000, last),
        (format!("bytes=5-9,{length}-"), 5, 9),
    ] {
        let part = world.get(&path).header(header::RANGE, &range).send().await.unwrap();
        assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT, "{range}");
        assert_eq!(part.headers()[header::CONTENT_RANGE], format!("bytes {first}-{end}/{length}").as_str());
        assert_eq!(part.headers()[header::CONTENT_LENGTH], (end - first + 1).to_string().as_str());
        assert_eq!(part.headers()[header::ETAG], etag.as_str());
        assert!(part.bytes().await.unwrap() == media[first..=end], "{range}");
    }
    for range in ["bytes=0-1,5-6", "bytes=9-3", "items=0-1", "bytes=x"] {
        let whole = world.get(&path).header(header::RANGE, range).send().await.unwrap();
        assert_eq!(whole.status(), StatusCode::OK, "{range}");
        assert_eq!(whole.bytes().await.unwrap().len(), length);
    }
    for range in [format!("bytes={length}-"), "bytes=-0".to_owned()] {
        let none = world.get(&path).header(header::RANGE, &range).send().await.unwrap();
        assert_eq!(none.status(), StatusCode::RANGE_NOT_SATISFIABLE, "{range}");
        assert_eq!(none.headers()[header::CONTENT_RANGE], format!("bytes */{length}").as_str());
        assert_eq!(none.json::<serde_json::Value>().await.unwrap()["code"], "range_not_satisfiable");
    }
    for (name, value, status) in [
        (header::IF_NONE_MATCH, etag.as_str(), 304),
        (header::IF_NONE_MATCH, "\"other\"", 200),
        (header::IF_MODIFIED_SINCE, date.as_str(), 304),
        (header::IF_MODIFIED_SINCE, "Sun, 06 Nov 1994 08:49:37 GMT", 200),
        (header::IF_MATCH, "\"other\"", 412),
        (header::IF_MATCH, etag.as_str(), 200),
        (header::IF_UNMODIFIED_SINCE, "Sun, 06 Nov 1994 08:49:37 GMT", 412),
    ] {
        for method in [Method::GET, Method::HEAD] {
            let answer = world.ask(method.clone(), &path).header(&name, value).send().await.unwrap();
            assert_eq!(answer.status().as_u16(), status, "{method} {name}: {value}");
            if status == 304 {
                assert_eq!(answer.headers()[header::ETAG], etag.as_str());
                assert!(answer.bytes().await.unwrap().is_empty());
            }
        }
    }
    for (condition, status) in [(etag.as_str(), 206), ("\"other\"", 200), (date.as_str(), 206)] {
        let ask = world.get(&path).header(header::RANGE, "bytes=1-2").header(header::IF_RANGE, condition);
        assert_eq!(ask.send().await.unwrap().status().as_u16(), status, "If-Range: {condition}");
    }
    let head = world.ask(Method::HEAD, &path).header(header::RANGE, "bytes=1-2").send().await.unwrap();
    assert_eq!(head.status(), StatusCode::OK);
    assert_eq!(head.headers()[header::CONTENT_LENGTH], length.to_string().as_str());
    assert!(head.bytes().await.unwrap().is_empty());

    let download = world.get(&format!("{path}?download=1")).send().await.unwrap();
    assert_eq!(
        download.headers()[header::CONTENT_DISPOSITION],
        "attachment; filename=\"Range test _t_.mp4\"; filename*=UTF-8''Range%20test%20%C3%A9t%C3%A9.mp4"
    );
    world.end().await;
}

#[tokio::test]
async fn the_other_files_say_what_was_published() {
    let world = world!();
    let made = world.montage("Files", b"media").await;
    let base = &made.summary.links["self"];
    for (file, kind, text) in [
        ("/poster", "image/jpeg", "a poster"),
        ("/sprites", "image/jpeg", "some sprites"),
        (
            "/captions.vtt",
            "text/vtt; charset=utf-8",
            "WEBVTT\n\n1\n00:00:01.250 --> 00:00:03.250\nWhat a goal that was!\n\
             \n2\n00:00:12.500 --> 00:00:14.500\nNobody saw the dragon coming.\n",
        ),
        (
            "/captions.srt",
            "application/x-subrip; charset=utf-8",
            "1\n00:00:01,250 --> 00:00:03,250\nWhat a goal that was!\n\
             \n2\n00:00:12,500 --> 00:00:14,500\nNobody saw the dragon coming.\n",
        ),
        (
            "/captions.txt",
            "text/plain; charset=utf-8",
            "What a goal that was!\n\nNobody saw the dragon coming.\n",
        ),
        ("/chapters.txt", "text/plain; charset=utf-8", "0:00 The comeback\n0:10 A lucky escape\n"),
        (
            "/timeline.edl",
            "text/plain; charset=utf-8",
            "TITLE: Files\r\nFCM: NON-DROP FRAME\r\n\
             001  VOD      AA/V  C        00:01:40:00 00:01:50:00 01:00:00:00 01:00:10:00\r\n\
             * FROM CLIP NAME: The comeback\r\n* SOURCE FILE: https://media.example/vod.mp4\r\n* STREAMER: hana\r\n\
             * SOURCE TIMECODES COUNT FROM EACH SOURCE'S FIRST PICTURE AT 30 FRAMES A SECOND, THE RATE OF THE MONTAGE\r\n\
             002  VOD      AA/V  C        00:00:50:15 00:01:00:15 01:00:10:00 01:00:20:00\r\n\
             * FROM CLIP NAME: A lucky escape\r\n* SOURCE FILE: https://media.example/vod.mp4\r\n* STREAMER: minh\r\n",
        ),
    ] {
        let answer = world.get(&format!("{base}{file}")).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{file}");
        assert_eq!(answer.headers()[header::CONTENT_TYPE], kind);
        assert_eq!(answer.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        let etag = answer.headers()[header::ETAG].clone();
        assert_eq!(answer.text().await.unwrap(), text, "{file}");
        let again =
            world.get(&format!("{base}{file}")).header(header::IF_NONE_MATCH, etag).send().await.unwrap();
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{file}");
    }
    let cues = world.json(world.get(&format!("{base}/captions.json")), 200).await;
    assert_eq!(cues[1]["clip"], 1);
    assert_eq!(cues[1]["source_start"], 112.5);
    let timeline = world.json(world.get(&format!("{base}/timeline.otio")), 200).await;
    assert_eq!(timeline["OTIO_SCHEMA"], "Timeline.1");
    let track = &timeline["tracks"]["children"][0];
    assert_eq!(track["children"][1]["source_range"]["start_time"]["value"], 1515);
    let file = world.get(&format!("{base}/timeline.otio?download=1")).send().await.unwrap();
    let offered = file.headers()[header::CONTENT_DISPOSITION].to_str().unwrap();
    assert!(offered.starts_with("attachment; filename=\"Files.otio\""), "{offered}");
    let record = world.json(world.get(&format!("{base}/provenance")), 200).await;
    assert_eq!(record["executor"], "executor-1");
    let one =
        world.get(&format!("{base}/captions.vtt")).header(header::RANGE, "bytes=0-5").send().await.unwrap();
    assert_eq!((one.status(), one.text().await.unwrap().as_str()), (StatusCode::PARTIAL_CONTENT, "WEBVTT"));
    for missing in [
        format!("{base}/captions.exe"),
        format!("/v1/montages/{}/media", MontageId::generate()),
        "/v1/montages/x/media".into(),
    ] {
        world.problem(world.get(&missing), "not_found").await;
    }
    world.end().await;
}

#[tokio::test]
async fn a_link_is_good_for_one_thing_only() {
    let world = world!();
    let attempt = world.attempt(JobId::generate(), 1);
    let wish = |piece| WriteWish { piece, bytes: 10 };
    let grants = world.grants(attempt, Vec::new(), vec![wish(Piece::Media), wish(Piece::Poster)]).await;
    let (media, poster) = (&grants.write[0], &grants.write[1]);
    assert_eq!(media.key, format!("montages/{}/1/media.mp4", attempt.job));
    assert!(media.url.starts_with("/v1/objects/montages/"), "a path on the gateway's own address");
    assert!(!format!("{media:?}").contains("signature"));

    let put = |url: &str, body: &'static str| world.ask(Method::PUT, url).body(body);
    // Another method, another object, another size, a later end, no signature.
    world.problem(world.get(&media.url), "link_invalid").await;
    let other = media.url.replace("media.mp4", "poster.jpg");
    world.problem(put(&other, "0123456789"), "link_invalid").await;
    world.problem(put(&media.url.replace("bytes=10", "bytes=11"), "01234567890"), "link_invalid").await;
    let later = media.url.replace("expires=1", "expires=2");
    assert_ne!(later, media.url);
    world.problem(put(&later, "0123456789"), "link_invalid").await;
    let bare = media.url.split('?').next().unwrap();
    world.problem(put(bare, "0123456789"), "link_invalid").await;
    world.problem(put("/v1/objects/..%2F..%2Fetc%2Fpasswd?signature=00", "x"), "link_invalid").await;
    // More and fewer bytes than agreed.
    world.problem(put(&media.url, "0123456789+"), "too_large").await;
    world.problem(put(&media.url, "012345678"), "size_mismatch").await;
    let endless = futures::stream::iter((0..3).map(|_| Ok::<_, std::io::Error>("01234567")));
    let chunked = world.ask(Method::PUT, &media.url).body(reqwest::Body::wrap_stream(endless));
    world.problem(chunked, "size_mismatch").await;
    assert!(world.files().is_empty(), "{:?}", world.files());
    // As agreed; then the same again; then something else.
    assert_eq!(put(&media.url, "0123456789").send().await.unwrap().status(), StatusCode::CREATED);
    assert_eq!(put(&media.url, "0123456789").send().await.unwrap().status(), StatusCode::OK);
    world.problem(put(&media.url, "9876543210"), "conflict").await;
    let stored = std::fs::read(world.object(&media.key)).unwrap();
    assert_eq!(stored, b"0123456789");
    assert_eq!(put(&poster.url, "0123456789").send().await.unwrap().status(), StatusCode::CREATED);
    // Without the lease there are no links.
    world.ledger.lose(attempt.job);
    let request = GrantRequest {
        write: vec![wish(Piece::Media)],
        ..GrantRequest::new(attempt.job, 1, attempt.executor)
    };
    world.problem(world.ask(Method::POST, "/v1/grants").json(&request), "stale_fence").await;
    world.end().await;
}

#[tokio::test]
async fn a_link_that_has_ended_is_refused() {
    let world = world!();
    // Signed with the secret that the service uses, some time ago and now.
    let store = fetch::Store::open(&fetch::StoreConfig::local(world.object(""))).unwrap();
    let key = fetch::ObjectKey::parse("montages/a/1/media.mp4").unwrap();
    let minute = Duration::from_secs(60);
    for (ago, code) in [(61, "link_invalid"), (0, "not_found")] {
        let now = chrono::Utc::now() - chrono::TimeDelta::seconds(ago);
        let link = store.sign(fetch::Method::Get, &key, minute, None, now).await.unwrap();
        world.problem(world.get(&link.url), code).await;
    }
    // A valid link to write where no attempt was granted.
    let link = store.sign(fetch::Method::Put, &key, minute, Some(3), chrono::Utc::now()).await.unwrap();
    world.problem(world.ask(Method::PUT, &link.url).body("abc"), "conflict").await;
    assert!(world.files().is_empty());
    world.end().await;
}

#[tokio::test]
async fn read_links_are_for_what_the_spec_names() {
    let world = world!();
    let source = world.montage("A source", b"media of the source").await;
    let stranger = world.montage("A stranger", b"other media").await;
    let upload = world.json(world.ask(Method::POST, "/v1/uploads?name=a.mkv").body("an upload"), 201).await;
    let upload: UploadId = upload["id"].as_str().unwrap().parse().unwrap();
    let attempt = world.attempt(JobId::generate(), 1);
    let spec = NewJob::decode(&json!({ "kind": "montage", "spec": { "highlights": [
        { "source": { "montage": source.summary.id }, "start": 0, "duration": 1 },
        { "source": { "upload": upload }, "start": 0, "duration": 1 },
    ] } }))
    .unwrap()
    .spec;
    world.ledger.set_spec(attempt.job, spec);
    let wishes = vec![ReadWish::Montage(source.summary.id), ReadWish::Upload(upload)];
    let grants = world.grants(attempt, wishes, Vec::new()).await;
    for (grant, text) in grants.read.iter().zip(["media of the source", "an upload"]) {
        assert_eq!(grant.method, "GET");
        assert_eq!(world.get(&grant.url).send().await.unwrap().text().await.unwrap(), text);
        let part = world.get(&grant.url).header(header::RANGE, "bytes=3-4").send().await.unwrap();
        assert_eq!((part.status().as_u16(), part.text().await.unwrap().as_str()), (206, &text[3..5]));
        let head = world.ask(Method::HEAD, &grant.url).send().await.unwrap();
        assert_eq!(head.headers()[header::CONTENT_LENGTH], text.len().to_string().as_str());
        world.problem(world.ask(Method::PUT, &grant.url).body("x"), "link_invalid").await;
    }
    for (wish, code) in [
        (ReadWish::Montage(stranger.summary.id), "forbidden"),
        (ReadWish::Speech(source.summary.id), "forbidden"),
        (ReadWish::Upload(UploadId::generate()), "forbidden"),
    ] {
        let request =
            GrantRequest { read: vec![wish], ..GrantRequest::new(attempt.job, 1, attempt.executor) };
        world.problem(world.ask(Method::POST, "/v1/grants").json(&request), code).await;
    }
    let transcript = world.attempt(JobId::generate(), 1);
    let spec: JobSpec =
        NewJob::decode(&json!({ "kind": "transcript", "spec": { "montage": source.summary.id } }))
            .unwrap()
            .spec;
    world.ledger.set_spec(transcript.job, spec);
    let grants = world.grants(transcript, vec![ReadWish::Speech(source.summary.id)], Vec::new()).await;
    assert_eq!(world.get(&grants.read[0].url).send().await.unwrap().text().await.unwrap(), "somebody speaks");
    world.end().await;
}
