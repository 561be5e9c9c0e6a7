//! Receivers of webhooks: told once where they answer, told again where they do not, and left alone where they want that.

use contracts::webhook::{Delivery, DeliveryPage, DeliveryState, RevealedWebhook, Webhook};
use fetch::FetchConfig;
use jobs_repo::{HintsConfig, WebhookConfig};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    process::Stdio,
    time::{Duration, Instant},
};
use uuid::Uuid;

use crate::{
    harness::{Stack, config, job, webhooks},
    receiver::{Answer, Receiver},
};

const ALL: [&str; 4] = ["job.succeeded", "job.failed", "job.dead", "job.cancelled"];

/// Makes a webhook that is told of all events.
async fn make(stack: &Stack, url: &str) -> RevealedWebhook {
    let (status, made) = stack.post("/v1/webhooks", &json!({ "url": url, "events": ALL })).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    serde_json::from_value(made).unwrap()
}

fn path(webhook: &RevealedWebhook) -> String {
    format!("/v1/webhooks/{}", webhook.webhook.id)
}

async fn look(stack: &Stack, webhook: &RevealedWebhook) -> Webhook {
    let (status, answer) = stack.get(&path(webhook)).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    serde_json::from_value(answer).unwrap()
}

async fn deliveries(stack: &Stack, webhook: &RevealedWebhook) -> Vec<Delivery> {
    let (status, page) = stack.get(&format!("{}/deliveries?limit=200", path(webhook))).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    serde_json::from_value::<DeliveryPage>(page).unwrap().items
}

/// Waits until a webhook has so many deliveries and all are in one state; fails when that takes far longer than it ever should.
async fn until(
    stack: &Stack,
    webhook: &RevealedWebhook,
    count: usize,
    state: DeliveryState,
) -> Vec<Delivery> {
    let start = Instant::now();
    loop {
        let found = deliveries(stack, webhook).await;
        if found.len() == count && found.iter().all(|delivery| delivery.state == state) {
            return found;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "{count} are not {state:?}: {found:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn test(stack: &Stack, webhook: &RevealedWebhook) {
    let (status, answer) = stack.post(&format!("{}/test", path(webhook)), &Value::Null).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
}

/// Posts a job and cancels it.
async fn cancelled(stack: &Stack, title: &str) -> Uuid {
    let id = stack.make(&job(title)).await;
    let (status, answer) = stack.post(&format!("/v1/jobs/{id}/cancel"), &Value::Null).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    id
}

async fn run(stack: &Stack, sql: &'static str) {
    sqlx::query(sql).execute(&stack.pool).await.unwrap();
}

#[tokio::test]
async fn a_receiver_is_told_once_of_a_job_that_succeeded() {
    let Some(stack) = Stack::start().await else { return };
    let mut receiver = Receiver::start().await;
    let webhook = make(&stack, &receiver.url).await;
    let mut posted = job("Größte Momente 🎬");
    posted["labels"] = json!({ "show": "weekly" });
    posted["spec"]["highlights"][0]["source"]["url"] =
        json!("https://media.example/a.mp4?X-Signature=secret");
    let id = stack.make(&posted).await;
    let claimed = stack.claim(Uuid::new_v4()).await;
    let montage = Uuid::now_v7();
    let (status, _) = stack.post(&claimed.path("complete"), &claimed.completion(montage)).await;
    assert_eq!(status, StatusCode::NO_CONTENT);

    let heard = receiver.next().await;
    let body = heard.verify(&webhook.secret.0).unwrap();
    assert!(heard.verify(&format!("whsec_{}", "A".repeat(43) + "=")).is_err(), "another secret's is another");
    assert_eq!((heard.path.as_str(), heard.header("content-type")), ("/hook", "application/json"));
    assert!(heard.header("user-agent").starts_with("stream-montages/"));
    // The whole of it: nothing of the spec, which can hold signed links.
    let job = stack.job(id).await;
    let moment =
        |moment: chrono::DateTime<chrono::Utc>| moment.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    let finished = moment(job.finished_at.unwrap());
    let expected = json!({
        "type": "job.succeeded", "timestamp": finished,
        "data": { "id": id, "kind": "montage", "title": "Größte Momente 🎬", "labels": { "show": "weekly" },
                  "state": "succeeded",
                  "result": { "montage_id": montage, "href": format!("/v1/montages/{montage}") }, "failure": null,
                  "created_at": moment(job.created_at), "finished_at": finished },
    });
    assert_eq!(body, expected);

    let [delivery] = &until(&stack, &webhook, 1, DeliveryState::Delivered).await[..] else { panic!() };
    assert_eq!(delivery.id.to_string(), heard.id());
    assert_eq!(
        (delivery.attempts, delivery.last_status, delivery.last_error.as_deref()),
        (1, Some(204), None)
    );
    assert_eq!((delivery.event.as_str(), delivery.job_id.unwrap().0), ("job.succeeded", id));
    assert!(delivery.next_at.is_none() && delivery.attempted_at.is_some());
    // What comes next is the next event: the first one came once.
    test(&stack, &webhook).await;
    let next = receiver.next().await;
    assert_ne!(next.id(), heard.id());
    let body = next.verify(&webhook.secret.0).unwrap();
    assert_eq!(
        (&body["type"], &body["data"]),
        (&json!("webhook.test"), &json!({ "webhook_id": webhook.webhook.id }))
    );
    until(&stack, &webhook, 2, DeliveryState::Delivered).await;
    assert_eq!(receiver.rest(), []);
    stack.remove().await;
}

#[tokio::test]
async fn every_way_to_end_is_told_and_nothing_else() {
    let Some(database) = service_kit::testing::Database::create().await else { return };
    migrations::run(database.url()).await.unwrap();
    let mut config = config(database.url(), HintsConfig::Postgres);
    config.policy.max_attempts = 1;
    let stack = Stack::start_as(database, config).await;
    let mut receiver = Receiver::start().await;
    let all = make(&stack, &receiver.url).await;
    let some = json!({ "url": receiver.url, "events": ["job.dead", "job.dead"] });
    let some: RevealedWebhook = serde_json::from_value(stack.post("/v1/webhooks", &some).await.1).unwrap();
    assert_eq!(some.webhook.events.len(), 1);
    let disabled = json!({ "url": receiver.url, "events": ALL, "enabled": false });
    let disabled: RevealedWebhook =
        serde_json::from_value(stack.post("/v1/webhooks", &disabled).await.1).unwrap();

    // The sweeper ends it, since its executor is gone.
    let dead = stack.make(&job("dead")).await;
    stack.claim(Uuid::new_v4()).await;
    stack.let_expire(dead).await;
    stack.reaches(dead, "dead").await;
    let failed = stack.make(&job("failed")).await;
    let claimed = stack.claim(Uuid::new_v4()).await;
    stack.post(&claimed.path("fail"), &claimed.failure("permanent")).await;
    let waiting = cancelled(&stack, "waiting").await;
    let running = stack.make(&job("running")).await;
    let claimed = stack.claim(Uuid::new_v4()).await;
    stack.post(&format!("/v1/jobs/{running}/cancel"), &Value::Null).await;
    stack.post(&claimed.path("fail"), &claimed.failure("cancelled")).await;
    // Sent again, it ends again.
    stack.post(&format!("/v1/jobs/{failed}/retry"), &Value::Null).await;
    let claimed = stack.claim(Uuid::new_v4()).await;
    stack.post(&claimed.path("complete"), &claimed.completion(Uuid::now_v7())).await;
    // A plan is the services' own business.
    let (status, plan) = stack.post("/v1/plans?wait_seconds=0", &job("plan")).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{plan}");
    let (status, _) =
        stack.post(&format!("/v1/jobs/{}/cancel", plan["id"].as_str().unwrap()), &Value::Null).await;
    assert_eq!(status, StatusCode::OK);

    let mut told: Vec<(Uuid, String)> = Vec::new();
    for delivery in until(&stack, &all, 5, DeliveryState::Delivered).await {
        told.push((delivery.job_id.unwrap().0, delivery.event.as_str().to_owned()));
    }
    told.reverse();
    let expected = [
        (dead, "job.dead"),
        (failed, "job.failed"),
        (waiting, "job.cancelled"),
        (running, "job.cancelled"),
        (failed, "job.succeeded"),
    ];
    assert_eq!(told, expected.map(|(id, event)| (id, event.to_owned())));
    until(&stack, &some, 1, DeliveryState::Delivered).await;
    assert_eq!(deliveries(&stack, &disabled).await, []);
    let heard = receiver.rest();
    assert_eq!(heard.len(), 6);
    let of_dead: Vec<Value> = heard
        .iter()
        .filter_map(|heard| heard.verify(&all.secret.0).or_else(|_| heard.verify(&some.secret.0)).ok())
        .filter(|body| body["type"] == "job.dead")
        .collect();
    assert_eq!(of_dead.len(), 2);
    for body in of_dead {
        assert_eq!(
            (&body["data"]["failure"]["code"], &body["data"]["result"]),
            (&json!("lease_lost"), &Value::Null)
        );
    }
    stack.remove().await;
}

#[tokio::test]
async fn what_fails_is_sent_again_the_very_same() {
    let Some(database) = service_kit::testing::Database::create().await else { return };
    migrations::run(database.url()).await.unwrap();
    let mut config = config(database.url(), HintsConfig::Postgres);
    // On a machine that is busy good answers may come too late as well: there are tries enough.
    config.webhooks =
        WebhookConfig { timeout: Duration::from_secs(1), retries: vec![Duration::ZERO; 30], ..webhooks() };
    let stack = Stack::start_as(database, config).await;
    let mut receiver = Receiver::start().await;
    receiver.bid(&[Answer::Status(500), Answer::Hold]);
    let webhook = make(&stack, &receiver.url).await;
    cancelled(&stack, "stubborn").await;
    let first = receiver.next().await;
    first.verify(&webhook.secret.0).unwrap();
    for _ in 0..2 {
        let again = receiver.next().await;
        again.verify(&webhook.secret.0).unwrap();
        assert_eq!((again.id(), &again.body), (first.id(), &first.body));
    }
    let delivered = until(&stack, &webhook, 1, DeliveryState::Delivered).await;
    assert!(delivered[0].attempts >= 3, "{delivered:?}");
    assert_eq!(look(&stack, &webhook).await.failing_since, None, "a success ends it");
    receiver.release();
    stack.remove().await;
}

#[tokio::test]
async fn after_the_last_retry_it_is_sent_by_hand() {
    let Some(stack) = Stack::start().await else { return };
    let mut receiver = Receiver::start().await;
    receiver.bid(&[Answer::Status(500), Answer::Status(503), Answer::Redirect]);
    let webhook = make(&stack, &receiver.url).await;
    cancelled(&stack, "unheard").await;
    let failed = until(&stack, &webhook, 1, DeliveryState::Failed).await;
    assert_eq!((failed[0].attempts, failed[0].last_status, failed[0].next_at), (3, Some(302), None));
    assert!(failed[0].last_error.as_deref().unwrap().contains("redirects"), "{failed:?}");
    assert!(look(&stack, &webhook).await.failing_since.is_some());
    let heard = receiver.rest();
    assert_eq!(heard.len(), 3);
    assert!(heard.iter().all(|heard| heard.path == "/hook"), "the redirect is not followed");

    let retry = format!("{}/deliveries/{}/retry", path(&webhook), failed[0].id);
    let (status, answer) = stack.post(&retry, &Value::Null).await;
    assert_eq!((status, answer["state"].as_str()), (StatusCode::ACCEPTED, Some("waiting")));
    let again = receiver.next().await;
    assert_eq!((again.id(), &again.body), (heard[0].id(), &heard[0].body));
    let delivered = until(&stack, &webhook, 1, DeliveryState::Delivered).await;
    assert_eq!((delivered[0].attempts, delivered[0].last_error.as_deref()), (4, None));
    let (status, problem) = stack.post(&retry, &Value::Null).await;
    assert_eq!((status, problem["code"].as_str()), (StatusCode::CONFLICT, Some("conflict")));
    let nobody = format!("{}/deliveries/{}/retry", path(&webhook), Uuid::new_v4());
    assert_eq!(stack.post(&nobody, &Value::Null).await.0, StatusCode::NOT_FOUND);
    stack.remove().await;
}

#[tokio::test]
async fn a_receiver_that_is_gone_hears_nothing_more_until_it_is_wanted_again() {
    let Some(stack) = Stack::start().await else { return };
    let mut receiver = Receiver::start().await;
    receiver.bid(&[Answer::Status(410)]);
    let webhook = make(&stack, &receiver.url).await;
    cancelled(&stack, "the last straw").await;
    let failed = until(&stack, &webhook, 1, DeliveryState::Failed).await;
    assert_eq!((failed[0].attempts, failed[0].last_status), (1, Some(410)), "it is not tried again");
    let disabled = look(&stack, &webhook).await;
    assert!(!disabled.enabled && disabled.disabled_reason.unwrap().contains("410"));
    receiver.next().await;

    cancelled(&stack, "unheard").await;
    for way in ["test", &format!("deliveries/{}/retry", failed[0].id)] {
        let (status, problem) = stack.post(&format!("{}/{way}", path(&webhook)), &Value::Null).await;
        assert_eq!((status, problem["code"].as_str()), (StatusCode::CONFLICT, Some("conflict")), "{way}");
    }
    assert_eq!(deliveries(&stack, &webhook).await, failed, "what happens meanwhile is not kept for it");

    let (status, enabled) =
        stack.send(Method::PATCH, &path(&webhook), Some(&json!({ "enabled": true })), &[]).await;
    assert_eq!(status, StatusCode::OK, "{enabled}");
    assert_eq!((&enabled["disabled_reason"], &enabled["failing_since"]), (&Value::Null, &Value::Null));
    test(&stack, &webhook).await;
    assert_eq!(receiver.next().await.verify(&webhook.secret.0).unwrap()["type"], "webhook.test");

    // By hand: what waits already stays, and goes on afterwards.
    until_settled(&stack).await;
    run(&stack, "UPDATE jobs.webhook_deliveries SET state = 'waiting', next_at = now() + interval '1 hour'")
        .await;
    stack.send(Method::PATCH, &path(&webhook), Some(&json!({ "enabled": false })), &[]).await;
    run(&stack, "UPDATE jobs.webhook_deliveries SET next_at = now() WHERE state = 'waiting'").await;
    let other_receiver = Receiver::start().await;
    let other = make(&stack, &other_receiver.url).await;
    cancelled(&stack, "unheard too").await;
    // Whoever sends this one has looked at all that is due.
    until(&stack, &other, 1, DeliveryState::Delivered).await;
    let attempts: Vec<i32> =
        deliveries(&stack, &webhook).await.iter().map(|delivery| delivery.attempts).collect();
    assert_eq!(attempts, [1, 1]);
    assert_eq!(receiver.rest(), []);
    let (_, disabled) = stack.get(&path(&webhook)).await;
    assert_eq!((&disabled["enabled"], &disabled["disabled_reason"]), (&json!(false), &Value::Null));
    stack.send(Method::PATCH, &path(&webhook), Some(&json!({ "enabled": true })), &[]).await;
    until(&stack, &webhook, 2, DeliveryState::Delivered).await;
    assert_eq!(receiver.rest().len(), 2);
    stack.remove().await;
}

/// Waits until no sender is at anything.
async fn until_settled(stack: &Stack) {
    const HELD: &str = "SELECT count(*) FROM jobs.webhook_deliveries WHERE locked_until IS NOT NULL";
    for _ in 0..600 {
        if stack.count(HELD).await == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{} are still held", stack.count(HELD).await);
}

#[tokio::test]
async fn failing_for_five_days_disables_and_one_bad_day_does_not() {
    let Some(stack) = Stack::start().await else { return };
    let receiver = Receiver::start_with(Answer::Status(500)).await;
    let webhook = make(&stack, &receiver.url).await;
    // Its last failure was long ago: nobody knows how it fared since.
    run(&stack, "UPDATE jobs.webhooks SET failing_since = now() - interval '20 days', failed_at = now() - interval '2 days'")
        .await;
    cancelled(&stack, "one").await;
    until(&stack, &webhook, 1, DeliveryState::Failed).await;
    let failing = look(&stack, &webhook).await;
    let recent = failing.failing_since.unwrap() > chrono::Utc::now() - chrono::TimeDelta::hours(1);
    assert!(failing.enabled && recent, "{failing:?}");

    run(&stack, "UPDATE jobs.webhooks SET failing_since = now() - interval '121 hours'").await;
    cancelled(&stack, "two").await;
    let mut disabled = look(&stack, &webhook).await;
    for _ in 0..600 {
        if !disabled.enabled {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        disabled = look(&stack, &webhook).await;
    }
    assert!(disabled.disabled_reason.unwrap().contains("5 days"));
    assert_eq!(stack.count("SELECT count(*) FROM jobs.webhook_deliveries WHERE state = 'waiting'").await, 1);
    stack.remove().await;
}

#[tokio::test]
async fn what_a_killed_sender_was_at_is_sent_again() {
    let Some(stack) = Stack::start().await else { return };
    let mut receiver = Receiver::start().await;
    receiver.bid(&[Answer::Hold]);
    let webhook = make(&stack, &receiver.url).await;
    let id = stack.make(&job("survives")).await;
    let database = stack.stop().await;
    let mut child = tokio::process::Command::new(env!("CARGO_BIN_EXE_jobs-repo"))
        .env_clear()
        .envs([
            ("SM_DATABASE_URL", database.url()),
            ("SM_HINTS", "postgres"),
            ("SM_JOBS_LISTEN", "127.0.0.1:0"),
            ("SM_FETCH_ALLOW", "127.0.0.1"),
        ])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    // Whoever ends the job: the database tells.
    let pool = sqlx::PgPool::connect(database.url()).await.unwrap();
    let ended =
        sqlx::query("UPDATE jobs.jobs SET state = 'dead', finished_at = now() WHERE id = $1").bind(id);
    ended.execute(&pool).await.unwrap();
    let first = receiver.next().await;
    child.kill().await.unwrap();
    // The database's clock cannot be moved, so the end of the lock is.
    let moved = "UPDATE jobs.webhook_deliveries SET locked_until = now() - interval '1 second' WHERE locked_until > now()";
    assert_eq!(sqlx::query(moved).execute(&pool).await.unwrap().rows_affected(), 1);
    pool.close().await;

    let stack = Stack::start_on(database, HintsConfig::Postgres).await;
    let again = receiver.next().await;
    assert_eq!((again.id(), &again.body), (first.id(), &first.body));
    again.verify(&webhook.secret.0).unwrap();
    let delivered = until(&stack, &webhook, 1, DeliveryState::Delivered).await;
    assert_eq!(delivered[0].attempts, 2);
    receiver.release();
    stack.remove().await;
}

#[tokio::test]
async fn a_slow_receiver_holds_up_nobody_else() {
    let Some(stack) = Stack::start().await else { return };
    let slow_receiver = Receiver::start_with(Answer::Hold).await;
    let quick_receiver = Receiver::start().await;
    let slow = make(&stack, &slow_receiver.url).await;
    let quick = make(&stack, &quick_receiver.url).await;
    for number in 0..10 {
        cancelled(&stack, &format!("job {number}")).await;
    }
    until(&stack, &quick, 10, DeliveryState::Delivered).await;
    let held = deliveries(&stack, &slow).await.iter().filter(|delivery| delivery.attempts == 1).count();
    assert_eq!(held, 4, "a webhook has its few places");
    slow_receiver.release();
    until(&stack, &slow, 10, DeliveryState::Delivered).await;
    stack.remove().await;
}

#[tokio::test]
async fn replicas_send_each_delivery_once() {
    let Some(stack) = Stack::start().await else { return };
    let replica =
        jobs_repo::start(config(stack.database.url(), HintsConfig::Postgres), stack.shutdown.clone());
    let replica = replica.await.unwrap();
    let mut receiver = Receiver::start().await;
    let webhook = make(&stack, &receiver.url).await;
    futures::future::join_all((0..30).map(async |number| cancelled(&stack, &format!("job {number}")).await))
        .await;
    let delivered = until(&stack, &webhook, 30, DeliveryState::Delivered).await;
    assert!(delivered.iter().all(|delivery| delivery.attempts == 1));
    let heard: Vec<String> = receiver.rest().iter().map(|heard| heard.id().to_owned()).collect();
    assert_eq!(heard.len(), 30);
    assert_eq!(heard.iter().collect::<BTreeSet<_>>().len(), 30);
    stack.shutdown.cancel();
    replica.done.await.unwrap().unwrap();
    stack.remove().await;
}

#[tokio::test]
async fn private_addresses_hear_nothing_unless_they_were_opened() {
    let Some(stack) = Stack::start().await else { return };
    let mut receiver = Receiver::start().await;
    let webhook = make(&stack, &receiver.url).await;
    let database = stack.stop().await;
    // The operator closes it again: judged when it is connected to, not only when it was given.
    let mut config = config(database.url(), HintsConfig::Postgres);
    config.webhooks.fetch = FetchConfig::default();
    let stack = Stack::start_as(database, config).await;
    test(&stack, &webhook).await;
    let failed = until(&stack, &webhook, 1, DeliveryState::Failed).await;
    let error = failed[0].last_error.as_deref().unwrap();
    assert!(error.contains("private address") && error.contains("SM_FETCH_ALLOW"), "{error}");
    assert_eq!(failed[0].last_status, None);
    assert_eq!(receiver.rest(), []);
    for url in [
        receiver.url.as_str(),
        "http://localhost/x",
        "https://[::1]/x",
        "http://169.254.169.254/x",
        "http://8.8.8.8:22/",
    ] {
        let (status, problem) = stack.post("/v1/webhooks", &json!({ "url": url, "events": ALL })).await;
        assert_eq!(
            (status.as_u16(), &problem["errors"][0]["pointer"]),
            (422, &json!("/url")),
            "{url}: {problem}"
        );
        assert!(problem["detail"].as_str().unwrap().contains("SM_FETCH_ALLOW"), "{url}: {problem}");
        // Nor is a webhook moved there.
        let patch = json!({ "url": url });
        assert_eq!(stack.send(Method::PATCH, &path(&webhook), Some(&patch), &[]).await.0.as_u16(), 422);
    }
    stack.remove().await;
}

#[tokio::test]
async fn for_a_day_both_secrets_sign() {
    let Some(stack) = Stack::start().await else { return };
    let mut receiver = Receiver::start().await;
    let webhook = make(&stack, &receiver.url).await;
    let (status, rotated) = stack.post(&format!("{}/rotate", path(&webhook)), &Value::Null).await;
    assert_eq!(status, StatusCode::OK, "{rotated}");
    let rotated: RevealedWebhook = serde_json::from_value(rotated).unwrap();
    assert_ne!(rotated.secret, webhook.secret);
    let left = rotated.webhook.old_secret_until.unwrap() - chrono::Utc::now();
    assert!((23..=24).contains(&left.num_hours()), "{left}");

    test(&stack, &webhook).await;
    let heard = receiver.next().await;
    assert_eq!(heard.header("webhook-signature").split(' ').count(), 2);
    heard.verify(&webhook.secret.0).unwrap();
    heard.verify(&rotated.secret.0).unwrap();

    run(&stack, "UPDATE jobs.webhooks SET old_secret_until = now()").await;
    test(&stack, &webhook).await;
    let heard = receiver.next().await;
    assert_eq!(heard.header("webhook-signature").split(' ').count(), 1);
    heard.verify(&rotated.secret.0).unwrap();
    assert!(heard.verify(&webhook.secret.0).is_err());
    assert_eq!(look(&stack, &webhook).await.old_secret_until, None);
    jobs_repo::forget(&mut stack.pool.acquire().await.unwrap()).await.unwrap();
    assert_eq!(stack.count("SELECT count(*) FROM jobs.webhooks WHERE old_secret IS NOT NULL").await, 0);
    stack.remove().await;
}

#[tokio::test]
async fn a_webhook_that_is_just_being_deleted_does_not_hold_a_job_back() {
    let Some(stack) = Stack::start().await else { return };
    let receiver = Receiver::start().await;
    let webhook = make(&stack, &receiver.url).await;
    let mut transaction = stack.pool.begin().await.unwrap();
    sqlx::query("DELETE FROM jobs.webhooks").execute(&mut *transaction).await.unwrap();
    let id = stack.make(&job("ends")).await;
    let cancel = format!("/v1/jobs/{id}/cancel");
    let ending = stack.post(&cancel, &Value::Null);
    let deleting = async {
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        for _ in 0..600 {
            if stack.count(waiting).await > 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(stack.count(waiting).await, 1, "the job's end waits for the deletion");
        transaction.commit().await.unwrap();
    };
    let ((status, answer), ()) = tokio::join!(ending, deleting);
    assert_eq!((status, answer["state"].as_str()), (StatusCode::OK, Some("cancelled")), "{answer}");
    assert_eq!(stack.count("SELECT count(*) FROM jobs.webhook_deliveries").await, 0);
    assert_eq!(stack.get(&path(&webhook)).await.0, StatusCode::NOT_FOUND);
    stack.remove().await;
}
