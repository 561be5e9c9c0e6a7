//! The scheduler's program: see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    service_kit::run("scheduler", |env, shutdown| async move {
        scheduler::start(scheduler::Config::from_env(&env)?, shutdown).await
    })
}
