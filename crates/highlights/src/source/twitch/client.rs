//! Asking Twitch: an application's token, kept until shortly before it ends, and requests that are tried again.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use reqwest::{
    Response, StatusCode,
    header::{CONTENT_TYPE, HeaderMap},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, de::DeserializeOwned};
use service_kit::{client::http_client, env::Env};
use tokio::sync::Mutex;
use url::form_urlencoded;

use crate::source::{SourceError, plain_address};

/// Tries of one request.
const TRIES: u32 = 5;
/// Pause after the first failed try; doubled with each.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause. Twitch's limit is one on minutes.
const LONGEST_PAUSE: Duration = Duration::from_secs(65);
/// Longest time of one try.
const TRY_TIME: Duration = Duration::from_secs(30);
/// Largest answer, in bytes. A page of a hundred clips has about 100 kB.
const LARGEST: usize = 8 << 20;
/// A token is not used any more so long before it ends.
const EARLY: Duration = Duration::from_secs(60);
/// Longest message of Twitch's own that is passed on, in characters.
const LONGEST_MESSAGE: usize = 200;

/// How Twitch is reached. Clones share one token.
#[derive(Clone)]
pub struct Ways {
    /// Absent where the operator has not set Twitch up.
    api: Option<Api>,
}

impl Ways {
    /// Those of a process's settings. Without `SM_TWITCH_CLIENT_ID` there are none.
    ///
    /// # Errors
    /// When a setting cannot be read, or the secret is not set.
    pub fn from_env(env: &Env) -> anyhow::Result<Self> {
        let Some(client_id) = env.get("SM_TWITCH_CLIENT_ID") else {
            return Ok(Self { api: None });
        };
        let api = Api {
            client: http_client(Some(TRY_TIME))?,
            client_id: client_id.to_owned(),
            secret: env.required_secret("SM_TWITCH_CLIENT_SECRET")?,
            api: address(env, "SM_TWITCH_API_URL", "https://api.twitch.tv")?,
            auth: address(env, "SM_TWITCH_AUTH_URL", "https://id.twitch.tv")?,
            token: Arc::default(),
        };
        Ok(Self { api: Some(api) })
    }

    pub(super) fn api(&self) -> Result<Api, SourceError> {
        self.api.clone().ok_or_else(|| {
            SourceError::Refused(
                "Twitch is not set up: register an application at https://dev.twitch.tv/console and set SM_TWITCH_CLIENT_ID and \
                 SM_TWITCH_CLIENT_SECRET"
                    .to_owned(),
            )
        })
    }
}

fn address(env: &Env, name: &'static str, usual: &str) -> anyhow::Result<String> {
    plain_address(name, env.get(name).unwrap_or(usual).trim_end_matches('/'), usual)
}

/// Twitch's API for one application.
#[derive(Clone)]
pub(super) struct Api {
    client: reqwest::Client,
    client_id: String,
    secret: SecretString,
    api: String,
    auth: String,
    token: Arc<Mutex<Option<Token>>>,
}

#[derive(Clone)]
struct Token {
    text: SecretString,
    until: Instant,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: SecretString,
    /// In seconds.
    expires_in: u64,
}

/// What became of one try.
enum Outcome {
    Answered(Vec<u8>),
    /// It may pass; after a time, where the answer says.
    Later {
        reason: String,
        after: Option<Duration>,
    },
    /// Any other status.
    Refused(StatusCode, Vec<u8>),
}

impl Api {
    /// Asks for something.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T, SourceError> {
        let mut renewed = false;
        loop {
            let token = self.token().await?;
            let request = self.client.get(format!("{}{path}", self.api)).query(query);
            let request = request.header("client-id", &self.client_id).bearer_auth(token.expose_secret());
            match patiently(&request).await? {
                Ok(body) => {
                    return serde_json::from_slice(&body).map_err(|_| {
                        SourceError::Unavailable("Twitch answers in a way that is not known".to_owned())
                    });
                }
                Err((StatusCode::UNAUTHORIZED, _)) if !renewed => {
                    renewed = true;
                    self.forget(&token).await;
                }
                Err((StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, _)) => {
                    return Err(SourceError::Refused(
                        "Twitch does not let the application in: look at it at https://dev.twitch.tv/console, and at SM_TWITCH_CLIENT_ID \
                         and SM_TWITCH_CLIENT_SECRET"
                            .to_owned(),
                    ));
                }
                Err((status, body)) => {
                    return Err(SourceError::Refused(format!(
                        "Twitch does not accept the question (status {}){}",
                        status.as_u16(),
                        message(&body)
                    )));
                }
            }
        }
    }

    /// The token that is kept, or a new one. Who comes meanwhile waits for the same.
    async fn token(&self) -> Result<SecretString, SourceError> {
        let mut kept = self.token.lock().await;
        if let Some(token) = kept.as_ref().filter(|token| token.until > Instant::now()) {
            return Ok(token.text.clone());
        }
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("client_id", &self.client_id)
            .append_pair("client_secret", self.secret.expose_secret())
            .append_pair("grant_type", "client_credentials")
            .finish();
        let request = self.client.post(format!("{}/oauth2/token", self.auth));
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form);
        let body = patiently(&request).await?.map_err(|(status, _)| {
            SourceError::Refused(format!(
                "Twitch gives no token for SM_TWITCH_CLIENT_ID and SM_TWITCH_CLIENT_SECRET (status {}): compare them with those of the \
                 application at https://dev.twitch.tv/console",
                status.as_u16()
            ))
        })?;
        let answer: TokenAnswer = serde_json::from_slice(&body).map_err(|_| {
            SourceError::Unavailable("Twitch gives a token in a way that is not known".to_owned())
        })?;
        let lasts = Duration::from_secs(answer.expires_in);
        let until = Instant::now() + lasts.saturating_sub(EARLY.min(lasts / 2));
        *kept = Some(Token { text: answer.access_token.clone(), until });
        Ok(answer.access_token)
    }

    /// Drops a token that is not accepted, unless somebody has renewed it meanwhile.
    async fn forget(&self, token: &SecretString) {
        let mut kept = self.token.lock().await;
        if kept.as_ref().is_some_and(|kept| kept.text.expose_secret() == token.expose_secret()) {
            *kept = None;
        }
    }
}

/// Sends a request until it is answered, in bounded tries. `Err` inside is an answer that trying again does not change.
async fn patiently(
    request: &reqwest::RequestBuilder,
) -> Result<Result<Vec<u8>, (StatusCode, Vec<u8>)>, SourceError> {
    let mut pause = FIRST_PAUSE;
    let mut left = TRIES;
    loop {
        let again = request.try_clone();
        let again =
            again.ok_or_else(|| SourceError::Unavailable("a question cannot be repeated".to_owned()))?;
        left -= 1;
        match once(again).await {
            Outcome::Answered(body) => return Ok(Ok(body)),
            Outcome::Refused(status, body) => return Ok(Err((status, body))),
            Outcome::Later { reason, .. } if left == 0 => {
                return Err(SourceError::Unavailable(format!("{reason}, after {TRIES} tries")));
            }
            Outcome::Later { reason, after } => {
                let wait = after.unwrap_or(pause).clamp(FIRST_PAUSE, LONGEST_PAUSE);
                tracing::info!(reason, seconds = wait.as_secs_f32(), "Twitch is asked again");
                tokio::time::sleep(wait).await;
                pause *= 2;
            }
        }
    }
}

async fn once(request: reqwest::RequestBuilder) -> Outcome {
    let later = |reason: &str, after| Outcome::Later { reason: reason.to_owned(), after };
    let response = match request.send().await {
        Ok(response) => response,
        Err(error) => {
            tracing::debug!(error = %anyhow::Error::from(error.without_url()), "Twitch cannot be reached");
            return later("Twitch cannot be reached", None);
        }
    };
    let status = response.status();
    if status == StatusCode::TOO_MANY_REQUESTS {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        return later("Twitch is asked more than its limit allows", reset(response.headers(), now));
    }
    if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT {
        return later(&format!("Twitch cannot answer now (status {})", status.as_u16()), None);
    }
    match body(response).await {
        Some(body) if status.is_success() => Outcome::Answered(body),
        Some(body) => Outcome::Refused(status, body),
        None => later("Twitch's answer broke off, or had no end", None),
    }
}

/// How long it is until the limit is lifted, where the answer says so, as a moment in seconds since 1970.
fn reset(headers: &HeaderMap, now: Duration) -> Option<Duration> {
    let at: u64 = headers.get("ratelimit-reset")?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(at).saturating_sub(now))
}

async fn body(mut response: Response) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.ok()? {
        body.extend_from_slice(&piece);
        if body.len() > LARGEST {
            return None;
        }
    }
    Some(body)
}

/// What Twitch itself says of a mistake.
fn message(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Mistake {
        message: String,
    }
    let Ok(Mistake { message }) = serde_json::from_slice(body) else {
        return String::new();
    };
    format!(": {}", message.chars().take(LONGEST_MESSAGE).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_waited_for_as_long_as_it_lasts() {
        let headers = |value: &str| {
            HeaderMap::from_iter([("ratelimit-reset".parse().unwrap(), value.parse().unwrap())])
        };
        let now = Duration::from_millis(1_795_372_200_500);
        assert_eq!(reset(&headers("1795372230"), now), Some(Duration::from_millis(29_500)));
        assert_eq!(reset(&headers("1795372000"), now), Some(Duration::ZERO));
        assert_eq!(reset(&headers("soon"), now), None);
        assert_eq!(reset(&HeaderMap::new(), now), None);
    }
}
