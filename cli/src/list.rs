//! Lists for people: one line each, newest first.

use contracts::{job::JobPage, montage::MontagePage};
use reqwest::Url;
use service_kit::env::Env;
use std::process::ExitCode;

use crate::{api, submit::get};

/// What can be listed.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum What {
    /// The library
    Montages,
    /// Jobs of all states
    Jobs,
}

/// Prints the newest montages or jobs.
pub async fn list(
    env: &Env,
    what: What,
    search: Option<&str>,
    state: Option<&str>,
    limit: u32,
) -> anyhow::Result<ExitCode> {
    let client = api::client(env)?;
    let limit = limit.to_string();
    let mut query = vec![("limit", limit.as_str())];
    query.extend(search.map(|words| ("q", words)));
    query.extend(state.map(|state| ("state", state)));
    // The host is not used: only the query is built here.
    let built = Url::parse_with_params("http://gateway/", &query)?;
    let query = built.query().unwrap_or_default();
    match what {
        What::Montages => {
            let page: Option<MontagePage> = get(&client, env, &format!("/v1/montages?{query}")).await?;
            for montage in page.map(|page| page.items).unwrap_or_default() {
                let when = montage.created_at.format("%Y-%m-%d %H:%M");
                println!("{}  {when}  {:>7.1} s  {}", montage.id, montage.duration, montage.title);
            }
        }
        What::Jobs => {
            let page: Option<JobPage> = get(&client, env, &format!("/v1/jobs?{query}")).await?;
            for job in page.map(|page| page.items).unwrap_or_default() {
                let when = job.created_at.format("%Y-%m-%d %H:%M");
                println!("{}  {when}  {:<9}  {}", job.id, job.state.as_str(), job.title);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
