//! `doctor`: checks each thing that is needed and says how to fix what is missing.

use secrecy::ExposeSecret;
use service_kit::{db::DatabaseConfig, env::Env};
use sqlx::{Connection, PgConnection};
use std::{path::PathBuf, process::ExitCode, time::Duration};

use crate::api;

/// Longest wait for one part.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a check found: a remark, or what is wrong and how to fix it.
type Finding = Result<String, Advice>;

struct Advice {
    wrong: String,
    fix: String,
}

fn advice(wrong: impl Into<String>, fix: impl Into<String>) -> Advice {
    Advice { wrong: wrong.into(), fix: fix.into() }
}

/// Runs every check: status 0 if all is well.
pub async fn doctor(env: &Env) -> ExitCode {
    let checks = [
        ("database", database(env).await),
        ("hints", hints(env).await),
        ("object store", object_store(env).await),
        ("render worker", render_worker(env)),
        ("speech models", models(env)),
        ("media directories", media_directories(env)),
        ("gateway", gateway(env).await),
    ];
    let mut code = ExitCode::SUCCESS;
    for (name, finding) in checks {
        match finding {
            Ok(remark) => println!("  ok    {name:<18} {remark}"),
            Err(advice) => {
                println!("  FAIL  {name:<18} {}\n        {:<18} fix: {}", advice.wrong, "", advice.fix);
                code = ExitCode::FAILURE;
            }
        }
    }
    code
}

async fn database(env: &Env) -> Finding {
    const FIX: &str = "start PostgreSQL 15 or later and name it in SM_DATABASE_URL; on one machine: deployment/local/postgres.sh start";
    let config = DatabaseConfig::from_env(env).map_err(|error| advice(error.to_string(), FIX))?;
    let connect = PgConnection::connect(config.url.expose_secret());
    let mut connection = match tokio::time::timeout(PATIENCE, connect).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(sqlx::Error::Database(error))) => return Err(advice(error.message().to_owned(), FIX)),
        Ok(Err(_)) | Err(_) => return Err(advice("it does not answer", FIX)),
    };
    let facts: Result<(String, bool), _> =
        sqlx::query_as("select current_setting('server_version'), to_regclass('jobs.jobs') is not null and to_regclass('montages.montages') is not null")
            .fetch_one(&mut connection)
            .await;
    match facts {
        Ok((version, true)) => Ok(format!("PostgreSQL {version}, migrated")),
        Ok((_, false)) => {
            Err(advice("its schemas are missing", "run `migrate`, or `stream-montages up`, which does it"))
        }
        Err(error) => Err(advice(error.to_string(), FIX)),
    }
}

async fn hints(env: &Env) -> Finding {
    const FIX: &str = "start Kafka and name it in SM_KAFKA_BROKERS (on one machine: deployment/local/kafka.sh start), or set SM_HINTS=postgres";
    match (env.get("SM_HINTS").unwrap_or("kafka"), env.get("SM_KAFKA_BROKERS")) {
        ("postgres", _) => Ok("by PostgreSQL".to_owned()),
        ("kafka", Some(brokers)) => {
            let topic = env.get("SM_KAFKA_TOPIC").unwrap_or(contracts::hint::DEFAULT_TOPIC);
            match migrations::count_partitions(brokers, topic).await {
                Ok(Some(partitions)) => Ok(format!("by Kafka, topic {topic} with {partitions} partitions")),
                Ok(None) => Err(advice(
                    format!("topic {topic} does not exist"),
                    "run `migrate`, or `stream-montages up`, which does it",
                )),
                Err(error) => Err(advice(error.to_string(), FIX)),
            }
        }
        ("kafka", None) => Err(advice("SM_KAFKA_BROKERS is not set", FIX)),
        (other, _) => Err(advice(format!("SM_HINTS={other} is neither kafka nor postgres"), FIX)),
    }
}

async fn object_store(env: &Env) -> Finding {
    const FIX: &str =
        "set SM_OBJECT_STORE to file:/a/directory/that/can/be/written or s3://bucket/prefix with SM_S3_…";
    let lookup = |name: &str| env.lookup(name);
    let config = fetch::StoreConfig::from_lookup(&lookup).map_err(|error| advice(error.to_string(), FIX))?;
    let store = fetch::Store::open(&config).map_err(|error| advice(error.to_string(), FIX))?;
    match tokio::time::timeout(PATIENCE, store.check()).await {
        Ok(Ok(())) => Ok(env.get("SM_OBJECT_STORE").unwrap_or_default().to_owned()),
        Ok(Err(error)) => Err(advice(error.to_string(), FIX)),
        Err(_) => Err(advice("it does not answer", FIX)),
    }
}

fn render_worker(env: &Env) -> Finding {
    let beside = || std::env::current_exe().ok()?.parent().map(|directory| directory.join("render-worker"));
    let path = env.get("SM_RENDER_WORKER").map(PathBuf::from).or_else(beside).unwrap_or_default();
    if path.is_file() {
        return Ok(path.display().to_string());
    }
    Err(advice(
        format!("{} is not there", path.display()),
        "put the program `render-worker` beside this one, or name it in SM_RENDER_WORKER",
    ))
}

fn models(env: &Env) -> Finding {
    let models_dir = PathBuf::from(env.get("SM_MODELS_DIR").unwrap_or(".local/models"));
    let config = transcribe::EngineConfig::Local(transcribe::LocalConfig {
        models_dir: models_dir.clone(),
        threads: 1,
    });
    match transcribe::Transcriber::new(config).and_then(|transcriber| transcriber.check()) {
        Ok(()) => Ok(models_dir.display().to_string()),
        Err(error) => Err(advice(
            error.to_string(),
            "run deployment/local/models.sh, or name the directory in SM_MODELS_DIR",
        )),
    }
}

fn media_directories(env: &Env) -> Finding {
    let lookup = |name: &str| env.lookup(name);
    let config = fetch::FetchConfig::from_lookup(&lookup)
        .map_err(|error| advice(error.to_string(), "correct the setting"))?;
    for directory in &config.media_dirs {
        if !directory.path.is_dir() {
            let wrong = format!("{} is not a directory", directory.path.display());
            return Err(advice(wrong, "correct SM_MEDIA_DIRS, or make the directory"));
        }
    }
    Ok(match config.media_dirs.len() {
        0 => "none; sources are links and uploads only".to_owned(),
        count => format!("{count}"),
    })
}

async fn gateway(env: &Env) -> Finding {
    let url = api::gateway_url(env);
    let fix = "start it: `stream-montages up` starts everything; or name it in SM_GATEWAY_URL";
    let client = service_kit::client::http_client(Some(PATIENCE))
        .map_err(|error| advice(error.to_string(), "install ca-certificates"))?;
    match client.get(format!("{url}/readyz")).send().await {
        Ok(response) if response.status().is_success() => Ok(format!("{url}, ready")),
        Ok(response) => Err(advice(format!("{url} answers {}", response.status()), "look at its log")),
        Err(_) => Err(advice(format!("nothing answers at {url}"), fix)),
    }
}
