//! Following a job: a progress bar on a terminal, a line a change elsewhere.

use contracts::{
    ids::JobId,
    job::{Job, JobState, Stage},
};
use indicatif::{ProgressBar, ProgressStyle};
use service_kit::client::{CallError, ServiceClient};
use std::{process::ExitCode, time::Duration};

const STEPS: u64 = 1000;
/// A gateway that restarts is waited for; after this many failed looks in a row it is given up.
const PATIENCE: u32 = 60;

/// Follows a job until it ends: status 0 if it succeeded, 1 otherwise. Survives a gateway that is away for half a minute.
pub async fn watch(client: &ServiceClient, id: JobId) -> anyhow::Result<ExitCode> {
    let bar = ProgressBar::new(STEPS);
    if let Ok(style) = ProgressStyle::with_template("{prefix:>12} [{bar:40}] {percent:>3} % {msg}") {
        bar.set_style(style.progress_chars("=> "));
    }
    let (mut failures, mut last_line) = (0, String::new());
    loop {
        match client.get::<Job>(&format!("/v1/jobs/{id}")).await {
            Ok(Some(job)) => {
                failures = 0;
                if job.state.is_final() {
                    bar.finish_and_clear();
                    return Ok(finish(&job));
                }
                show(&bar, &job, &mut last_line);
            }
            Ok(None) => anyhow::bail!("there is no job {id}"),
            Err(error @ CallError::Problem(_)) => return Err(error.into()),
            Err(error) => {
                failures += 1;
                if failures >= PATIENCE {
                    return Err(error.into());
                }
                bar.set_message("the gateway does not answer; trying again");
            }
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

fn show(bar: &ProgressBar, job: &Job, last_line: &mut String) {
    let stage = job.progress.as_ref().map_or(job.state.as_str(), |progress| stage_name(progress.stage));
    let mut message = String::new();
    let mut fraction = 0.0;
    if let Some(progress) = &job.progress {
        fraction = progress.fraction;
        if progress.frames_total > 0 {
            message = format!("{}/{} frames", progress.frames_done, progress.frames_total);
        }
        if let Some(speed) = progress.speed {
            message.push_str(&format!(", {speed:.1}x"));
        }
        if let Some(left) = progress.seconds_left {
            message.push_str(&format!(", {left:.0} s left"));
        }
    }
    if bar.is_hidden() {
        let line = match &job.progress {
            Some(_) => format!("{stage} {:.0} %", (fraction * 10.0).floor() * 10.0),
            None => stage.to_owned(),
        };
        if line != *last_line {
            eprintln!("{line}  {message}");
            *last_line = line;
        }
    } else {
        bar.set_prefix(stage);
        bar.set_message(message);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
        bar.set_position((fraction.clamp(0.0, 1.0) * STEPS as f64) as u64);
    }
}

fn stage_name(stage: Stage) -> &'static str {
    match stage {
        Stage::Fetching => "fetching",
        Stage::Planning => "planning",
        Stage::Rendering => "rendering",
        Stage::Verifying => "verifying",
        Stage::Transcribing => "transcribing",
        Stage::Publishing => "publishing",
    }
}

fn finish(job: &Job) -> ExitCode {
    if job.state == JobState::Succeeded {
        eprintln!("succeeded after {} of {} attempts", job.attempts.len(), job.max_attempts);
        if let Some(result) = &job.result {
            println!("{}", result.montage_id);
        }
        return ExitCode::SUCCESS;
    }
    eprintln!(
        "the job ended as {} after {} of {} attempts",
        job.state.as_str(),
        job.attempts.len(),
        job.max_attempts
    );
    if let Some(failure) = &job.failure {
        let place = failure.pointer.as_deref().map(|pointer| format!("{pointer}: ")).unwrap_or_default();
        eprintln!("{place}{} ({})", failure.message, failure.code);
    }
    ExitCode::FAILURE
}
