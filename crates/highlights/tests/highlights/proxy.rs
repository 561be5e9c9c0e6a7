//! A server between a client and DynamoDB on loopback, which notes what is asked and answers some of it itself.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tokio_util::task::AbortOnDropHandle;

/// What is done with a request.
pub enum Answer {
    /// It is passed on.
    Pass,
    /// It is answered with an error of this code.
    Error(&'static str),
}

type Judge = dyn Fn(&str, usize) -> Answer + Send + Sync;

struct Shared {
    to: String,
    client: reqwest::Client,
    judge: Box<Judge>,
    asked: Mutex<Vec<(String, Value)>>,
}

/// The server; it ends with this value.
pub struct Proxy {
    endpoint: String,
    shared: Arc<Shared>,
    _serving: AbortOnDropHandle<()>,
}

impl Proxy {
    /// Starts it. What becomes of a request is judged by its operation and by how often the very same was asked before.
    pub async fn start(to: &str, judge: impl Fn(&str, usize) -> Answer + Send + Sync + 'static) -> Self {
        let shared = Arc::new(Shared {
            to: to.to_owned(),
            client: service_kit::client::http_client(None).unwrap(),
            judge: Box::new(judge),
            asked: Mutex::default(),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(pass).with_state(shared.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { endpoint, shared, _serving: AbortOnDropHandle::new(serving) }
    }

    /// Its address.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// What was asked until now: operations and bodies.
    pub fn asked(&self) -> Vec<(String, Value)> {
        self.shared.asked.lock().unwrap().clone()
    }
}

async fn pass(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers["x-amz-target"].to_str().unwrap();
    let asked =
        (target.rsplit('.').next().unwrap().to_owned(), serde_json::from_slice::<Value>(&body).unwrap());
    let tries = {
        let mut all = shared.asked.lock().unwrap();
        let before = all.iter().filter(|before| **before == asked).count();
        all.push(asked.clone());
        before
    };
    if let Answer::Error(code) = (shared.judge)(&asked.0, tries) {
        let error =
            json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{code}"), "message": "judged" });
        let named = [(CONTENT_TYPE, "application/x-amz-json-1.0")];
        return (StatusCode::BAD_REQUEST, named, error.to_string()).into_response();
    }
    let mut request = shared.client.post(&shared.to).body(body);
    for name in ["x-amz-target", "x-amz-date", "authorization", "content-type"] {
        request = request.header(name, headers[name].clone());
    }
    let answer = request.send().await.unwrap();
    let (status, kind) = (answer.status(), answer.headers()[CONTENT_TYPE].clone());
    (status, [(CONTENT_TYPE, kind)], answer.bytes().await.unwrap()).into_response()
}
