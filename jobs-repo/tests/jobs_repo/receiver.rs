//! A receiver of webhooks on loopback: it hears what it is told, answers as it is bid, and checks signatures as a receiver does.

use axum::{
    Router,
    body::Bytes,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};
use tokio::{net::TcpListener, sync::mpsc};
use tokio_util::sync::CancellationToken;

/// Longest wait for a request. Generous: it only bounds a failure.
const PATIENCE: Duration = Duration::from_secs(60);
/// How far a message's time may be from the receiver's, in seconds.
const TOLERANCE: u64 = 300;

/// How a request is answered.
#[derive(Debug, Clone, Copy)]
pub enum Answer {
    /// At once.
    Status(u16),
    /// By a redirect to another path of the same receiver.
    Redirect,
    /// Not before the receiver is released.
    Hold,
}

/// A request as it was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

#[derive(Clone)]
struct Desk {
    heard: mpsc::UnboundedSender<Heard>,
    script: Arc<Mutex<VecDeque<Answer>>>,
    otherwise: Answer,
    release: CancellationToken,
}

/// A running receiver.
pub struct Receiver {
    /// Where it wants to be told.
    pub url: String,
    heard: mpsc::UnboundedReceiver<Heard>,
    script: Arc<Mutex<VecDeque<Answer>>>,
    release: CancellationToken,
}

impl Receiver {
    /// One that answers success.
    pub async fn start() -> Self {
        Self::start_with(Answer::Status(204)).await
    }

    /// One that answers so, unless it is bid otherwise.
    pub async fn start_with(otherwise: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let (sender, heard) = mpsc::unbounded_channel();
        let (script, release) = (Arc::default(), CancellationToken::new());
        let desk = Desk { heard: sender, script: Arc::clone(&script), otherwise, release: release.clone() };
        let router = Router::new().fallback(hear).with_state(desk);
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, heard, script, release }
    }

    /// Answers the next requests so.
    pub fn bid(&self, answers: &[Answer]) {
        self.script.lock().unwrap().extend(answers);
    }

    /// Answers what was held, and holds nothing any more.
    pub fn release(&self) {
        self.release.cancel();
    }

    /// The next request.
    pub async fn next(&mut self) -> Heard {
        tokio::time::timeout(PATIENCE, self.heard.recv()).await.expect("a request comes").unwrap()
    }

    /// What was heard and not looked at yet.
    pub fn rest(&mut self) -> Vec<Heard> {
        std::iter::from_fn(|| self.heard.try_recv().ok()).collect()
    }
}

async fn hear(State(desk): State<Desk>, request: Request) -> Response {
    let (path, headers) = (request.uri().path().to_owned(), request.headers().clone());
    assert_eq!(request.method(), "POST");
    let body = axum::body::to_bytes(request.into_body(), 1 << 20).await.unwrap();
    let answer = desk.script.lock().unwrap().pop_front().unwrap_or(desk.otherwise);
    // The test may have ended.
    let _ = desk.heard.send(Heard { path, headers, body });
    match answer {
        Answer::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Answer::Redirect => (StatusCode::FOUND, [(header::LOCATION, "/elsewhere")]).into_response(),
        Answer::Hold => {
            desk.release.cancelled().await;
            StatusCode::NO_CONTENT.into_response()
        }
    }
}

impl Heard {
    pub fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    pub fn id(&self) -> &str {
        self.header("webhook-id")
    }

    /// Checks the message as a receiver that was given `secret`: a recent time, and one signature that is right, compared in
    /// constant time. Answers the body.
    pub fn verify(&self, secret: &str) -> Result<Value, &'static str> {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let timestamp: u64 = self.header("webhook-timestamp").parse().unwrap();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        if now.abs_diff(timestamp) > TOLERANCE {
            return Err("it is too old or too new");
        }
        let mut hash = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        hash.update(format!("{}.{timestamp}.", self.id()).as_bytes());
        hash.update(&self.body);
        let is_ours = self.header("webhook-signature").split(' ').any(|signature| {
            let code = signature.strip_prefix("v1,").and_then(|code| STANDARD.decode(code).ok());
            code.is_some_and(|code| hash.clone().verify_slice(&code).is_ok())
        });
        if !is_ours {
            return Err("no signature is right");
        }
        Ok(serde_json::from_slice(&self.body).unwrap())
    }
}
