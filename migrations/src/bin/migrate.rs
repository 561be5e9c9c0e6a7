//! `migrate`: prepares the database (`SM_DATABASE_URL`) and, unless `SM_HINTS=postgres`, the Kafka topic
//! (`SM_KAFKA_BROKERS`, `SM_KAFKA_TOPIC`, `SM_KAFKA_PARTITIONS`). Prints what it did.
//!
//! Exit status 0 when both are ready, 1 with the reason when something could not be done.

use anyhow::Context;
use contracts::hint::{DEFAULT_PARTITIONS, DEFAULT_TOPIC};
use secrecy::ExposeSecret;
use service_kit::{env::Env, telemetry};
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    match migrate().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("migrate: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn migrate() -> anyhow::Result<()> {
    let env = Env::from_process()?;
    telemetry::init("migrate", &env)?;
    let report = migrations::run(env.required_secret("SM_DATABASE_URL")?.expose_secret()).await?;
    for applied in &report.applied {
        println!("schema {}: applied {}", applied.schema, applied.name);
    }
    if report.applied.is_empty() {
        println!("database: up to date");
    }
    match env.get("SM_HINTS").unwrap_or("kafka") {
        "postgres" => println!("topic: not needed, hints travel through the database"),
        "kafka" => {
            let brokers = env.required("SM_KAFKA_BROKERS").context("or set SM_HINTS=postgres")?;
            let topic = env.get("SM_KAFKA_TOPIC").unwrap_or(DEFAULT_TOPIC);
            let partitions = env.parse("SM_KAFKA_PARTITIONS", DEFAULT_PARTITIONS)?;
            println!("{}", migrations::ensure_topic(brokers, topic, partitions).await?);
        }
        other => anyhow::bail!("SM_HINTS={other}: it is kafka or postgres"),
    }
    Ok(())
}
