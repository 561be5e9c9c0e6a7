//! A hostile or a late executor: one that holds the executors' key and speaks the protocol by hand, under leases that are
//! not, or no longer, its own. Every door refuses it, and nothing changes.

use contracts::{
    ids::{ExecutorId, MontageId},
    job::{AttemptOutcome, Job, JobState},
    lease::ClaimedJob,
    object::{Grants, Piece},
    problem::Problem,
};
use end_to_end::stack::{EXECUTOR_TOKEN, Hints, Stack};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use std::fs;

use crate::videos;

/// Any bytes: the library does not look into pieces.
const CONTENT: &[u8] = b"piece";
const CONTENT_SHA256: &str = "34235a2c502e3919d3f00af5dabb87cb58aef4566b10631f2a5db94950ebffbd";

/// An executor by hand.
struct ByHand<'a> {
    stack: &'a Stack,
    id: ExecutorId,
}

impl ByHand<'_> {
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.stack.request(method, path).bearer_auth(EXECUTOR_TOKEN)
    }

    async fn post(&self, path: &str, body: &Value) -> Response {
        self.request(Method::POST, path).json(body).send().await.unwrap()
    }

    async fn claim(&self) -> ClaimedJob {
        let body = json!({ "executor_id": self.id, "executor_name": "by hand", "kinds": ["montage"], "wait_seconds": 10 });
        let response = self.post("/v1/leases", &body).await;
        assert_eq!(response.status(), StatusCode::OK);
        response.json().await.unwrap()
    }

    /// Links for all pieces of a result.
    async fn grants(&self, job: &ClaimedJob) -> Response {
        let wishes: Vec<Value> = ["media", "poster", "sprites"]
            .map(|piece| json!({ "piece": piece, "bytes": CONTENT.len() }))
            .to_vec();
        let body =
            json!({ "job_id": job.job_id, "fence": job.fence, "executor_id": self.id, "write": wishes });
        self.post("/v1/grants", &body).await
    }

    async fn put(&self, url: &str, content: &'static [u8]) -> StatusCode {
        self.stack.request(Method::PUT, url).body(content).send().await.unwrap().status()
    }

    /// A result that is complete in every respect.
    fn result(&self, job: &ClaimedJob) -> Value {
        let pieces = [Piece::Media, Piece::Poster, Piece::Sprites].map(|piece| {
            json!({ "piece": piece, "key": format!("montages/{}/{}/{}", job.job_id, job.fence, piece.file_name()),
                    "bytes": CONTENT.len(), "sha256": CONTENT_SHA256 })
        });
        json!({
            "job_id": job.job_id, "fence": job.fence, "executor_id": self.id, "title": "By hand", "labels": {},
            "media": { "width": 320, "height": 180, "frame_rate": "30/1", "frames": 30, "duration_ticks": 705_600_000,
                       "duration": 1.0, "bytes": CONTENT.len(), "sha256": CONTENT_SHA256 },
            "clips": [{ "title": "Clip", "streamer": null, "score": null, "source": "library:short.mp4", "start": 0.0,
                        "duration": 1.0, "source_start": 0.0, "frames": 30 }],
            "sprites": { "tile_width": 1, "tile_height": 1, "columns": 1, "rows": 1, "count": 1, "interval": 1.0 },
            "pieces": pieces,
            "transcript": { "state": "none", "engine": "none", "model": null, "language": null, "reason": null, "cues": [] },
            "provenance": { "executor": "by hand", "attempt": job.attempt, "started_at": "2026-01-01T00:00:00Z",
                            "finished_at": "2026-01-01T00:00:00Z", "sources": [], "plan": {}, "plan_hash": "", "frames_encoded": 0,
                            "audio": [], "checks": [], "versions": {}, "sandbox": [] }
        })
    }

    /// Everything that a lease is needed for, said under this one: each is refused as stale.
    async fn is_refused_everywhere(&self, job: &ClaimedJob) {
        let proof = json!({ "executor_id": self.id, "fence": job.fence });
        let with = |more: Value| {
            let mut body = proof.clone();
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        let failure = json!({ "code": "x", "message": "x", "pointer": null });
        let calls = [
            (
                format!("/v1/leases/{}/complete", job.job_id),
                with(json!({ "montage_id": MontageId::generate() })),
            ),
            (
                format!("/v1/leases/{}/fail", job.job_id),
                with(json!({ "reason": "permanent", "failure": failure })),
            ),
            (format!("/v1/leases/{}/release", job.job_id), proof.clone()),
            ("/v1/results".to_owned(), self.result(job)),
            (
                "/v1/segments".to_owned(),
                with(json!({ "job_id": job.job_id, "segments": [{
                    "key": CONTENT_SHA256, "bytes": CONTENT.len(), "sha256": CONTENT_SHA256,
                    "object_key": format!("segments/{CONTENT_SHA256}.{}-{}-{}/content", job.job_id, job.fence, "0".repeat(32)) }] })),
            ),
            (
                "/v1/previews".to_owned(),
                with(json!({ "job_id": job.job_id, "done": true,
                    "entries": [{ "name": "0.m4s", "seconds": 1.0, "map": "init.mp4" }] })),
            ),
        ];
        for (path, body) in calls {
            is_stale(&path, self.post(&path, &body).await).await;
        }
        is_stale("/v1/grants", self.grants(job).await).await;
        let beat =
            json!({ "executor_id": self.id, "leases": [{ "job_id": job.job_id, "fence": job.fence }] });
        let answer: Value = self.post("/v1/leases/heartbeat", &beat).await.json().await.unwrap();
        assert_eq!(answer["leases"][0]["verdict"], "lost", "{answer}");
    }
}

async fn is_stale(what: &str, response: Response) {
    let status = response.status();
    let problem: Problem = response.json().await.unwrap();
    assert_eq!((status, problem.code.as_str()), (StatusCode::CONFLICT, "stale_fence"), "{what}: {problem:?}");
}

fn job_body(stack: &Stack) -> Value {
    fs::copy(videos::short(), stack.directory("media").join("short.mp4")).unwrap();
    json!({ "kind": "montage", "title": "contested", "spec": {
        "highlights": [{ "source": { "path": "library:short.mp4" }, "start": "0", "duration": "1s" }],
        "transcribe": { "engine": "none" } } })
}

#[tokio::test]
async fn an_executor_that_comes_late_with_a_finished_result_is_refused_at_every_door() {
    let Some(mut stack) = Stack::start(Hints::Postgres, &[("SM_LEASE_TTL", "3s")]).await else { return };
    let late = ExecutorId::generate();

    // To begin with: what it does is right, as long as its lease lasts.
    stack.post_job(&job_body(&stack)).await;
    let hand = ByHand { stack: &stack, id: late };
    let timely = hand.claim().await;
    let grants: Grants = hand.grants(&timely).await.json().await.unwrap();
    for grant in &grants.write {
        assert_eq!(hand.put(&grant.url, CONTENT).await, StatusCode::CREATED);
    }
    let published = hand.post("/v1/results", &hand.result(&timely)).await;
    assert_eq!(published.status(), StatusCode::CREATED, "{}", published.text().await.unwrap());

    // The same with another job, but for the lease, which is lost just before the result is published.
    let contested = stack.post_job(&job_body(&stack)).await;
    let claimed = loop {
        let claimed = hand.claim().await;
        if claimed.job_id == contested.id {
            break claimed;
        }
    };
    let grants: Grants = hand.grants(&claimed).await.json().await.unwrap();
    for grant in &grants.write {
        assert_eq!(hand.put(&grant.url, CONTENT).await, StatusCode::CREATED);
    }
    let lost = |job: &Job| {
        job.attempts.first().is_some_and(|attempt| attempt.outcome == Some(AttemptOutcome::LeaseLost))
    };
    stack.wait_for(contested.id, lost).await;
    hand.is_refused_everywhere(&claimed).await;

    stack.add_executor(&[]);
    let hand = ByHand { stack: &stack, id: late };
    let ended = stack.wait_until_final(contested.id).await;
    assert_eq!(ended.state, JobState::Succeeded, "{ended:#?}");
    hand.is_refused_everywhere(&claimed).await;
    let montage = stack.montage_of(&ended).await;
    assert_ne!(montage.media.bytes, CONTENT.len() as u64, "the result is the other one's");
    let own = stack.montages().await.items.into_iter().filter(|montage| montage.job_id == contested.id);
    assert_eq!(own.count(), 1);
    stack.end().await;
}

#[tokio::test]
async fn a_key_for_executors_opens_no_other_executors_job_and_no_other_object() {
    let settings = [("SM_LEASE_TTL", "60s"), ("SM_UPLOAD_MAX_BYTES", "1MiB")];
    let Some(stack) = Stack::start(Hints::Postgres, &settings).await else { return };
    let posted = stack.post_job(&job_body(&stack)).await;
    let honest = ByHand { stack: &stack, id: ExecutorId::generate() };
    let claimed = honest.claim().await;
    let before = stack.job(posted.id).await;

    // The fence is easy to guess, who holds it is not; and nothing says it.
    let thief = ByHand { stack: &stack, id: ExecutorId::generate() };
    thief.is_refused_everywhere(&claimed).await;
    assert!(!serde_json::to_string(&before).unwrap().contains(&honest.id.0.to_string()));
    for fence in [claimed.fence - 1, claimed.fence + 1, i64::MAX] {
        let other = ClaimedJob { fence, ..claimed.clone() };
        if fence > 0 {
            honest.is_refused_everywhere(&other).await;
        }
    }

    // Its own lease gives links to its own job's things only.
    let read = |wish: Value| json!({ "job_id": claimed.job_id, "fence": claimed.fence, "executor_id": honest.id, "read": [wish] });
    let upload = stack.request(Method::POST, "/v1/uploads").body("somebody's").send().await.unwrap();
    let upload: Value = upload.json().await.unwrap();
    for wish in [json!({ "upload": upload["id"] }), json!({ "montage": MontageId::generate() })] {
        assert_eq!(honest.post("/v1/grants", &read(wish)).await.status(), StatusCode::FORBIDDEN);
    }
    let sly = json!({ "job_id": claimed.job_id, "fence": claimed.fence, "executor_id": honest.id,
                      "write": [{ "piece": "../../uploads/x", "bytes": 1 }] });
    assert!(honest.post("/v1/grants", &sly).await.status().is_client_error());
    let mut elsewhere = honest.result(&claimed);
    elsewhere["pieces"][0]["key"] = json!(format!("montages/{}/1/../../x/media.mp4", claimed.job_id));
    assert_eq!(honest.post("/v1/results", &elsewhere).await.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        honest.post("/v1/results", &honest.result(&claimed)).await.status(),
        StatusCode::UNPROCESSABLE_ENTITY,
        "a result whose pieces were never sent"
    );

    // A link is for one object, one method and one size.
    let grants: Grants = honest.grants(&claimed).await.json().await.unwrap();
    let link = &grants.write[0].url;
    let query = link.split_once('?').unwrap().1;
    for path in [
        format!("/v1/objects/{}?{query}", grants.write[1].key),
        format!("/v1/objects/uploads/{}/content?{query}", upload["id"].as_str().unwrap()),
        format!("/v1/objects/.signing-secret?{query}"),
        format!("/v1/objects/montages/..%2f..%2fetc/passwd?{query}"),
        format!("/v1/objects/%2e%2e/%2e%2e/etc/passwd?{query}"),
        grants.write[0].key.clone().replace("montages", "/v1/objects/montages"),
    ] {
        let status = honest.put(&path, CONTENT).await;
        assert!(matches!(status.as_u16(), 403 | 404), "{path}: {status}");
    }
    let status = honest.stack.send(Method::GET, link, None).await.status();
    assert_eq!(status, StatusCode::FORBIDDEN, "a link for writing does not read");
    assert_eq!(honest.put(link, b"longer than agreed").await, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(honest.put(link, b"less").await.is_client_error());
    assert_eq!(honest.put(link, CONTENT).await, StatusCode::CREATED);
    assert_eq!(honest.put(link, b"other").await, StatusCode::CONFLICT, "what is there stays");

    // Bodies beyond the limits. They are not read to their end, so that their connections cannot be used again.
    let large = "x".repeat(3 << 20);
    for path in ["/v1/leases", "/v1/grants"] {
        let response = honest
            .request(Method::POST, path)
            .header("Connection", "close")
            .body(large.clone())
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE, "{path}");
    }
    for path in ["/v1/jobs", "/v1/uploads"] {
        let response = stack
            .request(Method::POST, path)
            .header("Connection", "close")
            .body(large.clone())
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE, "{path}");
    }

    assert_eq!(stack.job(posted.id).await, before, "nothing has changed");
    assert!(stack.montages().await.items.is_empty());
    stack.end().await;
}
