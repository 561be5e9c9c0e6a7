//! Keeping, losing and giving back leases; what wakes an executor; what ends an attempt.

use std::time::{Duration, Instant};

use contracts::{
    ids::MontageId,
    lease::{BeatVerdict, FailReason},
    problem::Problem,
    spec::Source,
};
use cutter::protocol::{FromWorker, Progress, Stage};
use executor::config::{Hints, KafkaConfig};
use rdkafka::{
    ClientConfig,
    mocking::MockCluster,
    producer::{FutureProducer, FutureRecord},
};

use crate::{
    gateway::{Beats, Event},
    scene::{HANGS, Scene, diligent, done, job, job_of, report, runs, until_gone},
};

async fn hanging(scene: &Scene) -> [i32; 2] {
    let pids = [scene.pid("leader").await, scene.pid("grandchild").await];
    assert!(pids.into_iter().all(runs));
    pids
}

#[tokio::test]
async fn a_cancel_kills_the_whole_group_within_two_seconds() {
    let scene = Scene::new(HANGS).await;
    let running = scene.start_with(job()).await;
    let pids = hanging(&scene).await;
    let asked = Instant::now();
    scene.gateway.set(|script| script.beats = Beats::Answer(BeatVerdict::Cancel));
    until_gone(&pids).await;
    let took = asked.elapsed();
    let failed = scene.gateway.failure().await;
    assert_eq!((failed.reason, failed.failure.code.as_str()), (FailReason::Cancelled, "cancelled"));
    assert!(took < Duration::from_secs(2), "it took {took:?}");
    scene.stop(running).await;
}

#[tokio::test]
async fn without_answers_it_fences_itself_and_writes_nothing_more() {
    let scene = Scene::new(HANGS).await;
    scene.gateway.set(|script| script.lease_milliseconds = 2000);
    let mut first = job();
    first.lease_milliseconds = 2000;
    let running = scene.start_with(first.clone()).await;
    let pids = hanging(&scene).await;
    scene.gateway.set(|script| script.beats = Beats::Silence);
    until_gone(&pids).await;
    // The executor goes on with other work as soon as it is answered again, and has not said a word about the first.
    let second = job_of(Source::Path("media:absent.mp4".to_owned()));
    let expected = second.job_id;
    scene.gateway.set(|script| {
        script.beats = Beats::Answer(BeatVerdict::Held);
        script.jobs.push_back(second);
    });
    scene.gateway.failure().await;
    let about: Vec<_> = scene.gateway.writes();
    assert!(matches!(about.as_slice(), [Event::Failed(job, _)] if *job == expected), "{about:?}");
    scene.stop(running).await;
}

#[tokio::test]
async fn a_blocked_runtime_does_not_lose_the_lease() {
    let scene = Scene::new(HANGS).await;
    scene.gateway.set(|script| script.lease_milliseconds = 3000);
    let mut claimed = job();
    claimed.lease_milliseconds = 3000;
    let running = scene.start_with(claimed).await;
    let pids = hanging(&scene).await;
    // The executor runs on this very thread, all but its heartbeat.
    std::thread::sleep(Duration::from_secs(5));
    assert!(pids.into_iter().all(runs));
    scene.gateway.set(|script| script.beats = Beats::Answer(BeatVerdict::Cancel));
    assert_eq!(scene.gateway.failure().await.reason, FailReason::Cancelled);
    scene.stop(running).await;
}

#[tokio::test]
async fn a_lost_lease_ends_it_in_silence() {
    let scene = Scene::new(HANGS).await;
    let running = scene.start_with(job()).await;
    let pids = hanging(&scene).await;
    scene.gateway.set(|script| script.beats = Beats::Answer(BeatVerdict::Lost));
    until_gone(&pids).await;
    scene.stop(running).await;
    assert!(scene.gateway.writes().is_empty(), "{:?}", scene.gateway.writes());
}

#[tokio::test]
async fn a_stop_gives_the_lease_back() {
    let scene = Scene::new(HANGS).await;
    let claimed = job();
    let running = scene.start_with(claimed.clone()).await;
    let pids = hanging(&scene).await;
    scene.stop(running).await;
    assert!(!pids.into_iter().any(runs));
    let writes = scene.gateway.writes();
    assert!(
        matches!(writes.as_slice(), [Event::Released(job, proof)] if *job == claimed.job_id && proof.fence == 7),
        "{writes:?}"
    );
}

#[tokio::test]
async fn a_hang_and_a_long_run_end_at_their_limits() {
    // Bytes that are read again and again are no progress, and neither is the same progress told again.
    let busy = "cat <&3 > /dev/null & while :; do cat $OUT/read $OUT/progress >&3; sleep 0.01; done";
    for (worker, stall, deadline, code) in [
        (HANGS, 500, 600_000, "stalled"),
        (busy, 700, 600_000, "stalled"),
        (busy, 600_000, 700, "deadline_exceeded"),
    ] {
        let scene = Scene::new(worker).await;
        scene.message("read", &FromWorker::ReadAt { id: 1, source: 0, offset: 0, len: 8 });
        let progress = Progress { stage: Stage::Encoding, frames_done: 3, frames_total: 30 };
        scene.message("progress", &FromWorker::Progress(progress));
        let mut claimed = job();
        (claimed.stall_milliseconds, claimed.deadline_milliseconds) = (stall, deadline);
        let running = scene.start_with(claimed).await;
        let failed = scene.gateway.failure().await;
        assert_eq!((failed.reason, failed.failure.code.as_str()), (FailReason::Deadline, code));
        scene.stop(running).await;
    }
}

#[tokio::test]
async fn what_was_published_before_is_not_made_again() {
    let scene = Scene::new("touch $OUT/ran").await;
    let montage = MontageId::generate();
    scene.gateway.set(|script| script.published = Some(montage));
    let mut claimed = job();
    claimed.attempt = 2;
    let running = scene.start_with(claimed).await;
    assert_eq!(scene.gateway.completion().await.montage_id, Some(montage));
    assert!(!scene.path("ran").exists());
    scene.stop(running).await;
}

#[tokio::test]
async fn a_stale_fence_while_publishing_is_heeded() {
    let scene = Scene::new(&diligent("")).await;
    scene.message("done", &done(report(b"the media")));
    scene.gateway.set(|script| script.publish_is_stale = true);
    let running = scene.start_with(job()).await;
    let next = job_of(Source::Path("media:absent.mp4".to_owned()));
    let expected = next.job_id;
    scene.gateway.set(|script| script.jobs.push_back(next));
    scene.gateway.failure().await;
    let ends: Vec<_> =
        scene.gateway.writes().into_iter().filter(|event| !matches!(event, Event::Stored(..))).collect();
    assert!(matches!(ends.as_slice(), [Event::Failed(job, _)] if *job == expected), "{ends:?}");
    scene.stop(running).await;
}

#[tokio::test]
async fn without_a_broker_jobs_are_found_all_the_same() {
    let mut scene = Scene::new("exit 3").await;
    // A port that nobody listens on: bound and given back.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let brokers = taken.local_addr().unwrap().to_string();
    drop(taken);
    scene.config.hints = Hints::Kafka(KafkaConfig { brokers, topic: "t".to_owned() });
    let running = scene.start_with(job()).await;
    assert_eq!(scene.gateway.failure().await.failure.code, "worker_crashed");
    scene.stop(running).await;
}

#[tokio::test]
async fn a_hint_wakes_it() {
    let mut scene = Scene::new("exit 3").await;
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic("hints", 3, 1).unwrap();
    let (brokers, topic) = (cluster.bootstrap_servers(), "hints".to_owned());
    scene.config.hints = Hints::Kafka(KafkaConfig { brokers: brokers.clone(), topic });
    // Nothing but a hint makes it ask a second time.
    scene.config.pace.slow_poll = (Duration::from_secs(86_400), Duration::from_secs(86_400));
    let running = scene.start().await;
    scene
        .gateway
        .until(|events| events.iter().any(|event| matches!(event, Event::Asked)).then_some(()))
        .await;
    scene.gateway.set(|script| script.jobs.push_back(job()));
    let producer: FutureProducer = ClientConfig::new().set("bootstrap.servers", &brokers).create().unwrap();
    let hints = async {
        // Those that come before the consumer has joined its group are lost, which does no harm.
        loop {
            let hint = FutureRecord::<(), str>::to("hints").payload("no JSON, and still a hint");
            producer.send(hint, Duration::from_secs(5)).await.unwrap();
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::select! {
        () = hints => {}
        failed = scene.gateway.failure() => assert_eq!(failed.failure.code, "worker_crashed"),
    }
    scene.stop(running).await;
}

#[tokio::test]
async fn it_is_ready_once_the_gateway_answered() {
    let mut scene = Scene::new("").await;
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    scene.config.gateway_url = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    let running = scene.start().await;
    let ask = |path: &'static str| {
        let url = format!("http://{}{path}", running.address);
        async move { service_kit::client::http_client(None).unwrap().get(url).send().await.unwrap() }
    };
    assert_eq!(ask("/livez").await.status(), 200);
    let answer = ask("/readyz").await;
    assert_eq!(answer.status(), 503);
    let problem: Problem = answer.json().await.unwrap();
    assert!(problem.detail.unwrap().contains("gateway"));
    scene.stop(running).await;
}
