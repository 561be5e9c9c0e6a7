//! The Lambda handler as Lambda runs it: under AWS's own emulator of the runtime, with its API and its deadlines.

use reqwest::Client;
use serde_json::Value;
use std::{
    env, fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command},
    time::{Duration, Instant},
};

use crate::{
    process::{built, spawn},
    stack::root,
};

/// Longest wait for the emulator to listen or to end. Generous: it only bounds a failure.
const PATIENCE: Duration = Duration::from_secs(60);

/// A function that can be invoked; it ends with its emulator when this is dropped.
pub struct Lambda {
    emulator: Child,
    address: String,
    log: PathBuf,
    client: Client,
}

impl Lambda {
    /// Sets up the function with settings of its own and so many seconds for each event. Where there is no emulator: `None`, having said that
    /// the test is skipped; a failure where `CI=true`.
    pub async fn start(
        settings: &[(String, String)],
        seconds: u32,
        directory: &Path,
        name: &str,
    ) -> Option<Self> {
        let emulator = root().join(".local/bin/aws-lambda-rie");
        if !emulator.exists() {
            assert!(env::var("CI").as_deref() != Ok("true"), "AWS's Lambda emulator is not installed");
            eprintln!("skipped: AWS's Lambda emulator is not installed; deployment/local/lambda.sh does it");
            return None;
        }
        let program = built("stream-montages-lambda").display().to_string();
        let (address, runtime_api) = (free_address(), free_address());
        let arguments = [
            "--runtime-interface-emulator-address",
            &address,
            "--runtime-api-address",
            &runtime_api,
            &program,
        ];
        let mut settings = settings.to_vec();
        settings.push(("AWS_LAMBDA_FUNCTION_TIMEOUT".to_owned(), seconds.to_string()));
        let (emulator, log) = spawn(&emulator, &arguments, &settings, directory, name);
        let client = service_kit::client::http_client(Some(PATIENCE)).expect("a client can be made");
        let mut lambda = Self { emulator, address, log, client };
        lambda.wait_until_listening().await;
        Some(lambda)
    }

    async fn wait_until_listening(&mut self) {
        let start = Instant::now();
        while tokio::net::TcpStream::connect(&self.address).await.is_err() {
            let ended = self.emulator.try_wait().expect("our own child can be asked");
            assert!(
                ended.is_none() && start.elapsed() < PATIENCE,
                "the emulator is not ready:\n{}",
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// What the function answers to an event. An error of the function is `{"errorType": …, "errorMessage": …}`.
    pub async fn invoke(&self, event: &Value) -> Value {
        let url = format!("http://{}/2015-03-31/functions/function/invocations", self.address);
        let answer = self.client.post(url).json(event).send().await.expect("the emulator answers");
        let text = answer.text().await.expect("an answer has a body");
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("not JSON: {text}\n{}", self.log()))
    }

    /// What the function and the emulator have logged.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Lambda {
    fn drop(&mut self) {
        // Asked to end, it ends the function too.
        let _ = Command::new("kill").args(["-TERM", &self.emulator.id().to_string()]).status();
        let start = Instant::now();
        while matches!(self.emulator.try_wait(), Ok(None)) && start.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.emulator.kill();
        let _ = self.emulator.wait();
    }
}

/// An address of loopback that nothing listens at.
fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    listener.local_addr().expect("a bound socket has an address").to_string()
}
