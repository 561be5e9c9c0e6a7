//! Migrating and preparing the topic, by many at once and again. Needs PostgreSQL and Kafka.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use migrations::{MigrateError, TopicOutcome, count_partitions, ensure_topic};
use service_kit::testing::Database;
use sqlx::{Connection, PgConnection};

#[tokio::test]
async fn ten_at_once_migrate_once() {
    let Some(database) = Database::create().await else { return };
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let url = database.url().to_owned();
        tasks.spawn(async move { migrations::run(&url).await.unwrap().applied });
    }
    let reports = tasks.join_all().await;
    let working: Vec<_> = reports.iter().filter(|applied| !applied.is_empty()).collect();
    assert_eq!(working.len(), 1, "one process migrated and nine found it done");
    for schema in ["jobs", "montages"] {
        assert!(working[0].iter().any(|applied| applied.schema == schema), "{schema} was migrated");
    }

    // What was applied and has changed since is refused, with its name, before anything is done.
    let mut connection = PgConnection::connect(database.url()).await.unwrap();
    sqlx::query("UPDATE jobs.migrations SET checksum = '1' WHERE version = 1")
        .execute(&mut connection)
        .await
        .unwrap();
    let error = migrations::run(database.url()).await.unwrap_err();
    assert!(matches!(error, MigrateError::Migration { schema: "jobs", .. }), "{error:?}");
    assert!(error.to_string().contains("V1__jobs"), "{error}");
    connection.close().await.unwrap();
    database.remove().await;
}

#[tokio::test]
async fn the_topic_is_created_found_and_grown() {
    let Ok(brokers) = std::env::var("SM_TEST_KAFKA_BROKERS") else {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "SM_TEST_KAFKA_BROKERS is not set");
        eprintln!("skipped: SM_TEST_KAFKA_BROKERS is not set; `make test` sets it");
        return;
    };
    let topic = format!("test-{}", uuid::Uuid::now_v7());
    assert_eq!(count_partitions(&brokers, &topic).await.unwrap(), None);
    let mut seen = Vec::new();
    for partitions in [3, 3, 5, 4] {
        let report = ensure_topic(&brokers, &topic, partitions).await.unwrap();
        seen.push((report.partitions, report.outcome));
    }
    assert_eq!(
        seen,
        [
            (3, TopicOutcome::Created),
            (3, TopicOutcome::Found),
            (5, TopicOutcome::Grown { from: 3 }),
            (5, TopicOutcome::Larger)
        ]
    );
    assert_eq!(count_partitions(&brokers, &topic).await.unwrap(), Some(5));
    assert!(ensure_topic(&brokers, &topic, 0).await.is_err());
}

#[tokio::test]
async fn a_broker_that_is_not_there_is_named() {
    // A port that was free a moment ago, and that nobody listens on.
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = ensure_topic(&address.to_string(), "test", 1).await.unwrap_err();
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}
