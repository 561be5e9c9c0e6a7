//! Probes: what plans' tests do not show already, as both go the same way.

use contracts::{ids::UploadId, spec::JobSpec};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::harness::{Stack, found_at, job};

fn probe() -> Value {
    json!({
        "container": "mp4", "bytes": 1000, "duration": 5.0, "media_type": "video/mp4",
        "video": { "codec": "h264", "width": 1280, "height": 720, "frame_rate": "30/1" },
        "audio": { "codec": "aac", "channels": 2, "sample_rate": 48000 },
        "keyframes": [0.0, 2.0, 4.0], "keyframes_total": 3, "playable": true })
}

#[tokio::test]
async fn a_source_is_looked_into_ahead_of_all_work_and_by_those_who_can() {
    let Some(stack) = Stack::start().await else { return };
    stack.make(&job("posted before")).await;
    let asked = json!({ "source": { "upload": UploadId::generate() } });
    let response = stack.client.post(format!("{}/v1/probes?wait_seconds=0", stack.base)).json(&asked);
    let response = response.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    let path = response.headers()["location"].to_str().unwrap().to_owned();
    let answer: Value = response.json().await.unwrap();
    assert_eq!(path, format!("/v1/probes/{}", answer["id"].as_str().unwrap()));
    assert!(answer.get("probe").is_none());
    assert_eq!(stack.get(&path).await.0, StatusCode::ACCEPTED);
    // A probe is neither a plan nor a job that people posted.
    let id = answer["id"].as_str().unwrap();
    assert_eq!(stack.get(&format!("/v1/plans/{id}")).await.0, StatusCode::NOT_FOUND);
    assert_eq!(stack.get("/v1/jobs").await.1["items"].as_array().unwrap().len(), 1);
    let (_, page) = stack.get("/v1/jobs?kind=probe").await;
    assert_eq!(page["items"][0]["links"]["probe"], json!(path));
    assert!(stack.claim_of("an old one", &["plan", "transcript", "segment"], None).await.is_none());

    let kinds = ["montage", "transcript", "segment", "plan", "probe"];
    let (lease, claimed) = stack.claim_of("ada", &kinds, None).await.unwrap();
    let JobSpec::Probe { probe: spec } = claimed.spec else { panic!("a probe goes first") };
    assert_eq!(serde_json::to_value(spec).unwrap(), asked);
    for unfit in [json!({ "container": "mp4" }), json!("x".repeat(5 << 20))] {
        let (status, _) = stack.post(&lease.path("complete"), &lease.result(&unfit)).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let waiting = format!("{path}?wait_seconds=30");
    let (later, _) = tokio::join!(stack.get(&waiting), async {
        stack.post(&lease.path("complete"), &lease.result(&probe())).await
    });
    assert_eq!((later.0, &later.1["probe"]), (StatusCode::OK, &probe()));

    // One that fails says so as a probe, and where.
    let (answer, ()) = tokio::join!(stack.post("/v1/probes?wait_seconds=30", &asked), async {
        let (lease, _) = stack.claim_next("probe").await;
        let mut failure = lease.failure("permanent");
        failure["failure"] =
            json!({ "code": "no_video", "message": "It has no video.", "pointer": "/source/upload" });
        stack.post(&lease.path("fail"), &failure).await;
    });
    assert_eq!((answer.0.as_u16(), &answer.1["code"]), (422, &json!("no_video")), "{}", answer.1);
    assert_eq!(answer.1["type"], "/docs/errors/probe-failed");
    assert_eq!(found_at(&answer.1), ["/source/upload"]);

    // Kept twelve hours, where a plan is kept one.
    let age = async |minutes: i64| {
        let sql = "UPDATE jobs.jobs SET created_at = now() - make_interval(mins => $1::int)";
        sqlx::query(sql).bind(minutes).execute(&stack.pool).await.unwrap();
        jobs_repo::forget(&mut stack.pool.acquire().await.unwrap()).await.unwrap();
        stack.count("SELECT count(*) FROM jobs.jobs").await
    };
    assert_eq!(age(11 * 60 + 59).await, 3);
    assert_eq!(age(12 * 60 + 1).await, 1);
    assert_eq!(stack.get(&path).await.0, StatusCode::NOT_FOUND);
    stack.remove().await;
}

#[tokio::test]
async fn what_is_no_source_is_refused_before_anybody_works() {
    let Some(stack) = Stack::start().await else { return };
    for (body, pointers) in [
        (json!({}), vec!["/source"]),
        (json!({ "source": { "url": "nowhere" }, "colour": 1 }), vec!["/colour", "/source/url"]),
        (job("a job")["spec"].clone(), vec!["/highlights", "/source"]),
    ] {
        let (status, problem) = stack.post("/v1/probes", &body).await;
        assert_eq!((status.as_u16(), &problem["code"]), (422, &json!("invalid_spec")), "{problem}");
        assert_eq!(found_at(&problem), pointers, "{problem}");
    }
    let (_, problem) = stack.post("/v1/probes?wait=1", &json!({ "source": { "path": "a:b" } })).await;
    assert_eq!(problem["code"], "invalid_query");
    assert_eq!(stack.count("SELECT count(*) FROM jobs.jobs").await, 0);
    stack.remove().await;
}
