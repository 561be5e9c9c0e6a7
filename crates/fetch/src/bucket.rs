//! The client of an S3 bucket. Nothing is contacted when it is made; every wait of it has a limit.

use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::{BackoffConfig, ClientOptions, RetryConfig};
use secrecy::ExposeSecret;

use crate::config::StoreConfig;
use crate::error::FetchError;
use crate::tls::ensure_provider;

/// The client of the bucket of this name.
pub(crate) fn open(config: &StoreConfig, bucket: &str) -> Result<AmazonS3, FetchError> {
    ensure_provider();
    // No limit on a whole request: a body may be large and its reader slow. Each wait within it has one.
    let options = ClientOptions::new()
        .with_timeout_disabled()
        .with_connect_timeout(Duration::from_secs(5))
        .with_read_timeout(Duration::from_secs(30));
    let retry = RetryConfig {
        backoff: BackoffConfig::default(),
        max_retries: 4,
        retry_timeout: Duration::from_secs(30),
    };
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(bucket)
        .with_region(&config.s3_region)
        .with_client_options(options)
        .with_retry(retry)
        .with_allow_http(config.s3_allow_http);
    if let Some(endpoint) = &config.s3_endpoint {
        builder = builder.with_endpoint(endpoint.as_str().trim_end_matches('/'));
    }
    match (&config.s3_access_key_id, &config.s3_secret_access_key) {
        (Some(id), Some(secret)) => {
            builder =
                builder.with_access_key_id(id.expose_secret()).with_secret_access_key(secret.expose_secret());
        }
        (None, None) => {}
        _ => {
            return Err(FetchError::Config {
                variable: "SM_S3_ACCESS_KEY_ID".to_owned(),
                reason: "and SM_S3_SECRET_ACCESS_KEY belong together; set both or none".to_owned(),
            });
        }
    }
    builder.build().map_err(|error| FetchError::Config {
        variable: config.variable.to_owned(),
        reason: format!("the S3 settings cannot be used: {error}"),
    })
}
