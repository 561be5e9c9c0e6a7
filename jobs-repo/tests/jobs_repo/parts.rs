//! Parts of a montage: posted by the executor that leads it, made by many, gone with it.

use contracts::{
    job::{Job, JobState},
    part::{PartState, PartStates},
    spec::JobSpec,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Claimed, Stack, found_at, job};

fn key(number: u32) -> String {
    format!("{number:064x}")
}

/// A request for these parts; each is the segment of its number.
fn parts(leader: &Claimed, numbers: &[u32]) -> Value {
    let parts: Vec<Value> =
        numbers.iter().map(|number| json!({ "key": key(*number), "segments": [number] })).collect();
    json!({ "executor_id": leader.executor, "fence": leader.fence, "plan": { "clips": [1, 2.5], "made": "once" }, "parts": parts })
}

async fn post(stack: &Stack, leader: &Claimed, numbers: &[u32]) -> Vec<PartState> {
    let (status, answer) = stack.post(&leader.path("parts"), &parts(leader, numbers)).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    serde_json::from_value::<PartStates>(answer).unwrap().parts
}

async fn states(stack: &Stack, leader: &Claimed, known: &[String]) -> Vec<PartState> {
    let mut body = leader.proof();
    body["known"] = json!(known);
    let (status, answer) = stack.post(&leader.path("parts/states"), &body).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    serde_json::from_value::<PartStates>(answer).unwrap().parts
}

fn names(parts: &[PartState]) -> Vec<&'static str> {
    parts.iter().map(|part| part.state.as_str()).collect()
}

async fn part_claim(stack: &Stack, name: &str, parent: Option<Uuid>) -> Option<Claimed> {
    stack.claim_of(name, &["segment"], parent).await.map(|(lease, _)| lease)
}

/// The verdict of a heartbeat.
async fn verdict(stack: &Stack, lease: &Claimed) -> String {
    let (_, answer) = stack.post("/v1/leases/heartbeat", &lease.beat(0.1)).await;
    answer["leases"][0]["verdict"].as_str().unwrap().to_owned()
}

/// A montage that is being led.
async fn led(stack: &Stack) -> Claimed {
    stack.make(&job("together")).await;
    stack.claim(Uuid::new_v4()).await
}

#[tokio::test]
async fn parts_are_made_by_many_and_their_results_collected() {
    let Some(stack) = Stack::start().await else { return };
    let mut body = job("together");
    body["priority"] = json!(7);
    let id = stack.make(&body).await;
    let leader = stack.claim(Uuid::new_v4()).await;
    assert!(stack.job(id).await.parts.is_none());
    let posted = post(&stack, &leader, &[3, 1, 2]).await;
    assert_eq!(posted.iter().map(|part| part.key.clone()).collect::<Vec<_>>(), [key(3), key(1), key(2)]);
    assert_eq!(names(&posted), ["queued"; 3]);
    // The same again, because its answer was lost: the same parts.
    assert_eq!(post(&stack, &leader, &[3, 1, 2]).await, posted);
    assert_eq!(stack.count("SELECT count(*) FROM jobs.jobs WHERE kind = 'segment'").await, 3);
    assert_eq!(stack.count("SELECT count(*) FROM jobs.part_plans").await, 1);

    // Ahead of what has not begun, in the order in which they were posted, each once.
    let mut other = job("other");
    other["priority"] = json!(7);
    stack.make(&other).await;
    let (ada, claimed) = stack.claim_of("ada", &["montage", "segment"], None).await.unwrap();
    assert_eq!((claimed.kind.as_str(), claimed.title.as_str()), ("segment", "together"));
    let JobSpec::Part { part } = &claimed.spec else { panic!("a part") };
    assert_eq!((part.job_id.0, part.segments.as_slice()), (id, &[3][..]));
    assert_eq!(part.plan, json!({ "clips": [1, 2.5], "made": "once" }));
    let whole = stack.job(id).await;
    assert_eq!(JobSpec::Montage(part.montage.clone()), whole.spec);
    let bob = part_claim(&stack, "bob", Some(id)).await.unwrap();
    assert!(part_claim(&stack, "eve", Some(Uuid::now_v7())).await.is_none(), "another job has no parts");
    let eve = part_claim(&stack, "eve", Some(id)).await.unwrap();
    assert!(part_claim(&stack, "eve", None).await.is_none());
    assert_eq!(
        [ada, bob, eve].map(|lease| lease.job).to_vec(),
        posted.iter().map(|part| part.job_id.0).collect::<Vec<_>>()
    );

    // A result is what a part comes to, and nothing else is.
    let result = json!({ "frames": 30, "sha256": "ab" });
    for unfit in [
        json!({ "executor_id": ada.executor, "fence": ada.fence, "montage_id": Uuid::now_v7() }),
        json!({ "executor_id": ada.executor, "fence": ada.fence, "montage_id": Uuid::now_v7(), "result": 1 }),
        ada.proof(),
        ada.result(&Value::Null),
        ada.result(&json!({ "text": "\u{0}" })),
        ada.result(&json!("x".repeat(300_000))),
    ] {
        let (status, problem) = stack.post(&ada.path("complete"), &unfit).await;
        assert_eq!((status.as_u16(), problem["code"].as_str()), (422, Some("invalid_spec")), "{problem}");
    }
    let (status, _) = stack.post(&leader.path("complete"), &leader.result(&result)).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "a montage is published");
    for _ in 0..2 {
        let (status, _) = stack.post(&ada.path("complete"), &ada.result(&result)).await;
        assert_eq!(status, StatusCode::NO_CONTENT);
    }
    let (status, _) = stack.post(&ada.path("complete"), &ada.result(&json!({ "frames": 31 }))).await;
    assert_eq!(status, StatusCode::CONFLICT, "another result under the same fence");
    stack.post(&bob.path("fail"), &bob.failure("permanent")).await;

    let now = states(&stack, &leader, &[]).await;
    assert_eq!(names(&now), ["failed", "running", "succeeded"]);
    assert_eq!(
        now.iter().map(|part| part.executor.as_deref()).collect::<Vec<_>>(),
        [Some("bob"), Some("eve"), Some("ada")]
    );
    assert_eq!(
        (&now[2].result, now[0].failure.as_ref().unwrap().code.as_str()),
        (&Some(result), "worker_crashed")
    );
    assert_eq!(states(&stack, &leader, &[key(3)]).await[2].result, None, "it is known");
    // A failure under this very lease stands: the leader knows of it.
    assert_eq!(names(&post(&stack, &leader, &[1]).await), ["failed"]);

    let whole = stack.job(id).await.parts.unwrap();
    assert_eq!((whole.total, whole.done, whole.running), (3, 1, 1));
    assert_eq!(whole.executors, ["ada", "eve"]);
    stack.remove().await;
}

#[tokio::test]
async fn an_answer_holds_so_much_and_the_rest_comes_next() {
    let Some(stack) = Stack::start().await else { return };
    let leader = led(&stack).await;
    let numbers: Vec<u32> = (0..80).collect();
    post(&stack, &leader, &numbers).await;
    let large = json!("x".repeat(250_000));
    while let Some(lease) = part_claim(&stack, "ada", None).await {
        assert_eq!(
            stack.post(&lease.path("complete"), &lease.result(&large)).await.0,
            StatusCode::NO_CONTENT
        );
    }
    let mut known = Vec::new();
    let mut answers = 0;
    while known.len() < numbers.len() {
        let sent = states(&stack, &leader, &known).await;
        assert_eq!(sent.len(), numbers.len());
        let before = known.len();
        known.extend(sent.into_iter().filter(|part| part.result.is_some()).map(|part| part.key));
        assert!(known.len() > before);
        answers += 1;
    }
    assert_eq!(answers, 2);
    stack.remove().await;
}

#[tokio::test]
async fn parts_end_with_the_attempt_that_leads_them_and_come_back_with_the_next() {
    let Some(stack) = Stack::start().await else { return };
    let leader = led(&stack).await;
    post(&stack, &leader, &[1, 2, 3, 4]).await;
    let made = part_claim(&stack, "ada", None).await.unwrap();
    stack.post(&made.path("complete"), &made.result(&json!({ "made": 1 }))).await;
    let failed = part_claim(&stack, "bob", None).await.unwrap();
    stack.post(&failed.path("fail"), &failed.failure("permanent")).await;
    let running = part_claim(&stack, "eve", None).await.unwrap();
    assert_eq!(verdict(&stack, &running).await, "held");

    stack.let_expire(leader.job).await;
    stack.reaches(leader.job, "retrying").await;
    assert_eq!(verdict(&stack, &running).await, "cancel");
    assert!(part_claim(&stack, "eve", None).await.is_none(), "what waits is cancelled");
    let next = stack.claim(Uuid::new_v4()).await;
    assert_eq!(names(&states(&stack, &next, &[]).await), ["succeeded", "failed", "running", "cancelled"]);

    // The old leader may do nothing any more.
    for (path, body) in [("parts", parts(&leader, &[9])), ("parts/states", leader.proof())] {
        let (status, problem) = stack.post(&leader.path(path), &body).await;
        assert_eq!((status, problem["code"].as_str()), (StatusCode::CONFLICT, Some("stale_fence")), "{path}");
    }
    let again = post(&stack, &next, &[1, 2, 3, 4, 5]).await;
    assert_eq!(names(&again), ["succeeded", "queued", "running", "queued", "queued"]);
    assert_eq!(again[0].result, Some(json!({ "made": 1 })));
    assert!(again[1].failure.is_none());
    assert_eq!(verdict(&stack, &running).await, "held", "what runs is wanted again");
    assert_eq!(stack.count("SELECT count(*) FROM jobs.jobs WHERE kind = 'segment'").await, 5);

    // Given back: the same, at once.
    stack.post(&next.path("release"), &next.proof()).await;
    assert_eq!(verdict(&stack, &running).await, "cancel");
    stack.post(&running.path("fail"), &running.failure("cancelled")).await;
    let third = stack.claim(Uuid::new_v4()).await;
    assert_eq!(
        names(&states(&stack, &third, &[]).await),
        ["succeeded", "cancelled", "cancelled", "cancelled", "cancelled"]
    );
    // Published: nothing of it is made any more.
    post(&stack, &third, &[2]).await;
    let late = part_claim(&stack, "ada", None).await.unwrap();
    stack.post(&third.path("complete"), &third.completion(Uuid::now_v7())).await;
    assert_eq!(verdict(&stack, &late).await, "cancel");
    let (status, problem) = stack.post(&third.path("parts"), &parts(&third, &[2])).await;
    assert_eq!((status, problem["code"].as_str()), (StatusCode::CONFLICT, Some("stale_fence")));
    stack.remove().await;
}

#[tokio::test]
async fn a_part_has_a_lease_and_a_budget_of_its_own() {
    let Some(stack) = Stack::start().await else { return };
    let leader = led(&stack).await;
    let id = post(&stack, &leader, &[1]).await[0].job_id.0;
    let zombie = part_claim(&stack, "ada", None).await.unwrap();
    stack.let_expire(id).await;
    stack.reaches(id, "retrying").await;
    let holder = part_claim(&stack, "bob", None).await.unwrap();
    assert_eq!((holder.job, holder.fence), (id, zombie.fence + 1));
    let (status, _) = stack.post(&zombie.path("complete"), &zombie.result(&json!(1))).await;
    assert_eq!(status, StatusCode::CONFLICT);
    stack.post(&holder.path("fail"), &holder.failure("transient")).await;
    stack.reaches(id, "retrying").await;
    let last = loop {
        if let Some(lease) = part_claim(&stack, "eve", None).await {
            break lease;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    };
    stack.post(&last.path("fail"), &last.failure("transient")).await;
    assert_eq!(stack.job(id).await.state, JobState::Dead);
    assert_eq!(stack.job(leader.job).await.state, JobState::Running, "that is for its leader to judge");

    // Those who want results have nothing to do with it.
    for verb in ["cancel", "retry"] {
        let (status, problem) = stack.post(&format!("/v1/jobs/{id}/{verb}"), &Value::Null).await;
        assert_eq!((status, problem["code"].as_str()), (StatusCode::CONFLICT, Some("conflict")), "{verb}");
    }
    // A new attempt gives it a fresh budget.
    stack.let_expire(leader.job).await;
    stack.reaches(leader.job, "retrying").await;
    let next = stack.claim(Uuid::new_v4()).await;
    assert_eq!(names(&post(&stack, &next, &[1]).await), ["queued"]);
    let fresh = part_claim(&stack, "ada", None).await.unwrap();
    assert_eq!((fresh.job, fresh.fence), (id, 4));
    stack.remove().await;
}

#[tokio::test]
async fn cancelling_a_montage_reaches_its_parts() {
    let Some(stack) = Stack::start().await else { return };
    let leader = led(&stack).await;
    post(&stack, &leader, &[1, 2]).await;
    let running = part_claim(&stack, "ada", None).await.unwrap();
    let (status, _) = stack.post(&format!("/v1/jobs/{}/cancel", leader.job), &Value::Null).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    assert_eq!(verdict(&stack, &running).await, "cancel");
    assert_eq!(names(&states(&stack, &leader, &[]).await), ["running", "cancelled"]);
    let (status, problem) = stack.post(&leader.path("parts"), &parts(&leader, &[1, 2, 3])).await;
    assert_eq!((status, problem["code"].as_str()), (StatusCode::CONFLICT, Some("conflict")), "no more of it");
    stack.post(&running.path("fail"), &running.failure("cancelled")).await;
    stack.post(&leader.path("fail"), &leader.failure("cancelled")).await;
    assert_eq!(stack.job(leader.job).await.state, JobState::Cancelled);
    assert_eq!(stack.job(running.job).await.state, JobState::Cancelled);
    assert!(part_claim(&stack, "ada", None).await.is_none());
    stack.remove().await;
}

#[tokio::test]
async fn parts_are_not_jobs_to_those_who_count() {
    let Some(stack) = Stack::start().await else { return };
    let leader = led(&stack).await;
    post(&stack, &leader, &[1, 2, 3]).await;
    let list = async |query: &str| {
        let (status, page) = stack.get(&format!("/v1/jobs?{query}")).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        serde_json::from_value::<Vec<Job>>(page["items"].clone()).unwrap()
    };
    assert_eq!(list("").await.len(), 1);
    assert_eq!(list("state=queued").await.len(), 0);
    let parts = list("kind=segment").await;
    assert_eq!(parts.len(), 3);
    let JobSpec::Part { part } = &parts[0].spec else { panic!("a part") };
    assert!(part.plan.is_null() && !part.montage.highlights.is_empty(), "the plan is for those who claim it");
    assert_eq!(parts[0].links.keys().collect::<Vec<_>>(), ["self"]);
    let (_, stats) = stack.get("/v1/stats").await;
    assert_eq!((stats["depth"].as_i64(), stats["states"]["queued"].as_i64()), (Some(0), Some(0)), "{stats}");
    assert_eq!(stats["states"]["running"], 1);

    // What watches the job sees its parts move.
    let path = format!("/v1/jobs/{}", leader.job);
    let tag = async || {
        let response = stack.client.get(format!("{}{path}", stack.base)).send().await.unwrap();
        response.headers()["etag"].to_str().unwrap().to_owned()
    };
    let before = tag().await;
    let unchanged = stack.send(Method::GET, &path, None, &[("if-none-match", &before)]).await;
    assert_eq!(unchanged.0, StatusCode::NOT_MODIFIED);
    part_claim(&stack, "ada", None).await.unwrap();
    assert_ne!(tag().await, before);
    stack.remove().await;
}

#[tokio::test]
async fn what_is_no_request_for_parts_is_refused_with_its_places() {
    let Some(stack) = Stack::start().await else { return };
    let leader = led(&stack).await;
    let with = |parts: Value| json!({ "executor_id": leader.executor, "fence": leader.fence, "plan": {}, "parts": parts });
    let same = json!({ "key": key(1), "segments": [1] });
    for (body, pointers) in [
        (with(json!([])), vec!["/parts"]),
        (
            with(json!([same, same, { "key": "AB", "segments": [] }])),
            vec!["/parts/1/key", "/parts/2/key", "/parts/2/segments"],
        ),
        (
            json!({ "executor_id": leader.executor, "fence": leader.fence, "plan": "\u{0}", "parts": [same] }),
            vec!["/plan"],
        ),
        (
            with(json!(
                (0..501).map(|number| json!({ "key": key(number), "segments": [1] })).collect::<Vec<_>>()
            )),
            vec!["/parts"],
        ),
    ] {
        let (status, problem) = stack.post(&leader.path("parts"), &body).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
        assert_eq!(found_at(&problem), pointers, "{problem}");
    }
    // Parts have no parts, and nobody leads what is not there.
    let id = post(&stack, &leader, &[1]).await[0].job_id;
    let part = part_claim(&stack, "ada", None).await.unwrap();
    assert_eq!(part.job, id.0);
    let (status, problem) = stack.post(&part.path("parts"), &parts(&part, &[1])).await;
    assert_eq!((status, problem["code"].as_str()), (StatusCode::CONFLICT, Some("conflict")));
    let nobody = Claimed { job: Uuid::now_v7(), ..leader };
    assert_eq!(stack.post(&nobody.path("parts"), &parts(&nobody, &[1])).await.0, StatusCode::NOT_FOUND);
    for kind in ["plan", "probe", "segment"] {
        let (status, problem) = stack.post("/v1/jobs", &json!({ "kind": kind, "spec": {} })).await;
        assert_eq!((status.as_u16(), problem["code"].as_str()), (422, Some("unknown_kind")));
    }
    // Thousands are enough: the bound holds over several requests.
    for hundred in 0..10 {
        let numbers: Vec<u32> = (0..500).map(|number| hundred * 500 + number).collect();
        let (status, _) = stack.post(&leader.path("parts"), &parts(&leader, &numbers)).await;
        assert_eq!(status, StatusCode::OK, "{hundred}");
    }
    let (status, _) = stack.post(&leader.path("parts"), &parts(&leader, &[5000])).await;
    assert_eq!(status, StatusCode::CONFLICT);
    stack.remove().await;
}

#[tokio::test]
async fn parts_are_forgotten_an_hour_after_their_job() {
    let Some(stack) = Stack::start().await else { return };
    let leader = led(&stack).await;
    post(&stack, &leader, &[1, 2]).await;
    let late = part_claim(&stack, "ada", None).await.unwrap();
    stack.post(&leader.path("complete"), &leader.completion(Uuid::now_v7())).await;
    let forget = async || {
        jobs_repo::forget(&mut stack.pool.acquire().await.unwrap()).await.unwrap();
        stack.count("SELECT count(*) FROM jobs.jobs WHERE kind = 'segment'").await
    };
    assert_eq!(forget().await, 2);
    let age =
        "UPDATE jobs.jobs SET finished_at = now() - interval '61 minutes' WHERE finished_at IS NOT NULL";
    sqlx::query(age).execute(&stack.pool).await.unwrap();
    assert_eq!(forget().await, 1, "somebody still works on one");
    assert_eq!(stack.count("SELECT count(*) FROM jobs.part_plans").await, 1);
    stack.post(&late.path("fail"), &late.failure("cancelled")).await;
    assert_eq!(forget().await, 0);
    assert_eq!(stack.count("SELECT count(*) FROM jobs.part_plans").await, 0);
    assert_eq!(stack.count("SELECT count(*) FROM jobs.leases").await, 1, "the job's own");
    assert_eq!(stack.job(leader.job).await.state, JobState::Succeeded);
    stack.remove().await;
}
