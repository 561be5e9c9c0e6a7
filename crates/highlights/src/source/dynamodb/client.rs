//! Reaching DynamoDB, and what is told when that fails.
//!
//! Credentials and region come from where AWS's own tools look for them: the environment, a profile, the container's or the machine's
//! role. They are looked for once, when the first source is read. TLS is rustls with ring, like everywhere in the product.

use std::{error::Error, fmt::Write as _, time::Duration};

use aws_config::{BehaviorVersion, ConfigLoader, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_credential_types::provider::{ProvideCredentials as _, error::CredentialsError};
use aws_sdk_dynamodb::{
    Client,
    config::{
        Region,
        retry::{RetryPartition, TokenBucket},
    },
    error::{ProvideErrorMetadata, SdkError},
};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};

use super::Ways;
use crate::source::{SourceError, plain_address};

/// Tries of one request. With the pauses between them throttling is waited out for 6 s on average, 13 s at most.
const TRIES: u32 = 8;
/// Longest first pause; doubled with each, and cut by chance.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Longest time for connecting.
const CONNECT_TIME: Duration = Duration::from_secs(5);
/// Longest time for one try.
const TRY_TIME: Duration = Duration::from_secs(30);
/// Longest message of DynamoDB's own that is passed on, in characters.
const LONGEST_MESSAGE: usize = 300;

/// Reads the address of another DynamoDB.
pub(super) fn endpoint(text: &str) -> anyhow::Result<String> {
    plain_address("SM_DYNAMODB_ENDPOINT", text, "http://127.0.0.1:8000")
}

/// What is set explicitly; credentials and region are looked for.
pub(super) fn loader(endpoint: Option<&str>) -> ConfigLoader {
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIME)
        .read_timeout(TRY_TIME)
        .operation_attempt_timeout(TRY_TIME)
        .build();
    let retries = RetryConfig::standard().with_max_attempts(TRIES).with_initial_backoff(FIRST_PAUSE);
    let loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .timeout_config(timeouts)
        .retry_config(retries);
    match endpoint {
        Some(endpoint) => loader.endpoint_url(endpoint),
        None => loader,
    }
}

impl Ways {
    /// A client for a region, or for the operator's own.
    pub(crate) async fn client(&self, region: Option<&str>) -> Result<Client, SourceError> {
        let config = self.config.get_or_try_init(|| load(self.endpoint.as_deref())).await?;
        let region = region.map(|region| Region::new(region.to_owned())).or_else(|| config.region().cloned());
        let region = region.ok_or_else(|| {
            SourceError::Refused(
                "no AWS region is known: name one in `region` of the source, or set AWS_REGION".to_owned(),
            )
        })?;
        // The tries of a request are bounded as it is: other reads that were throttled must not take them away.
        let retries = RetryPartition::custom("highlights").token_bucket(TokenBucket::unlimited()).build();
        let config = aws_sdk_dynamodb::config::Builder::from(config).region(region).retry_partition(retries);
        Ok(Client::from_conf(config.build()))
    }
}

async fn load(endpoint: Option<&str>) -> Result<SdkConfig, SourceError> {
    let config = loader(endpoint).load().await;
    // Asked for now, so that missing ones are told as that and not as a failed request.
    let credentials = match config.credentials_provider() {
        Some(provider) => provider.provide_credentials().await,
        None => Err(CredentialsError::not_loaded_no_source()),
    };
    let Err(error) = credentials else {
        return Ok(config);
    };
    tracing::warn!(error = %chain(&error), "there are no AWS credentials");
    Err(match error {
        CredentialsError::CredentialsNotLoaded(_) => SourceError::Refused(
            "no AWS credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile in AWS_PROFILE, or give the \
             machine or container a role that may read the tables"
                .to_owned(),
        ),
        CredentialsError::InvalidConfiguration(_) => SourceError::Refused(
            "the AWS credentials cannot be read: look at the profile and the settings that begin with AWS_".to_owned(),
        ),
        _ => SourceError::Unavailable("what gives AWS credentials does not answer".to_owned()),
    })
}

/// What was asked for, to be named where it fails.
pub(super) struct Asked<'a> {
    pub table: &'a str,
    /// The right that is needed for it.
    pub right: &'static str,
    /// What to look at where DynamoDB does not accept the question.
    pub validation: &'a str,
}

/// What is told of a request that failed after all its tries.
pub(super) fn failure<E, R>(error: SdkError<E, R>, asked: Asked<'_>) -> SourceError
where
    E: Error + ProvideErrorMetadata + 'static,
    R: std::fmt::Debug + 'static,
{
    let Asked { table, right, validation } = asked;
    let code = error.code().unwrap_or_default().to_owned();
    tracing::warn!(table, code, error = %chain(&error), "a table could not be read");
    match code.as_str() {
        "ResourceNotFoundException" => SourceError::Refused(format!(
            "there is no table `{table}`: check its name, the region and the account"
        )),
        "AccessDeniedException" => SourceError::Refused(format!(
            "the credentials may not read the table `{table}`: give them the right {right} on it"
        )),
        "ValidationException" => {
            let message: String = error.message().unwrap_or_default().chars().take(LONGEST_MESSAGE).collect();
            let advice = if validation.is_empty() { String::new() } else { format!("; {validation}") };
            SourceError::Refused(format!(
                "the table `{table}` cannot be asked like this{advice}. DynamoDB says: {message}"
            ))
        }
        "UnrecognizedClientException"
        | "InvalidSignatureException"
        | "IncompleteSignatureException"
        | "MissingAuthenticationTokenException"
        | "ExpiredTokenException" => {
            SourceError::Refused(format!("DynamoDB does not accept the credentials ({code}): renew them"))
        }
        "ProvisionedThroughputExceededException" | "RequestLimitExceeded" | "ThrottlingException" => {
            SourceError::Unavailable(format!(
                "the table `{table}` is asked more than its capacity allows, after {TRIES} tries: raise it, or run the import at a \
                 quieter hour"
            ))
        }
        "" => SourceError::Unavailable(format!("DynamoDB cannot be reached for the table `{table}`")),
        _ => SourceError::Unavailable(format!("DynamoDB could not answer for the table `{table}` ({code})")),
    }
}

/// An error with its causes, for the log.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}
