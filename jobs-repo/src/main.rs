//! The jobs-repo program: see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    service_kit::run("jobs-repo", |env, shutdown| async move {
        jobs_repo::start(jobs_repo::Config::from_env(&env)?, shutdown).await
    })
}
