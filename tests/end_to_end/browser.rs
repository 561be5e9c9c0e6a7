//! Debian's Chromium, driven over WebDriver: five calls of the W3C protocol, so no client library is carried along.

use reqwest::{Client, Method};
use serde_json::{Value, json};
use std::{
    env,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// A browser of a test's own; ends when dropped.
pub struct Browser {
    client: Client,
    session: String,
    driver: Child,
}

impl Browser {
    /// `None`, having said so, where there is no browser; a failure where `CI=true`.
    pub async fn start(width: u32, height: u32) -> Option<Self> {
        let spawned =
            Command::new("chromedriver").arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let Ok(mut driver) = spawned else {
            assert!(env::var("CI").as_deref() != Ok("true"), "chromedriver is not installed");
            eprintln!("skipped: chromedriver is not installed; `make test` installs it");
            return None;
        };
        let output = BufReader::new(driver.stdout.take().unwrap());
        let port = output
            .lines()
            .map_while(Result::ok)
            .find_map(|line| {
                Some(line.split_once("successfully on port ")?.1.trim_end_matches('.').to_owned())
            })
            .expect("chromedriver says its port");
        let flags = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--autoplay-policy=no-user-gesture-required",
            &format!("--window-size={width},{height}"),
        ];
        let mut browser = Self {
            client: service_kit::client::http_client(Some(Duration::from_secs(90))).unwrap(),
            session: format!("http://127.0.0.1:{port}/session"),
            driver,
        };
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": { "args": flags }, "goog:loggingPrefs": { "browser": "ALL" } } } });
        let made = browser.call(Method::POST, "", Some(wanted)).await;
        browser.session = format!("{}/{}", browser.session, made["sessionId"].as_str().expect("a session"));
        Some(browser)
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let mut request = self.client.request(method, format!("{}{path}", self.session));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let mut answer: Value =
            request.send().await.expect("chromedriver answers").json().await.expect("in JSON");
        let value = answer["value"].take();
        assert!(value.get("error").is_none(), "{value}");
        value
    }

    /// Opens a page.
    pub async fn open(&self, url: &str) {
        self.call(Method::POST, "/url", Some(json!({ "url": url }))).await;
    }

    /// Evaluates JavaScript.
    pub async fn run(&self, script: &str) -> Value {
        self.call(Method::POST, "/execute/sync", Some(json!({ "script": script, "args": [] }))).await
    }

    /// Evaluates an expression until it is truthy, and answers what it was.
    pub async fn wait_for(&self, expression: &str) -> Value {
        let start = Instant::now();
        loop {
            let value = self.run(&format!("return ({expression})")).await;
            if !matches!(value, Value::Null | Value::Bool(false)) && value != json!(0) && value != json!("") {
                return value;
            }
            assert!(
                start.elapsed() < Duration::from_secs(60),
                "never true in the browser: {expression}\n{:?}",
                self.complaints().await
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// What the page wrote to the console as an error: scripts, refused requests, violations of the content security policy.
    pub async fn complaints(&self) -> Vec<String> {
        let log = self.call(Method::POST, "/se/log", Some(json!({ "type": "browser" }))).await;
        let entries = log.as_array().cloned().unwrap_or_default();
        entries
            .iter()
            .filter(|entry| entry["level"] == "SEVERE")
            .map(|entry| entry["message"].to_string())
            .collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Chromium ends with the driver that started it.
        let _ = Command::new("kill").arg("-TERM").arg(self.driver.id().to_string()).status();
        let _ = self.driver.wait();
    }
}
