//! Importing highlights from wherever they are: what a schedule does, at once and by hand.
//!
//! Promises: nothing is posted before everything was read; an import that was cut off is mended by the same command. Jobs go to standard
//! output as a table or as JSON, rows that were skipped and what went wrong to standard error. Status 0 where every job was posted or
//! known, 1 otherwise.

mod dynamodb;
mod report;

use chrono::{NaiveDate, Utc};
use clap::{Args, Subcommand};
use contracts::problem::FieldError;
use highlights::{
    definition,
    import::Import,
    run::{self, RunError},
};
use serde_json::{Value, json};
use service_kit::{env::Env, telemetry};
use std::{path::PathBuf, process::ExitCode};

use crate::{api, submit::read_json};

/// Where highlights are imported from.
#[derive(Subcommand)]
pub enum From {
    /// Import from two tables in DynamoDB, with the AWS credentials of this terminal
    ///
    /// One table says who streams, the other what the best moments of each stream were: an item for each streamer and date, with a video's id
    /// and a list like [{"Timestamp": "1:02:03", "Score": 0.9}].
    ///
    /// The key of a job is made of the import's name, its days, the montage and the streamer. So the same name and days make no job a second
    /// time, however often they are imported; the gateway remembers that for forty days, for each API key.
    Dynamodb(Box<dynamodb::Flags>),
    /// Import what a definition says, from any source (a JSON file, or - for standard input)
    ///
    /// The definition is an object with `name`, `source`, `window`, `montages`, `template` and `time_zone`, in the form that a schedule has them.
    ///
    /// The key of a job is made of the import's name, its days, the montage and the streamer. So the same name and days make no job a second
    /// time, however often they are imported; the gateway remembers that for forty days, for each API key. A definition without a window
    /// makes new jobs each time.
    File {
        /// The definition
        file: PathBuf,
        #[command(flatten)]
        days: Days,
        #[command(flatten)]
        output: Output,
    },
}

/// Which days are asked for.
#[derive(Args)]
pub struct Days {
    /// So many whole days before today
    #[arg(long, value_name = "N", conflicts_with_all = ["from", "to"])]
    days: Option<u16>,
    /// From this day, like 2026-11-16
    #[arg(long, value_name = "DAY", requires = "to", value_parser = day)]
    from: Option<NaiveDate>,
    /// To this day, included
    #[arg(long, value_name = "DAY", requires = "from", value_parser = day)]
    to: Option<NaiveDate>,
}

/// What is done with the jobs, and how it is told.
#[derive(Args)]
pub struct Output {
    /// Read and plan, but post nothing
    #[arg(long)]
    dry_run: bool,
    /// Print what was done as JSON; with --dry-run the jobs as they would be posted
    #[arg(long)]
    json: bool,
}

impl Days {
    /// The window, if there are any.
    fn window(&self) -> Option<Value> {
        match (self.days, self.from, self.to) {
            (Some(days), _, _) => Some(json!({ "last_days": days })),
            (None, Some(from), Some(to)) => Some(json!({ "from": from, "to": to })),
            _ => None,
        }
    }
}

fn day(text: &str) -> Result<NaiveDate, &'static str> {
    text.parse().map_err(|_| "expected a day like 2026-11-22")
}

/// Imports.
pub async fn import(env: &Env, from: From) -> anyhow::Result<ExitCode> {
    // Why something is tried again is told while it is.
    telemetry::init("stream-montages", &env.with([("SM_LOG", Some(log(env)))])?)?;
    match from {
        From::Dynamodb(flags) => {
            let definition = flags.definition()?;
            done(&flags.env(env)?, &definition, &dynamodb::flag, &flags.output).await
        }
        From::File { file, days, output } => {
            let mut definition = read_json(&file)?;
            if let (Some(window), Some(fields)) = (days.window(), definition.as_object_mut()) {
                fields.insert("window".to_owned(), window);
            }
            done(env, &definition, &str::to_owned, &output).await
        }
    }
}

fn log(env: &Env) -> String {
    env.get("SM_LOG").unwrap_or("off,highlights=warn").to_owned()
}

async fn done(
    env: &Env,
    definition: &Value,
    place: &dyn Fn(&str) -> String,
    output: &Output,
) -> anyhow::Result<ExitCode> {
    let import: Import = match definition::decode(definition) {
        Ok(import) => import,
        Err(mistakes) => {
            eprintln!("this cannot be imported:");
            for FieldError { pointer, detail } in mistakes {
                eprintln!("  {}  {detail}", place(&pointer));
            }
            return Ok(ExitCode::FAILURE);
        }
    };
    let (client, ways) = (api::client(env)?, run::own_ways(env)?);
    let now = Utc::now();
    let window = import.window_at(now);
    let prepared = run::prepare(&import, window, now, &ways, None).await?;
    if output.dry_run {
        if output.json {
            let jobs = prepared.planned.iter().map(|job| {
                let body: Value = serde_json::from_str(&job.body)?;
                Ok(json!({ "idempotency_key": job.key, "job": body }))
            });
            println!("{}", serde_json::to_string_pretty(&jobs.collect::<serde_json::Result<Vec<Value>>>()?)?);
        } else {
            report::print(&prepared.summary());
            println!("A dry run: nothing was posted.");
        }
        return Ok(ExitCode::SUCCESS);
    }
    let (summary, given_up) = match prepared.post(&client, None).await {
        Ok(summary) => (summary, None),
        Err(RunError::GivenUp { reason, done }) => (*done, Some(reason)),
        Err(error) => return Err(error.into()),
    };
    if output.json {
        println!("{}", serde_json::to_string_pretty(&summary)?);
    } else {
        report::print(&summary);
    }
    if let Some(reason) = given_up {
        eprintln!(
            "{} of {} jobs were not posted to {} (SM_GATEWAY_URL): {reason}. Import the same days again: no job is made twice.",
            summary.waiting,
            summary.jobs.len(),
            api::gateway_url(env)
        );
    }
    Ok(if summary.refused + summary.waiting == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
