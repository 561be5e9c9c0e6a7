//! Sending jobs and files.

use anyhow::Context;
use contracts::{job::Job, object::Upload, problem::Problem};
use reqwest::Method;
use serde_json::Value;
use service_kit::{
    client::{CallError, ServiceClient},
    env::Env,
};
use std::{io::Read, path::Path, process::ExitCode};

use crate::{api, watch};

/// Sends the job in a file. Every mistake in it is printed with its place.
pub async fn submit(env: &Env, file: &Path, key: Option<&str>, follow: bool) -> anyhow::Result<ExitCode> {
    let body = read_json(file)?;
    let client = api::client(env)?;
    let Some(job) = post(env, &client, &body, key).await? else { return Ok(ExitCode::FAILURE) };
    println!("{}", job.id);
    if follow { watch::watch(&client, job.id).await } else { Ok(ExitCode::SUCCESS) }
}

/// Posts a job. `None` where it was refused, which has been said then.
pub async fn post(
    env: &Env,
    client: &ServiceClient,
    body: &Value,
    key: Option<&str>,
) -> anyhow::Result<Option<Job>> {
    let made_up = uuid_key();
    let key = key.unwrap_or(&made_up);
    let answer: Result<Option<Job>, CallError> =
        client.call(Method::POST, "/v1/jobs", Some(body), &[("idempotency-key", key)]).await;
    match answer {
        Ok(job) => Ok(Some(job.context("the gateway answered nothing")?)),
        Err(CallError::Problem(problem)) => {
            print_problem(&problem);
            Ok(None)
        }
        Err(error) => Err(with_advice(error, env)),
    }
}

/// Sends a file to use as a source, and prints its id.
pub async fn upload(env: &Env, file: &Path) -> anyhow::Result<ExitCode> {
    let upload = send(env, file).await?;
    println!("{}", upload.id);
    eprintln!("{} bytes; use it as {{\"upload\": \"{}\"}} in a source", upload.bytes, upload.id);
    Ok(ExitCode::SUCCESS)
}

/// Sends a file to use as a source.
pub async fn send(env: &Env, file: &Path) -> anyhow::Result<Upload> {
    let opened =
        tokio::fs::File::open(file).await.with_context(|| format!("{} cannot be read", file.display()))?;
    let bytes = opened.metadata().await?.len();
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    // Without the whole-call time-out of other calls: a file may take as long as it takes.
    let http = service_kit::client::http_client(None)?;
    let mut request = http
        .post(format!("{}/v1/uploads", api::gateway_url(env)))
        .query(&[("name", name)])
        .header("content-length", bytes)
        .body(reqwest::Body::wrap_stream(tokio_util::io::ReaderStream::new(opened)));
    if let Some(key) = env.secret("SM_API_KEY") {
        request = request.bearer_auth(secrecy::ExposeSecret::expose_secret(&key));
    }
    let response =
        request.send().await.map_err(reqwest::Error::without_url).context("The gateway does not answer")?;
    let status = response.status();
    let text = response.text().await?;
    anyhow::ensure!(
        status.is_success(),
        "{}",
        detail_of(&text).unwrap_or_else(|| format!("status {status}"))
    );
    Ok(serde_json::from_str(&text)?)
}

/// Says what was refused, with the place of every mistake.
pub fn print_problem(problem: &Problem) {
    eprintln!("{}: {}", problem.title, problem.detail.as_deref().unwrap_or(&problem.code));
    for error in &problem.errors {
        eprintln!("  {}  {}", error.pointer, error.detail);
    }
}

fn detail_of(text: &str) -> Option<String> {
    serde_json::from_str::<Value>(text).ok()?.get("detail")?.as_str().map(str::to_owned)
}

/// The JSON in a file, or in standard input for `-`.
pub fn read_json(file: &Path) -> anyhow::Result<Value> {
    let text = if file.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(file)
    };
    let text = text.with_context(|| format!("{} cannot be read", file.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not JSON", file.display()))
}

/// Without a key of the sender's own each run is a new job, but a retried call within the run is not.
fn uuid_key() -> String {
    contracts::ids::JobId::generate().to_string()
}

/// Adds what to do where the gateway is not there.
pub fn with_advice(error: CallError, env: &Env) -> anyhow::Error {
    match error {
        CallError::Unreachable { .. } => anyhow::Error::new(error).context(format!(
            "nothing answers at {} (SM_GATEWAY_URL); `stream-montages up` starts everything",
            api::gateway_url(env)
        )),
        error => error.into(),
    }
}

/// For the other commands.
pub async fn get<T: serde::de::DeserializeOwned>(
    client: &ServiceClient,
    env: &Env,
    path: &str,
) -> anyhow::Result<Option<T>> {
    client.get(path).await.map_err(|error| with_advice(error, env))
}
