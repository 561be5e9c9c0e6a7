//! The gateway's program: see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    service_kit::run("gateway", |env, shutdown| async move {
        gateway::start(gateway::Config::from_env(&env)?, shutdown).await
    })
}
