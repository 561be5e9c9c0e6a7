//! What every service needs and none is about: configuration, telemetry, problems, paging, serving, shutdown.
//!
//! Promises: a service that starts with this refuses unknown configuration, answers every error as an RFC 9457 problem,
//! stops on SIGTERM within a bound, and never logs a secret.

pub mod caller;
pub mod client;
mod connections;
pub mod db;
pub mod env;
pub mod extract;
pub mod http;
pub mod idempotency;
pub mod paging;
pub mod precondition;
pub mod problem;
pub mod shutdown;
pub mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;

use std::{future::Future, net::SocketAddr, process::ExitCode};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A service that is up.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// Ends when the service has stopped.
    pub done: JoinHandle<anyhow::Result<()>>,
}

/// The whole of a service's `main`: configuration from the process environment, logs, the service until SIGTERM or SIGINT.
///
/// Exit status 0 after a clean stop, 1 on any failure, which is printed with its causes.
pub fn run<F, Fut>(service: &'static str, start: F) -> ExitCode
where
    F: FnOnce(env::Env, CancellationToken) -> Fut,
    Fut: Future<Output = anyhow::Result<Running>>,
{
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("{service}: the runtime does not start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let result = runtime.block_on(async {
        let env = env::Env::from_process()?;
        telemetry::init(service, &env)?;
        tracing::info!(settings = %env.redacted(), "starting");
        let shutdown = shutdown::on_signal()?;
        let running = start(env, shutdown).await?;
        tracing::info!(address = %running.address, "ready");
        running.done.await??;
        tracing::info!("stopped");
        anyhow::Ok(())
    });
    // Blocking work that was abandoned (a file system that hangs) must not keep the process alive.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{service}: {error:#}");
            ExitCode::FAILURE
        }
    }
}
