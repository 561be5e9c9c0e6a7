//! Uploads that come piece by piece: the protocol, and what breaks off.

use contracts::{
    ids::{JobId, UploadId},
    object::{GrantRequest, ReadWish, Upload, UploadPage},
    spec::{JobSpec, ProbeSpec, Source},
};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use std::time::Duration;
use tokio::{io::AsyncWriteExt as _, sync::mpsc};
use uuid::Uuid;

use crate::world::{UPLOAD_MOST, World, hash, world};

/// Bytes of a part, as the service cuts them.
const PART: usize = 8 << 20;

fn content(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at as u64).wrapping_mul(2_654_435_761).to_le_bytes()[2]).collect()
}

/// A request in tus.
fn ask(world: &World, method: Method, path: &str) -> RequestBuilder {
    world.ask(method, path).header("tus-resumable", "1.0.0")
}

fn begin(world: &World, length: usize) -> RequestBuilder {
    ask(world, Method::POST, "/v1/uploads").header("upload-length", length)
}

/// Begins an upload; answers its path.
async fn begun(world: &World, length: usize) -> String {
    let response = begin(world, length).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::CREATED);
    response.headers()["location"].to_str().unwrap().to_owned()
}

fn add(world: &World, path: &str, offset: usize) -> RequestBuilder {
    ask(world, Method::PATCH, path)
        .header("content-type", "application/offset+octet-stream")
        .header("upload-offset", offset)
}

fn text<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}

/// How far an upload is, as HEAD says it; `None` while it is locked.
async fn offset(world: &World, path: &str) -> Option<usize> {
    let response = ask(world, Method::HEAD, path).send().await.unwrap();
    assert_eq!(text(&response, "tus-resumable"), Some("1.0.0"));
    if response.status() == StatusCode::LOCKED {
        return None;
    }
    assert_eq!((response.status(), text(&response, "cache-control")), (StatusCode::OK, Some("no-store")));
    Some(text(&response, "upload-offset").unwrap().parse().unwrap())
}

async fn look(world: &World, path: &str) -> Upload {
    serde_json::from_value(world.json(world.get(path), 200).await).unwrap()
}

/// Sends a request until it is not answered as locked.
async fn unlocked(request: impl Fn() -> RequestBuilder) -> Response {
    for _ in 0..600 {
        let response = request().send().await.unwrap();
        if response.status() != StatusCode::LOCKED {
            return response;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it stays locked");
}

/// Waits until somebody adds to an upload.
async fn until_writing(world: &World) {
    for _ in 0..600 {
        let sql = "SELECT count(*) FROM montages.unfinished_uploads WHERE writer IS NOT NULL";
        if sqlx::query_scalar::<_, i64>(sql).fetch_one(&world.pool).await.unwrap() > 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("nobody writes");
}

/// Sends a part of a piece and closes the connection, as a client does that loses its way in the middle.
async fn cut(world: &World, path: &str, offset: usize, announced: usize, bytes: &[u8]) {
    let mut stream = tokio::net::TcpStream::connect(world.address()).await.unwrap();
    let head = format!(
        "PATCH {path} HTTP/1.1\r\nhost: localhost\r\ntus-resumable: 1.0.0\r\nupload-offset: {offset}\r\n\
         content-type: application/offset+octet-stream\r\ncontent-length: {announced}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream.shutdown().await.unwrap();
    // The service closes its side, too; what it says before nobody wants.
    let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
}

/// A body that is sent as it is told to.
fn told() -> (mpsc::UnboundedSender<Result<Vec<u8>, std::io::Error>>, reqwest::Body) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let stream =
        futures::stream::unfold(
            receiver,
            |mut receiver| async move { Some((receiver.recv().await?, receiver)) },
        );
    (sender, reqwest::Body::wrap_stream(stream))
}

#[tokio::test]
async fn a_file_comes_in_pieces_and_is_an_upload_like_any_other() {
    let world = world!();
    let spoken = world.ask(Method::OPTIONS, "/v1/uploads").send().await.unwrap();
    assert_eq!(spoken.status(), StatusCode::NO_CONTENT);
    assert_eq!(text(&spoken, "tus-version"), Some("1.0.0"));
    assert_eq!(text(&spoken, "tus-max-size"), Some(UPLOAD_MOST.to_string().as_str()));
    let extensions = text(&spoken, "tus-extension").unwrap();
    assert_eq!(extensions, "creation,creation-with-upload,termination,expiration");

    let mut bytes = content(2 * PART + 1000);
    bytes[..12].copy_from_slice(b"\0\0\0\x20ftypisom");
    let metadata = "filename 5Yud44GhLm1wNA==,filetype dmlkZW8vbXA0";
    let response = begin(&world, bytes.len()).header("upload-metadata", metadata).send().await.unwrap();
    assert_eq!((response.status(), text(&response, "tus-resumable")), (StatusCode::CREATED, Some("1.0.0")));
    let expires = httpdate::parse_http_date(text(&response, "upload-expires").unwrap()).unwrap();
    assert!(expires > std::time::SystemTime::now() + Duration::from_secs(23 * 3600));
    let path = text(&response, "location").unwrap().to_owned();
    let id: UploadId = path.rsplit('/').next().unwrap().parse().unwrap();

    assert_eq!(offset(&world, &path).await, Some(0));
    let half = PART + 5000;
    let sent = add(&world, &path, 0).body(bytes[..half].to_vec()).send().await.unwrap();
    assert_eq!(
        (sent.status(), text(&sent, "upload-offset")),
        (StatusCode::NO_CONTENT, Some(half.to_string().as_str()))
    );
    assert!(text(&sent, "upload-expires").is_some() && text(&sent, "tus-resumable").is_some());
    let head = ask(&world, Method::HEAD, &path).send().await.unwrap();
    for (name, value) in [
        ("upload-offset", half.to_string()),
        ("upload-length", bytes.len().to_string()),
        ("upload-metadata", metadata.to_owned()),
    ] {
        assert_eq!(text(&head, name), Some(value.as_str()));
    }

    // It is seen, and not used.
    let seen = look(&world, &path).await;
    assert_eq!((seen.complete, seen.received, seen.bytes), (false, half as u64, bytes.len() as u64));
    assert_eq!((seen.name.as_deref(), seen.sha256), (Some("勝ち.mp4"), None));
    let listed: UploadPage = serde_json::from_value(world.json(world.get("/v1/uploads"), 200).await).unwrap();
    assert!(listed.items.is_empty());
    let job = JobId::generate();
    world.ledger.set_spec(job, JobSpec::Probe { probe: ProbeSpec { source: Source::Upload(id) } });
    let attempt = world.attempt(job, 1);
    let wish = GrantRequest { read: vec![ReadWish::Upload(id)], ..attempt.wishes() };
    for request in [
        world.ask(Method::POST, "/v1/grants").json(&wish),
        world.get(&format!("{path}/media")),
        world.get(&format!("/v1/probes/{job}/media")),
    ] {
        let problem = world.problem(request, "conflict").await;
        assert!(problem["detail"].as_str().unwrap().contains("not complete"), "{problem}");
    }

    let sent = add(&world, &path, half).body(bytes[half..].to_vec()).send().await.unwrap();
    assert_eq!((sent.status(), text(&sent, "upload-expires")), (StatusCode::NO_CONTENT, None));
    let seen = look(&world, &path).await;
    assert_eq!((seen.complete, seen.received, seen.sha256), (true, bytes.len() as u64, Some(hash(&bytes))));
    let media = world.get(&format!("{path}/media")).send().await.unwrap();
    assert_eq!(text(&media, "content-type"), Some("video/mp4"));
    assert_eq!(media.bytes().await.unwrap(), bytes);
    world.granted(&wish).await;
    world.until("only the file is left", || world.files() == [format!("uploads/{id}/content")]).await;

    // HEAD goes on saying how far it is, and a last piece that is sent again changes nothing.
    let head = ask(&world, Method::HEAD, &path).send().await.unwrap();
    assert_eq!(text(&head, "upload-offset"), text(&head, "upload-length"));
    assert_eq!((text(&head, "upload-metadata"), text(&head, "upload-expires")), (Some(metadata), None));
    let again = add(&world, &path, bytes.len()).body("").send().await.unwrap();
    assert_eq!(again.status(), StatusCode::NO_CONTENT);
    world.problem(add(&world, &path, half).body("x"), "conflict").await;
    let ended = ask(&world, Method::DELETE, &path).send().await.unwrap();
    assert_eq!((ended.status(), text(&ended, "tus-resumable")), (StatusCode::NO_CONTENT, Some("1.0.0")));
    world.until("its object is gone", || world.files().is_empty()).await;
    world.end().await;
}

#[tokio::test]
async fn the_first_piece_may_come_with_the_beginning() {
    let world = world!();
    let bytes = content(3000);
    let begin = |body: &[u8]| {
        begin(&world, bytes.len())
            .header("content-type", "application/offset+octet-stream")
            .body(body.to_vec())
    };
    let response = begin(&bytes[..1000]).send().await.unwrap();
    assert_eq!((response.status(), text(&response, "upload-offset")), (StatusCode::CREATED, Some("1000")));
    let path = text(&response, "location").unwrap().to_owned();
    assert_eq!(offset(&world, &path).await, Some(1000));
    let response = begin(&bytes).send().await.unwrap();
    assert_eq!((response.status(), text(&response, "upload-offset")), (StatusCode::CREATED, Some("3000")));
    let path = text(&response, "location").unwrap().to_owned();
    assert_eq!(look(&world, &path).await.sha256, Some(hash(&bytes)));
    world.end().await;
}

#[tokio::test]
async fn what_came_before_the_connection_broke_is_kept() {
    let world = world!();
    let bytes = content(2 * PART + 100_000);
    let path = begun(&world, bytes.len()).await;
    let mut at = 0;
    // Twice, at places within parts.
    for end in [PART + 70_000, 2 * PART - 30_000] {
        cut(&world, &path, at, bytes.len() - at, &bytes[at..end]).await;
        // It lets go of the upload when the rest that came is stored.
        let asked = unlocked(|| add(&world, &path, bytes.len()).body("")).await;
        assert_eq!(asked.status(), StatusCode::CONFLICT);
        assert_eq!(offset(&world, &path).await, Some(end));
        assert_eq!(look(&world, &path).await.received, end as u64);
        at = end;
    }
    let sent = add(&world, &path, at).body(bytes[at..].to_vec()).send().await.unwrap();
    assert_eq!(sent.status(), StatusCode::NO_CONTENT);
    assert_eq!(look(&world, &path).await.sha256, Some(hash(&bytes)));
    world.end().await;
}

#[tokio::test]
async fn one_request_adds_to_an_upload_at_a_time() {
    let world = world!();
    let path = begun(&world, 2000).await;
    let (tell, body) = told();
    tell.send(Ok(vec![1; 500])).unwrap();
    let first = tokio::spawn(add(&world, &path, 0).body(body).send());
    until_writing(&world).await;
    let refused = add(&world, &path, 0).body("x").send().await.unwrap();
    assert_eq!((refused.status(), text(&refused, "tus-resumable")), (StatusCode::LOCKED, Some("1.0.0")));
    assert_eq!(offset(&world, &path).await, Some(0), "what is on its way does not count yet");
    tell.send(Ok(vec![2; 1500])).unwrap();
    drop(tell);
    assert_eq!(first.await.unwrap().unwrap().status(), StatusCode::NO_CONTENT);
    assert!(look(&world, &path).await.complete);
    world.end().await;
}

#[tokio::test]
async fn an_upload_that_is_given_up_while_it_comes_leaves_nothing() {
    let world = world!();
    let path = begun(&world, 2 * PART).await;
    let (tell, body) = told();
    tell.send(Ok(vec![1; PART + 10])).unwrap();
    let first = tokio::spawn(add(&world, &path, 0).body(body).send());
    world.until("a part is there", || !world.files().is_empty()).await;
    assert_eq!(ask(&world, Method::DELETE, &path).send().await.unwrap().status(), StatusCode::NO_CONTENT);
    assert_eq!(ask(&world, Method::HEAD, &path).send().await.unwrap().status(), StatusCode::NOT_FOUND);
    world.problem(add(&world, &path, 0).body("x"), "not_found").await;
    // Whoever still sends finds out, at the latest when the next part is to be written down.
    let _ = tell.send(Ok(vec![2; PART - 10]));
    drop(tell);
    let answered = first.await.unwrap();
    // Told, or cut off while it was still sending.
    assert!(answered.is_err() || answered.is_ok_and(|answer| answer.status() == StatusCode::CONFLICT));
    let due = "UPDATE montages.deletions SET due_at = now()";
    sqlx::query(due).execute(&world.pool).await.unwrap();
    world.until("nothing is left", || world.files().is_empty()).await;
    world.end().await;
}

#[tokio::test]
async fn a_writer_that_died_holds_nobody_up() {
    let world = world!();
    let path = begun(&world, 10).await;
    assert_eq!(add(&world, &path, 0).body("hello").send().await.unwrap().status(), StatusCode::NO_CONTENT);
    let died = "UPDATE montages.unfinished_uploads SET writer = $1, writer_until = now() + interval '1 hour'";
    sqlx::query(died).bind(Uuid::new_v4()).execute(&world.pool).await.unwrap();
    world.problem(add(&world, &path, 5).body("world"), "locked").await;
    assert_eq!(offset(&world, &path).await, Some(5));
    sqlx::query("UPDATE montages.unfinished_uploads SET writer_until = now() - interval '1 second'")
        .execute(&world.pool)
        .await
        .unwrap();
    assert_eq!(add(&world, &path, 5).body("world").send().await.unwrap().status(), StatusCode::NO_CONTENT);
    assert_eq!(look(&world, &path).await.sha256, Some(hash(b"helloworld")));
    world.end().await;
}

#[tokio::test]
async fn an_upload_that_could_not_be_put_together_is_completed_later() {
    let world = world!();
    for by_head in [true, false] {
        let path = begun(&world, 10).await;
        // What stands where the file belongs cannot be replaced by it.
        let id = path.rsplit('/').next().unwrap();
        let content = world.object(&format!("uploads/{id}/content"));
        std::fs::create_dir_all(content.join("in the way")).unwrap();
        let failed = add(&world, &path, 0).body("helloworld").send().await.unwrap();
        assert!(failed.status().is_server_error(), "{}", failed.status());
        let seen = look(&world, &path).await;
        assert_eq!((seen.complete, seen.received), (false, 10));
        let failed = ask(&world, Method::HEAD, &path).send().await.unwrap();
        assert!(failed.status().is_server_error(), "{}", failed.status());

        std::fs::remove_dir_all(&content).unwrap();
        if by_head {
            assert_eq!(offset(&world, &path).await, Some(10));
        } else {
            let sent = add(&world, &path, 10).body("").send().await.unwrap();
            assert_eq!(sent.status(), StatusCode::NO_CONTENT);
        }
        assert_eq!(look(&world, &path).await.sha256, Some(hash(b"helloworld")));
    }
    world.end().await;
}

#[tokio::test]
async fn what_nobody_goes_on_with_is_gone_after_a_day() {
    let world = world!();
    let (kept, left) = (begun(&world, 10).await, begun(&world, 10).await);
    let id = left.rsplit('/').next().unwrap().to_owned();
    for path in [&kept, &left] {
        assert_eq!(add(&world, path, 0).body("hello").send().await.unwrap().status(), StatusCode::NO_CONTENT);
    }
    let due: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM montages.deletions WHERE due_at BETWEEN now() + interval '23 hours' AND now() + interval '24 hours'",
    )
    .fetch_one(&world.pool)
    .await
    .unwrap();
    assert_eq!(due, 2);
    sqlx::query("UPDATE montages.deletions SET due_at = now() WHERE prefix = 'uploads/' || $1")
        .bind(&id)
        .execute(&world.pool)
        .await
        .unwrap();
    world.until("its part is gone", || world.files().iter().all(|file| !file.contains(&id))).await;
    assert_eq!(ask(&world, Method::HEAD, &left).send().await.unwrap().status(), StatusCode::NOT_FOUND);
    world.problem(add(&world, &left, 5).body("world"), "not_found").await;
    world.problem(world.get(&left), "not_found").await;
    assert_eq!(add(&world, &kept, 5).body("world").send().await.unwrap().status(), StatusCode::NO_CONTENT);
    world.end().await;
}

#[tokio::test]
async fn what_is_not_understood_is_refused_by_name() {
    let world = world!();
    let post = || world.ask(Method::POST, "/v1/uploads");
    let tus = || ask(&world, Method::POST, "/v1/uploads");
    let long = "x".repeat(201);
    let long = format!("filename {}", base64(long.as_bytes()));
    for (request, code, word) in [
        (post().header("tus-resumable", "0.2.2").header("upload-length", 5), "tus_version", "1.0.0"),
        (tus(), "invalid_header", "upload-length"),
        (tus().header("upload-length", "-5"), "invalid_header", "upload-length"),
        (tus().header("upload-defer-length", "1"), "invalid_header", "upload-length"),
        (tus().header("upload-length", 0), "invalid_spec", "empty"),
        (tus().header("upload-length", UPLOAD_MOST + 1), "too_large", "at most"),
        (tus().header("upload-length", u64::MAX), "too_large", "at most"),
        (begin(&world, 5).header("upload-metadata", "filename clip.mkv"), "invalid_header", "base64"),
        (begin(&world, 5).header("upload-metadata", "filename YQ0KYg=="), "invalid_header", "control"),
        (begin(&world, 5).header("upload-metadata", &long), "invalid_header", "200 characters"),
        (begin(&world, 5).body("hello"), "unsupported_media_type", "offset+octet-stream"),
    ] {
        let response = request.try_clone().unwrap().send().await.unwrap();
        assert_eq!(text(&response, "tus-resumable"), Some("1.0.0"), "{code}");
        assert_eq!(text(&response, "tus-version").is_some(), code == "tus_version");
        let problem = world.problem(request, code).await;
        assert!(problem["detail"].as_str().unwrap().contains(word), "{problem}");
    }
    let left: i64 =
        sqlx::query_scalar("SELECT count(*) FROM montages.deletions").fetch_one(&world.pool).await.unwrap();
    assert_eq!(left, 0);

    let path = begun(&world, 10).await;
    let plain = |path: &str| world.ask(Method::PATCH, path).header("upload-offset", 0);
    let piece = "application/offset+octet-stream";
    for (request, code) in [
        (plain(&path).header("content-type", piece).body("x"), "tus_version"),
        (plain(&path).header("tus-resumable", "1.0.0").body("x"), "unsupported_media_type"),
        (ask(&world, Method::PATCH, &path).header("content-type", piece).body("x"), "invalid_header"),
        (world.ask(Method::DELETE, &path).header("tus-resumable", "2.0.0"), "tus_version"),
        (add(&world, &path, 3).body("x"), "conflict"),
        (add(&world, &path, 0).body("more than ten"), "too_large"),
        (add(&world, "/v1/uploads/nothing", 0).body("x"), "not_found"),
        (add(&world, &format!("/v1/uploads/{}", UploadId::generate()), 0).body("x"), "not_found"),
    ] {
        world.problem(request, code).await;
    }
    // Found out on the way: what is too much is not kept, and what is not does no harm.
    let pieces = futures::stream::iter([Ok::<_, std::io::Error>("hello"), Ok("world and more")]);
    world.problem(add(&world, &path, 0).body(reqwest::Body::wrap_stream(pieces)), "too_large").await;
    assert_eq!(offset(&world, &path).await, Some(0));
    assert_eq!(
        add(&world, &path, 0).body("helloworld").send().await.unwrap().status(),
        StatusCode::NO_CONTENT
    );
    world.end().await;
}

#[tokio::test]
async fn pieces_without_end_are_refused() {
    let world = world!();
    let path = begun(&world, 100_000).await;
    for statement in [
        "INSERT INTO montages.upload_parts (upload_id, start, bytes, object_key)
         SELECT id, place, 1, 'p/' || place FROM montages.unfinished_uploads, generate_series(0, 49998) AS place",
        "UPDATE montages.unfinished_uploads SET received = 49999",
    ] {
        sqlx::query(statement).execute(&world.pool).await.unwrap();
    }
    assert_eq!(add(&world, &path, 49_999).body("x").send().await.unwrap().status(), StatusCode::NO_CONTENT);
    let problem = world.problem(add(&world, &path, 50_000).body("x"), "conflict").await;
    assert!(problem["detail"].as_str().unwrap().contains("larger ones"), "{problem}");
    assert_eq!(offset(&world, &path).await, Some(50_000));
    world.end().await;
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
