//! Logs by `tracing`, metrics for Prometheus.

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::sync::OnceLock;
use tracing_subscriber::EnvFilter;

use crate::env::{Env, EnvError};

static METRICS: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Sets up logs (`SM_LOG`, `SM_LOG_FORMAT`) on standard error, for the whole process. A second call changes nothing.
///
/// # Errors
/// When a setting cannot be read.
pub fn init(service: &'static str, env: &Env) -> Result<(), EnvError> {
    let directives = env.get("SM_LOG").unwrap_or("info");
    let filter = EnvFilter::try_new(directives)
        .map_err(|error| EnvError::Invalid { name: "SM_LOG".to_owned(), reason: error.to_string() })?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let already_set = match env.get("SM_LOG_FORMAT") {
        None | Some("text") => builder.with_ansi(false).try_init().is_err(),
        Some("json") => builder.json().flatten_event(true).try_init().is_err(),
        Some(other) => {
            return Err(EnvError::Invalid {
                name: "SM_LOG_FORMAT".to_owned(),
                reason: format!("`{other}` is neither text nor json"),
            });
        }
    };
    if !already_set {
        tracing::debug!(service, "logs are set up");
    }
    metrics_handle();
    Ok(())
}

/// The process's metrics; `None` if another recorder was installed first.
pub(crate) fn metrics_handle() -> Option<&'static PrometheusHandle> {
    METRICS.get_or_init(|| PrometheusBuilder::new().install_recorder().ok()).as_ref()
}
