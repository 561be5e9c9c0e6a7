//! The statements follow the rule: random steps are taken on both and compared. Needs PostgreSQL.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use chrono::{DateTime, TimeDelta, Utc};
use lease::state::Lease;
use proptest::{prelude::*, test_runner::TestRunner};
use service_kit::testing::Database;
use sqlx::{Connection, PgConnection};
use std::time::Duration;
use uuid::Uuid;

#[derive(Debug, Clone, Copy)]
enum Step {
    Acquire { owner: u128 },
    Renew { owner: u128, age: i64 },
    Release { owner: u128, age: i64 },
    Check { owner: u128, age: i64 },
    Expire,
    Wait { hours: i64 },
}

fn step() -> impl Strategy<Value = Step> {
    let claim = || (1..3u128, 0..3i64);
    prop_oneof![
        (1..3u128).prop_map(|owner| Step::Acquire { owner }),
        claim().prop_map(|(owner, age)| Step::Renew { owner, age }),
        claim().prop_map(|(owner, age)| Step::Release { owner, age }),
        claim().prop_map(|(owner, age)| Step::Check { owner, age }),
        Just(Step::Expire),
        (1..4i64).prop_map(|hours| Step::Wait { hours }),
    ]
}

/// Hours, so that the time that the test itself takes never matters.
const TTL: Duration = Duration::from_secs(3 * 3600);

async fn compare(connection: &mut PgConnection, steps: Vec<Step>) {
    let subject = format!("test:{}", Uuid::now_v7());
    let ttl = TimeDelta::from_std(TTL).unwrap();
    let mut now = DateTime::<Utc>::UNIX_EPOCH;
    let mut model = Lease::default();
    for step in steps {
        match step {
            Step::Acquire { owner } => {
                let owner = Uuid::from_u128(owner);
                let grant = lease::acquire(connection, &subject, owner, TTL).await.unwrap();
                let expected = model.acquire(owner, now, ttl).ok();
                assert_eq!(grant.map(|grant| grant.fence), expected.map(|lease| lease.fence));
                model = expected.unwrap_or(model);
            }
            Step::Renew { owner, age } => {
                let (owner, fence) = (Uuid::from_u128(owner), model.fence - age);
                let renewed = lease::renew(connection, &subject, owner, fence, TTL, None).await.unwrap();
                let expected = model.renew(owner, fence, now, ttl);
                assert_eq!(renewed.is_some(), expected.is_ok());
                model = expected.unwrap_or(model);
            }
            Step::Release { owner, age } => {
                let (owner, fence) = (Uuid::from_u128(owner), model.fence - age);
                let released = lease::release(connection, &subject, owner, fence).await.unwrap();
                let expected = model.release(owner, fence, now);
                assert_eq!(released, expected.is_ok());
                model = expected.unwrap_or(model);
            }
            Step::Check { owner, age } => {
                let (owner, fence) = (Uuid::from_u128(owner), model.fence - age);
                let expected = model.check(owner, fence, now).is_ok();
                assert_eq!(lease::check(connection, &subject, owner, fence).await.unwrap(), expected);
                assert_eq!(lease::hold(connection, &subject, owner, fence).await.unwrap(), expected);
            }
            Step::Expire => {
                let fence = lease::expire(connection, &subject).await.unwrap();
                let expected = model.expire(now).ok();
                assert_eq!(fence, expected.map(|lease| lease.fence));
                model = expected.unwrap_or(model);
            }
            Step::Wait { hours } => {
                now += TimeDelta::hours(hours);
                // The database's clock cannot be moved, so the expiry is.
                sqlx::query("UPDATE jobs.leases SET expires_at = expires_at - make_interval(hours => $2) WHERE subject = $1")
                    .bind(&subject)
                    .bind(i32::try_from(hours).unwrap())
                    .execute(&mut *connection)
                    .await
                    .unwrap();
            }
        }
    }
}

#[test]
fn the_statements_follow_the_rule() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let Some(database) = runtime.block_on(Database::create()) else { return };
    runtime.block_on(migrations::run(database.url())).unwrap();
    let mut runner =
        TestRunner::new(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() });
    let result = runner.run(&prop::collection::vec(step(), 1..40), |steps| {
        runtime.block_on(async {
            let mut connection = PgConnection::connect(database.url()).await.unwrap();
            compare(&mut connection, steps).await;
            connection.close().await.unwrap();
        });
        Ok(())
    });
    runtime.block_on(database.remove());
    result.unwrap();
}

#[test]
fn of_many_at_once_one_gets_it_and_a_limit_bounds_it() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let Some(database) = Database::create().await else { return };
        migrations::run(database.url()).await.unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        for number in 1..=16u128 {
            let url = database.url().to_owned();
            tasks.spawn(async move {
                let mut connection = PgConnection::connect(&url).await.unwrap();
                let owner = Uuid::from_u128(number);
                lease::acquire(&mut connection, "test:race", owner, TTL)
                    .await
                    .unwrap()
                    .map(|grant| (owner, grant))
            });
        }
        let winners: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
        let [(owner, grant)] = winners.as_slice() else { panic!("{} winners", winners.len()) };
        assert_eq!(grant.fence, 1);

        let mut connection = PgConnection::connect(database.url()).await.unwrap();
        let limit = grant.expires_at - TimeDelta::hours(1);
        let until = lease::renew(&mut connection, "test:race", *owner, 1, TTL, Some(limit)).await.unwrap();
        assert_eq!(until, Some(limit));
        connection.close().await.unwrap();
        database.remove().await;
    });
}
