//! The executor as a process of its own. All logic is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    service_kit::run("executor", |env, shutdown| async move {
        executor::start(executor::Config::from_env(&env)?, shutdown).await
    })
}
