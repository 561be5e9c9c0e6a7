//! `stream-montages`: the whole product in one process, and the commands of a person at a terminal.
//!
//! Exit status: 0 done, 1 it failed and said why, 2 the command line itself was wrong.

mod api;
mod doctor;
mod import;
mod list;
mod plan;
mod replay;
mod submit;
mod up;
mod watch;

use clap::{Parser, Subcommand};
use contracts::ids::JobId;
use service_kit::env::Env;
use std::{path::PathBuf, process::ExitCode};

/// Turns moments into finished, captioned videos in a browsable library.
#[derive(Parser)]
#[command(
    name = "stream-montages",
    version,
    about,
    after_help = "Settings are environment variables; `stream-montages settings` lists them."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run everything in this process: all services, one executor and the gateway
    Up,
    /// Send a job (a JSON file, or - for standard input)
    Submit {
        /// The job, as POST /v1/jobs takes it
        file: PathBuf,
        /// The same key never makes a second job
        #[arg(long)]
        idempotency_key: Option<String>,
        /// Stay and watch it
        #[arg(long)]
        watch: bool,
    },
    /// Make a video of an osu! replay; files are sent, links and media directories are named
    Replay(replay::Wish),
    /// Post the montages of highlights that lie somewhere else: in DynamoDB, at an address, in a file, on Twitch
    Import {
        #[command(subcommand)]
        from: import::From,
    },
    /// Show what a montage would take, without making it
    Plan {
        /// The job, as POST /v1/jobs takes it, or only its spec as {"spec": ...}
        file: PathBuf,
        /// Print the whole plan as JSON
        #[arg(long)]
        json: bool,
    },
    /// Follow a job until it ends
    Watch {
        /// The job's id
        job: JobId,
    },
    /// List what is in the library, or jobs
    List {
        /// What to list
        #[arg(value_enum, default_value = "montages")]
        what: list::What,
        /// Montages in which these words are named or said
        #[arg(long)]
        search: Option<String>,
        /// Jobs in this state
        #[arg(long)]
        state: Option<String>,
        /// At most this many
        #[arg(long, default_value_t = 20)]
        limit: u32,
    },
    /// Send a file to use as a source
    Upload {
        /// The media file
        file: PathBuf,
    },
    /// Check everything that is needed and say how to fix what is missing
    Doctor,
    /// List every setting
    Settings,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Command::Up = arguments.command {
        return service_kit::run("stream-montages", up::up);
    }
    let result = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(run(arguments.command)));
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("stream-montages: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> anyhow::Result<ExitCode> {
    let env = Env::from_process()?;
    match command {
        // Handled by `main`, with the runtime and the signals of a service.
        Command::Up => Ok(ExitCode::SUCCESS),
        Command::Submit { file, idempotency_key, watch } => {
            submit::submit(&env, &file, idempotency_key.as_deref(), watch).await
        }
        Command::Replay(wish) => replay::replay(&env, &wish).await,
        Command::Import { from } => import::import(&env, from).await,
        Command::Plan { file, json } => plan::plan(&env, &file, json).await,
        Command::Watch { job } => watch::watch(&api::client(&env)?, job).await,
        Command::List { what, search, state, limit } => {
            list::list(&env, what, search.as_deref(), state.as_deref(), limit).await
        }
        Command::Upload { file } => submit::upload(&env, &file).await,
        Command::Doctor => Ok(doctor::doctor(&env).await),
        Command::Settings => {
            for variable in service_kit::env::KNOWN {
                println!("{:<26} {}", variable.name, variable.meaning);
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}
