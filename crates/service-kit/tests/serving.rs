//! A service as it is served: problems for whatever goes wrong, and nothing secret in logs or metrics.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    io::Write,
    sync::{Arc, Mutex, OnceLock},
};

use axum::{Router, routing::get};
use reqwest::{Client, Method};
use serde_json::Value;
use service_kit::{Running, env::Env, http::ServeOptions, telemetry};
use tokio_util::sync::CancellationToken;

const SECRET: &str = "hush-0af7651916cd43dd";

/// Everything that is logged in this process, at the finest level.
#[derive(Clone, Default)]
struct Logs(Arc<Mutex<Vec<u8>>>);

impl Write for Logs {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn logs() -> &'static Logs {
    static LOGS: OnceLock<Logs> = OnceLock::new();
    LOGS.get_or_init(|| {
        let logs = Logs::default();
        let writer = logs.clone();
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .init();
        // Installs the metrics' recorder; the logs are set up already.
        telemetry::init("test", &Env::from_pairs([("SM_LOG", "info")]).unwrap()).unwrap();
        logs
    })
}

struct Service {
    base: String,
    client: Client,
    stop: CancellationToken,
    running: Running,
}

impl Service {
    async fn start(public: bool, token: Option<&str>) -> Self {
        logs();
        let router =
            Router::new().route("/thing", get(|| async { "a thing" }).post(|| async { "made" })).route(
                "/broken",
                get(|| async {
                    if true {
                        panic!("broken")
                    }
                }),
            );
        let options = ServeOptions {
            body_limit: 1024,
            timeout: None,
            internal_token: token.map(Into::into),
            public,
            readiness: Arc::new(|| Box::pin(async { Err("the doorbell".to_owned()) })),
        };
        let listener = service_kit::http::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let stop = CancellationToken::new();
        let running = service_kit::http::serve("test", listener, router, stop.clone(), options).unwrap();
        let client = service_kit::client::http_client(None).unwrap();
        Self { base: format!("http://{}", running.address), client, stop, running }
    }

    fn call(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        self.client.request(Method::from_bytes(method.as_bytes()).unwrap(), format!("{}{path}", self.base))
    }

    /// A problem's status and code; it must name its request.
    async fn problem(&self, method: &str, path: &str) -> (u16, String) {
        let response = self.call(method, path).send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "application/problem+json", "{method} {path}");
        let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
        let status = response.status().as_u16();
        let problem: Value = response.json().await.unwrap();
        assert_eq!(
            (&problem["request_id"], &problem["status"]),
            (&id.into(), &status.into()),
            "{method} {path}"
        );
        (status, problem["code"].as_str().unwrap().to_owned())
    }

    async fn end(self) {
        self.stop.cancel();
        self.running.done.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn whatever_goes_wrong_is_a_problem_that_names_its_request() {
    let service = Service::start(false, None).await;
    for (method, path, expected) in [
        ("GET", "/broken", (500, "internal")),
        ("GET", "/nothing", (404, "not_found")),
        ("PUT", "/thing", (405, "method_not_allowed")),
        ("POST", "/livez", (405, "method_not_allowed")),
        ("GET", "/readyz", (503, "unavailable")),
    ] {
        assert_eq!(
            service.problem(method, path).await,
            (expected.0, expected.1.to_owned()),
            "{method} {path}"
        );
    }
    let refused = service.call("PUT", "/thing").send().await.unwrap();
    assert_eq!(refused.headers()["allow"], "GET,HEAD,POST");
    // A panic ends its request and nothing else.
    assert_eq!(service.call("GET", "/thing").send().await.unwrap().text().await.unwrap(), "a thing");
    service.end().await;
}

#[tokio::test]
async fn head_answers_what_get_does_without_the_body() {
    let service = Service::start(false, None).await;
    for path in ["/thing", "/broken", "/nothing", "/livez"] {
        // On one connection: a body that was sent all the same would be taken for the next answer.
        let head = service.call("HEAD", path).send().await.unwrap();
        let kind = head.headers()["content-type"].clone();
        let status = head.status();
        assert!(head.bytes().await.unwrap().is_empty());
        let get = service.call("GET", path).send().await.unwrap();
        assert_eq!((get.status(), &get.headers()["content-type"]), (status, &kind), "{path}");
        assert!(!get.bytes().await.unwrap().is_empty());
    }
    service.end().await;
}

#[tokio::test]
async fn only_internal_services_answer_metrics_to_everybody() {
    let (internal, public) = (Service::start(false, Some(SECRET)).await, Service::start(true, None).await);
    assert_eq!(internal.call("GET", "/metrics").send().await.unwrap().status(), 200);
    assert_eq!(internal.problem("GET", "/thing").await, (401, "unauthorized".to_owned()));
    assert_eq!(public.problem("GET", "/metrics").await, (404, "not_found".to_owned()));
    internal.end().await;
    public.end().await;
}

#[tokio::test]
async fn no_secret_of_a_request_is_logged_or_counted() {
    let service = Service::start(false, None).await;
    for (method, path) in [("GET", "/thing"), ("GET", "/broken"), ("GET", "/nothing"), ("BREW", "/thing")] {
        let sent = service
            .call(method, &format!("{path}?signature={SECRET}"))
            .bearer_auth(SECRET)
            .header("cookie", format!("sm_session={SECRET}"))
            .header("idempotency-key", SECRET)
            // Not in the form of an id: not taken over.
            .header("x-request-id", format!("{SECRET} {SECRET}"))
            .body(SECRET)
            .send()
            .await
            .unwrap();
        assert!(!format!("{:?}", sent.headers()).contains(SECRET), "{method} {path}");
    }
    let metrics = service.call("GET", "/metrics").send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("http_request_seconds") && metrics.contains("method=\"other\""), "{metrics}");
    assert!(!metrics.contains(SECRET) && !metrics.contains("BREW"), "{metrics}");
    service.end().await;
    let text = String::from_utf8(logs().0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("answered") && text.contains("path=\"/broken\""), "nothing was logged");
    let told: Vec<&str> = text.lines().filter(|line| line.contains(SECRET)).collect();
    assert!(told.is_empty(), "{told:#?}");
}
