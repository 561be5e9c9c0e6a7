//! Videos of osu! replays: files are uploaded, the job is posted and watched, and what was played is told.

use anyhow::Context;
use contracts::{
    ids::{JobId, UploadId},
    job::Job,
    montage::Montage,
    replay::{REPLAY_FAILURES, ReplayReport},
};
use serde_json::{Value, json};
use service_kit::{client::ServiceClient, env::Env};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use crate::{api, submit, watch};

/// What is made into a video.
#[derive(Debug, clap::Args)]
pub struct Wish {
    /// The replay (.osr): a file, a link, an upload's id, or name:path below a media directory
    replay: String,
    /// The map that was played: its .osz, or the .osu alone
    #[arg(long)]
    map: String,
    /// The song, where the map is an .osu alone
    #[arg(long)]
    audio: Option<String>,
    /// A skin (.osk)
    #[arg(long)]
    skin: Option<String>,
    /// A JSON file with the options, as the job's spec has them
    #[arg(long)]
    options: Option<PathBuf>,
    /// The video's title
    #[arg(long)]
    title: Option<String>,
    /// Only post the job and print its id
    #[arg(long)]
    no_watch: bool,
}

/// Makes a video; prints the job's id, then the montage's, and tells on standard error what was played.
pub async fn replay(env: &Env, wish: &Wish) -> anyhow::Result<ExitCode> {
    let mut spec = json!({});
    let files = [
        ("replay", Some(&wish.replay)),
        ("map", Some(&wish.map)),
        ("audio", wish.audio.as_ref()),
        ("skin", wish.skin.as_ref()),
    ];
    for (name, given) in files {
        if let Some(given) = given {
            spec[name] = source(env, given).await?;
        }
    }
    if let Some(file) = &wish.options {
        spec["options"] = submit::read_json(file)?;
    }
    let title = wish.title.clone().or_else(|| title_of(&wish.replay));
    let body = json!({ "kind": "replay", "title": title, "spec": spec });
    let client = api::client(env)?;
    let Some(job) = submit::post(env, &client, &body, None).await? else { return Ok(ExitCode::FAILURE) };
    println!("{}", job.id);
    if wish.no_watch {
        return Ok(ExitCode::SUCCESS);
    }
    let code = watch::watch(&client, job.id).await?;
    tell(&client, job.id).await?;
    Ok(code)
}

/// What stands in the spec for what was given. A file that is here is sent.
async fn source(env: &Env, given: &str) -> anyhow::Result<Value> {
    if given.starts_with("http://") || given.starts_with("https://") {
        return Ok(json!({ "url": given }));
    }
    let path = Path::new(given);
    if path.is_file() {
        let upload = submit::send(env, path).await.with_context(|| format!("sending {given}"))?;
        return Ok(json!({ "upload": upload.id }));
    }
    if let Ok(id) = given.parse::<UploadId>() {
        return Ok(json!({ "upload": id }));
    }
    anyhow::ensure!(
        given.contains(':'),
        "there is no file {given}; links, uploads' ids and name:path are taken too"
    );
    Ok(json!({ "path": given }))
}

/// The replay file's name, which says who played what.
fn title_of(replay: &str) -> Option<String> {
    let path = Path::new(replay);
    let name = path.is_file().then(|| path.file_stem())??.to_str()?;
    Some(name.chars().filter(|letter| !letter.is_control()).take(contracts::spec::LONGEST_TITLE).collect())
}

/// Says what was played, or where to read about what went wrong.
async fn tell(client: &ServiceClient, id: JobId) -> anyhow::Result<()> {
    let job: Option<Job> = client.get(&format!("/v1/jobs/{id}")).await?;
    let Some(job) = job else { return Ok(()) };
    let failure = job.failure.as_ref();
    if let Some(page) =
        failure.and_then(|failure| REPLAY_FAILURES.iter().find(|page| page.code == failure.code))
    {
        eprintln!("{} More: {}", page.remedy, page.page());
    }
    if let Some(result) = &job.result {
        let montage: Option<Montage> = client.get(&format!("/v1/montages/{}", result.montage_id)).await?;
        if let Some(report) = montage.and_then(|montage| montage.replay) {
            eprint!("{}", text(&report));
        }
    }
    Ok(())
}

/// A play as lines of text.
fn text(report: &ReplayReport) -> String {
    let mods = if report.mods.is_empty() { String::new() } else { format!(" +{}", report.mods.concat()) };
    let counts: Vec<String> = report.counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
    let verification = &report.verification;
    let differences = verification.differences.iter().map(|difference| {
        format!("  {}: {} in the replay, {} here\n", difference.name, difference.header, difference.judged)
    });
    format!(
        "{} | {} - {} [{}]{mods}\n{:.2} %, {}x, {:.2} pp, {:.2} stars, UR {:.2}, score {}\n{}\n{}\n{}",
        report.player,
        report.artist,
        report.title,
        report.difficulty,
        report.accuracy * 100.0,
        report.max_combo,
        report.pp,
        report.stars,
        report.unstable_rate,
        report.score,
        counts.join(", "),
        if verification.verified {
            "verified against the replay"
        } else {
            "NOT verified against the replay:"
        },
        differences.collect::<String>()
    )
}
