//! The montages-repo service: everything is in the library.

fn main() -> std::process::ExitCode {
    service_kit::run("montages-repo", |env, shutdown| async move {
        montages_repo::start(montages_repo::Config::from_env(&env)?, shutdown).await
    })
}
