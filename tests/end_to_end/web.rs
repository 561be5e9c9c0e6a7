//! The web app in Debian's Chromium: starts a whole installation with real media, and runs the browser's tests in `gateway/web/browser` on it.
//!
//! What the browser cannot do by itself it asks of a small server of this test's: to kill the gateway and start it again, to hold a render
//! in its middle and to let it go.

use axum::{
    Router,
    extract::{Path, State},
    http::StatusCode,
    routing::post,
};
use contracts::job::{Job, JobState};
use end_to_end::stack::{Hints, Stack, root, sample_media};
use replay::testing::{
    maps,
    player::{Act, Plan},
};
use serde_json::{Value, json};
use std::{env, fs, net::SocketAddr, process::Stdio, time::Duration};
use tokio::{
    net::TcpListener,
    process::Command,
    sync::{mpsc, oneshot},
};

use crate::{replays, videos};

/// Longest run of the browser's tests. Generous: it only bounds a failure.
const LONGEST: Duration = Duration::from_secs(40 * 60);
/// A key for the gateway that wants one.
const ADMIN_TOKEN: &str = "admin-token-of-the-browser-tests-0123456789";

/// Something that a browser's test asks for, and where to say that it is done.
type Wish = (String, oneshot::Sender<()>);

async fn wish(State(wishes): State<mpsc::Sender<Wish>>, Path(name): Path<String>) -> StatusCode {
    let (done, is_done) = oneshot::channel();
    if wishes.send((name, done)).await.is_err() || is_done.await.is_err() {
        return StatusCode::NOT_FOUND;
    }
    StatusCode::NO_CONTENT
}

/// Takes wishes at `POST /{name}`.
async fn wishes() -> (SocketAddr, mpsc::Receiver<Wish>) {
    let (sender, receiver) = mpsc::channel(1);
    let router = Router::new().route("/{name}", post(wish)).with_state(sender);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
    let address = listener.local_addr().expect("a bound socket has an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, receiver)
}

/// What is said in the library's first montage, by a machine: so the journey does not depend on sample media.
const SAID: &str = "Welcome to the harvest festival. The lighthouse keeper opens the red door.";

/// A video in which somebody speaks, with a key picture every two seconds.
fn spoken() -> std::path::PathBuf {
    let voice = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("said.wav");
    let said = std::process::Command::new("espeak-ng")
        .args(["-v", "en-us", "-s", "130", "-w"])
        .arg(&voice)
        .arg(SAID)
        .status();
    assert!(said.expect("espeak-ng is installed: `make test` does it").success());
    videos::make(
        "spoken.mp4",
        &[
            "-f",
            "lavfi",
            "-i",
            "testsrc2=size=640x360:rate=30:duration=20",
            "-i",
            &voice.display().to_string(),
            "-filter_complex",
            "[1:a]adelay=2000:all=1,apad=whole_dur=20[a]",
            "-map",
            "0:v",
            "-map",
            "[a]",
            "-c:v",
            "libx264",
            "-g",
            "60",
            "-pix_fmt",
            "yuv420p",
            "-c:a",
            "aac",
            "-ar",
            "48000",
            "-movflags",
            "+faststart",
        ],
    )
}

/// Posts a job and waits for its montage.
async fn made(stack: &Stack, body: &Value) -> Job {
    let job = stack.post_job(body).await;
    let job = stack.wait_until_final(job.id).await;
    assert_eq!(job.state, JobState::Succeeded, "{job:#?}\n{}", stack.logs());
    job
}

/// Fills the library with what the browser's tests look at; answers the first montage's id.
async fn fill(stack: &Stack) -> String {
    let media = stack.directory("media");
    for (name, path) in
        [("spoken.mp4", spoken()), ("short.mp4", videos::short()), ("large.mp4", videos::large())]
    {
        fs::copy(path, media.join(name)).expect("media can be copied");
    }
    let mut real = Vec::new();
    if let Some(samples) = sample_media() {
        for name in ["chaplin.mp4", "street.mp4", "sintel_trailer-720p.mp4", "gizmo.webm"] {
            fs::copy(samples.join(name), media.join(name)).expect("media can be copied");
            real.push(name);
        }
    }
    let url = |name: &str| json!({ "url": stack.media.url(&format!("/media/{name}")) });
    // What a schedule reads.
    let list = json!([{ "source": url("short.mp4"), "start": 0, "duration": "1s", "title": "Of the week" }]);
    fs::write(media.join("list.json"), list.to_string()).expect("media can be written");
    // Five rows: two of a week, one of another day, and two that cannot be used.
    let short = stack.media.url("/media/short.mp4");
    let table = format!(
        "video,start,duration,title,streamer,score,Day\n\
         {short},0,1s,Of hana,hana,9,2026-11-17\n\
         {short},1,1s,Of mio,mio,8.5,2026-11-22\n\
         {short},0,1s,Of a later day,hana,9.9,2026-12-24\n\
         {short},late,1s,Without a start,hana,7,2026-11-18\n\
         ,0,1s,Without a video,mio,7,2026-11-18\n"
    );
    fs::write(media.join("week.csv"), table).expect("media can be written");
    let job = made(
        stack,
        &json!({ "kind": "montage", "title": "Harvest festival", "labels": { "show": "weekly" }, "spec": {
            "highlights": [
                { "source": url("spoken.mp4"), "start": "1s", "duration": "12s", "title": "The lighthouse", "streamer": "hana", "score": 9.1 },
                { "source": url("short.mp4"), "start": 0, "duration": "2s", "title": "Colour bars <b>bold</b>", "streamer": "mio" } ],
            "canvas": { "width": 640, "height": 360, "frame_rate": "30" } } }),
    )
    .await;
    for (index, name) in real.iter().enumerate() {
        made(
            stack,
            &json!({ "kind": "montage", "title": format!("Film {}: {name}", index + 1), "labels": { "show": "films" }, "spec": {
                "highlights": [{ "source": url(name), "start": 0, "duration": "1.5s", "streamer": if index % 2 == 0 { "hana" } else { "ren" } }],
                "transcribe": { "engine": "none" } } }),
        )
        .await;
    }
    // What replays are made of.
    replays::put(stack, "play", maps::CIRCLES, &Plan::with(&[(1, Act::Skip)]));
    replays::put(stack, "other", maps::SLIDERS, &Plan::default());
    // One that cannot be done, for the pages that explain it.
    let failed = stack
        .post_job(&json!({ "kind": "montage", "title": "A dead link", "spec": {
            "highlights": [{ "source": { "url": stack.media.url("/missing.mp4") }, "start": 0, "duration": "2s" }] } }))
        .await;
    let failed = stack.wait_until_final(failed.id).await;
    assert_eq!(failed.state, JobState::Failed, "{failed:#?}");
    job.result.expect("a job that succeeded has a montage").montage_id.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_web_app_works_in_a_browser() {
    if !std::path::Path::new("/usr/bin/chromium").exists() && env::var_os("CHROMIUM").is_none() {
        assert!(env::var("CI").as_deref() != Ok("true"), "Chromium is not installed");
        eprintln!("skipped: Chromium is not installed; `make test` installs it");
        return;
    }
    let Some(mut stack) = Stack::start(Hints::Kafka, &[]).await else { return };
    stack.add_executor(&[]);
    stack.add_executor(&[]);
    let montage = fill(&stack).await;
    let locked = stack.add_gateway(&[("SM_AUTH", "keys"), ("SM_ADMIN_TOKEN", ADMIN_TOKEN)]);
    let (control, mut wished) = wishes().await;

    let web = root().join("gateway/web");
    let mut tests = Command::new("npx");
    tests
        .args(["--no-install", "playwright", "test"])
        .current_dir(&web)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .env("SM_WEB_URL", &stack.gateway)
        .env("SM_WEB_LOCKED_URL", &locked)
        .env("SM_WEB_ADMIN_KEY", ADMIN_TOKEN)
        .env("SM_WEB_CONTROL", format!("http://{control}"))
        .env("SM_WEB_MEDIA", stack.media.url("/"))
        .env("SM_WEB_MONTAGE", &montage)
        .env("SM_WEB_UPLOAD", stack.directory("media").join("spoken.mp4"))
        .env("SM_WEB_SCREENS", root().join("target/screens"));
    // Part of it, for whoever works on that part.
    if let Ok(filter) = env::var("SM_TEST_BROWSER") {
        tests.args(filter.split_whitespace());
    }
    let mut running = tests.spawn().expect("npx is installed: `make test` does it");
    let end = tokio::time::sleep(LONGEST);
    tokio::pin!(end);
    let status = loop {
        tokio::select! {
            status = running.wait() => break status.expect("our own child can be waited for"),
            () = &mut end => panic!("the browser's tests do not end"),
            Some((name, done)) = wished.recv() => {
                match name.as_str() {
                    "kill-gateway" => stack.service("gateway").kill(),
                    "start-gateway" => stack.start_again("gateway", &[]),
                    "let-go" => stack.media.let_go(),
                    other => panic!("the browser's tests wish for {other}, which nobody knows"),
                }
                let _ = done.send(());
            }
        }
    };
    assert!(status.success(), "the browser's tests failed (see above)\n{}", stack.logs());
    stack.end().await;
}
