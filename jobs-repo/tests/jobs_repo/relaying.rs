//! The outbox: what is sent, what is kept, and a broker that is not there.

use contracts::hint::{Hint, JOB_AVAILABLE, POSTGRES_CHANNEL, SOURCE};
use jobs_repo::HintsConfig;
use rdkafka::{
    ClientConfig, Message,
    consumer::{Consumer, StreamConsumer},
    message::Headers,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::postgres::PgListener;
use std::{collections::BTreeSet, time::Duration};
use uuid::Uuid;

use crate::harness::{Stack, job};

const UNSENT: &str = "SELECT count(*) FROM jobs.outbox WHERE sent_at IS NULL";

async fn until_sent(stack: &Stack) {
    for _ in 0..600 {
        if stack.count(UNSENT).await == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{} hints are not sent", stack.count(UNSENT).await);
}

#[tokio::test]
async fn hints_travel_through_the_database() {
    let Some(stack) = Stack::start().await else { return };
    let mut listener = PgListener::connect(stack.database.url()).await.unwrap();
    listener.listen(POSTGRES_CHANNEL).await.unwrap();
    let id = stack.make(&job("one")).await;
    let hint: Hint = serde_json::from_str(listener.recv().await.unwrap().payload()).unwrap();
    assert_eq!(hint.job_id.0, id);
    until_sent(&stack).await;

    // Whatever makes it claimable again is a new hint.
    let claimed = stack.claim(Uuid::new_v4()).await;
    stack.post(&claimed.path("release"), &claimed.proof()).await;
    let hint: Hint = serde_json::from_str(listener.recv().await.unwrap().payload()).unwrap();
    assert_eq!(hint.job_id.0, id);

    // What is not due is not sent.
    let mut later = job("later");
    later["run_at"] = json!("2999-01-01T00:00:00Z");
    stack.make(&later).await;
    stack.make(&job("two")).await;
    listener.recv().await.unwrap();
    for _ in 0..600 {
        if stack.count(UNSENT).await == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(
        stack.count("SELECT count(*) FROM jobs.outbox WHERE sent_at IS NULL AND available_at > now()").await,
        1
    );
    drop(listener);
    stack.remove().await;
}

#[tokio::test]
async fn kafka_gets_exactly_the_unsent_and_a_missing_broker_disturbs_nothing() {
    let Ok(brokers) = std::env::var("SM_TEST_KAFKA_BROKERS") else {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "SM_TEST_KAFKA_BROKERS is not set");
        eprintln!("skipped: SM_TEST_KAFKA_BROKERS is not set; `make test` sets it");
        return;
    };
    let topic = format!("test-{}", Uuid::now_v7());
    migrations::ensure_topic(&brokers, &topic, 3).await.unwrap();

    // A port that was free a moment ago, and that nobody listens on.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let away = HintsConfig::Kafka { brokers: nobody, topic: topic.clone() };
    let Some(stack) = Stack::start_with(away).await else { return };
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let (status, first) =
        stack.send(Method::POST, "/v1/jobs", Some(&job("first")), &[("traceparent", trace)]).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let first: Uuid = serde_json::from_value(first["id"].clone()).unwrap();
    let batch: Vec<Value> = (0..30).map(|number| job(&format!("job {number}"))).collect();
    assert_eq!(stack.post("/v1/jobs", &json!(batch)).await.0, StatusCode::ACCEPTED);
    // Work goes on without hints.
    let claimed = stack.claim(Uuid::new_v4()).await;
    assert_eq!(
        stack.post(&claimed.path("complete"), &claimed.completion(Uuid::now_v7())).await.0,
        StatusCode::NO_CONTENT
    );
    assert_eq!(stack.count(UNSENT).await, 31);

    // Five were sent in an earlier life; the others go out when the broker is there, once, by two replicas together.
    sqlx::query("UPDATE jobs.outbox SET sent_at = now() WHERE id IN (SELECT id FROM jobs.outbox ORDER BY id DESC LIMIT 5)")
        .execute(&stack.pool)
        .await
        .unwrap();
    let unsent: Vec<Uuid> = sqlx::query_scalar("SELECT job_id FROM jobs.outbox WHERE sent_at IS NULL")
        .fetch_all(&stack.pool)
        .await
        .unwrap();
    let database = stack.stop().await;
    let here = HintsConfig::Kafka { brokers: brokers.clone(), topic: topic.clone() };
    let replica = jobs_repo::start(crate::harness::config(database.url(), here.clone()), Default::default())
        .await
        .unwrap();
    let stack = Stack::start_on(database, here).await;
    until_sent(&stack).await;
    let last = stack.make(&job("last")).await;
    until_sent(&stack).await;

    let consumer: StreamConsumer = ClientConfig::new()
        .set("bootstrap.servers", &brokers)
        .set("group.id", &topic)
        .set("auto.offset.reset", "earliest")
        .create()
        .unwrap();
    consumer.subscribe(&[&topic]).unwrap();
    let mut received = Vec::new();
    while received.len() < 27 {
        let message = tokio::time::timeout(Duration::from_secs(60), consumer.recv()).await.unwrap().unwrap();
        let payload = message.payload().unwrap();
        assert!(payload.len() < 1024);
        let hint: Hint = serde_json::from_slice(payload).unwrap();
        assert_eq!(message.key().unwrap(), hint.job_id.to_string().as_bytes());
        let headers = message.headers().unwrap();
        let header = |name: &str| {
            let found = headers.iter().find(|header| header.key == name);
            found.and_then(|header| header.value).map(|value| String::from_utf8(value.to_vec()).unwrap())
        };
        assert_eq!(header("ce_specversion").as_deref(), Some("1.0"));
        assert_eq!(header("ce_type").as_deref(), Some(JOB_AVAILABLE));
        assert_eq!(header("ce_source").as_deref(), Some(SOURCE));
        assert!(header("ce_id").is_some() && header("ce_time").is_some());
        assert_eq!(header("traceparent").as_deref(), (hint.job_id.0 == first).then_some(trace));
        received.push(hint.job_id.0);
    }
    let expected: BTreeSet<Uuid> = unsent.into_iter().chain([last]).collect();
    assert_eq!(received.iter().copied().collect::<BTreeSet<Uuid>>(), expected);
    assert_eq!(received.len(), expected.len(), "each once");
    drop(consumer);
    replica.done.abort();
    stack.remove().await;
}
