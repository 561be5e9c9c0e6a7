//! The executor: does the work. It knows the gateway's address and its own token, and nothing else of the product.
//!
//! ```text
//!   hints (Kafka) ──bell──▶ claims ──▶ attempt ──▶ montage ──▶ sources ──▶ worker ──▶ speech ──▶ publish
//!                             ▲           │                                  │
//!                   gateway ──┴── api     └── lease ◀── heartbeat            └── render-worker (child process)
//! ```
//!
//! - [`hints`] rings a bell for each message and is never blocked; [`claims`] asks for work when the bell rings, when a job has
//!   ended, and after some seconds anyway.
//! - [`attempt`] makes one attempt: [`montage`], [`replay`] or [`transcript`]; [`sources`] opens what is read, [`worker`] runs the child that
//!   decodes it, [`speech`] makes cues, [`publish`] sends the result.
//! - [`pieces`] shares what is made on its own with the library, [`parts`] lets other executors make some of it, [`plan`] tells
//!   what a montage would take and [`probe`] what is in a source, [`preview`] shows a montage while it is made.
//! - [`heartbeat`] keeps the leases from a thread of its own; [`guard`] is the pure machine that decides when an attempt must
//!   stop, [`lease`] shares it and kills its children at that very moment.
//!
//! Promises: no write is made under a lease that may belong to somebody else; nothing of a job stays on the machine when its
//! attempt has ended; a stop gives leases back within a bounded time; media that a user chose is decoded in the child only.
//! What fails is reported with a code, a message and a pointer into the spec ([`failure`]).

pub mod api;
pub mod attempt;
pub mod claims;
pub mod config;
pub mod failure;
pub mod frames;
pub mod guard;
pub mod heartbeat;
pub mod hints;
pub mod lease;
pub mod montage;
pub mod opened;
pub mod order;
pub mod pages;
pub mod parts;
pub mod pieces;
pub mod plan;
pub mod preview;
pub mod probe;
pub mod progress;
pub mod publish;
pub mod replay;
pub mod sources;
pub mod speech;
pub mod transcript;
pub mod workdir;
pub mod worker;

use std::sync::Arc;

use anyhow::Context as _;
use contracts::ids::ExecutorId;
use fetch::{FetchConfig, Fetcher};
use service_kit::{Running, http};
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use api::Gateway;
use attempt::Workshop;
use claims::{Bells, Contact};
pub use config::Config;
use config::Hints;
use heartbeat::Leases;
use sources::{Door, Opener};
use speech::Engines;
use workdir::WorkDir;

/// Starts an executor; it runs until `shutdown` is cancelled, then gives its leases back and ends within a bounded time.
///
/// # Errors
/// When the settings cannot be used, the working directory cannot be made, or the health address is taken. Neither the gateway
/// nor the broker has to be there.
pub async fn start(config: Config, shutdown: CancellationToken) -> anyhow::Result<Running> {
    let id = ExecutorId::generate();
    let root = config.work_dir.clone();
    let work_dir = spawn_blocking(move || WorkDir::open(&root)).await?.with_context(|| {
        format!("the working directory {} cannot be used; see SM_WORK_DIR", config.work_dir.display())
    })?;
    // Copies of sources that cannot be read by Range are jobs' files too.
    let fetch = FetchConfig { temp_dir: work_dir.path().to_owned(), ..config.fetch.clone() };
    let connect = || Gateway::new(&config.gateway_url, config.token.clone(), id);
    let gateway = connect()?;
    let leases = Arc::new(Leases::default());
    let shop = Arc::new(Workshop {
        gateway: gateway.clone(),
        door: Door {
            gateway,
            gateway_url: config.gateway_url.clone(),
            fetcher: Opener(Fetcher::new(fetch)?),
            pages: config.pages.clone(),
        },
        engines: Engines::new(config.transcribe.clone())?,
        work_dir,
        leases: Arc::clone(&leases),
        config: config.clone(),
    });
    if !config.render.worker.is_file() {
        // Not fatal: transcripts can be made without it, and it may be put there later.
        tracing::error!(path = %config.render.worker.display(), "there is no render worker; see SM_RENDER_WORKER");
    }
    let listener = http::bind(config.listen).await?;
    let (bells, contact) = (Arc::new(Bells::default()), Arc::new(Contact::default()));
    let health = health(listener, &config, Arc::clone(&contact), shutdown.clone())?;
    if let Hints::Kafka(kafka) = &config.hints {
        hints::start(kafka, &config.name, Arc::clone(&bells), shutdown.clone())?;
    }
    // The heart beats until the last lease was given back.
    let heart_end = CancellationToken::new();
    let heart = heartbeat::start(connect()?, leases, heart_end.clone())?;
    let address = health.address;
    let done = tokio::spawn(async move {
        claims::run(shop, bells, contact, shutdown).await;
        heart_end.cancel();
        if spawn_blocking(move || heart.join()).await.is_err() {
            tracing::error!("the heartbeat's thread ended badly");
        }
        health.done.await?
    });
    Ok(Running { address, done })
}

/// Answers `/livez`, `/readyz` and `/metrics`; there is nothing else to ask an executor.
fn health(
    listener: tokio::net::TcpListener,
    config: &Config,
    contact: Arc<Contact>,
    shutdown: CancellationToken,
) -> anyhow::Result<Running> {
    let options = http::ServeOptions {
        body_limit: 1 << 10,
        timeout: Some(std::time::Duration::from_secs(5)),
        internal_token: config.internal_token.clone(),
        public: false,
        readiness: Arc::new(move || {
            let made = contact.is_made();
            Box::pin(async move {
                if made {
                    Ok(())
                } else {
                    Err("the gateway does not answer, or refuses the token".to_owned())
                }
            })
        }),
    };
    http::serve("executor", listener, axum::Router::new(), shutdown, options)
}
