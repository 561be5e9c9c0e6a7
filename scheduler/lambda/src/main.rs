//! The importer as an AWS Lambda function, for Lambda's own runtimes `provided.al2023` and later.

use lambda_runtime::service_fn;
use scheduler_lambda::{Importer, handle};
use service_kit::{
    env::{Env, EnvError},
    telemetry,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_none() {
        return Err(
            "this program is started by AWS Lambda; `stream-montages import` does the same at a terminal"
                .into(),
        );
    }
    let env = Env::from_process();
    telemetry::init("scheduler-lambda", &logs(env.as_ref().ok())?)?;
    // What is wrong with the settings is answered to each event, so that it is seen where people look.
    let importer = env.map_err(anyhow::Error::from).and_then(|env| {
        tracing::info!(settings = %env.redacted(), "starting");
        Importer::from_env(&env)
    });
    if let Err(error) = &importer {
        tracing::error!("{error:#}");
    }
    let importer = &importer;
    lambda_runtime::run(service_fn(async |event| handle(importer, event).await)).await
}

/// Settings of the logs: JSON, as Lambda's own log tools read it, unless something else is asked for.
fn logs(env: Option<&Env>) -> Result<Env, EnvError> {
    let given = |name| env.and_then(|env| env.get(name));
    let format = given("SM_LOG_FORMAT").unwrap_or("json");
    Env::from_pairs([("SM_LOG", given("SM_LOG").unwrap_or_default()), ("SM_LOG_FORMAT", format)])
}
