//! A client of event streams: reads them as browsers do.

use reqwest::Response;
use serde_json::Value;
use std::time::Duration;

use crate::harness::Stack;

/// Patience for what is to happen: a failure, not a verdict, depends on it.
const SOON: Duration = Duration::from_secs(60);

/// An event as it came.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub name: String,
    pub id: String,
    pub data: String,
}

impl Event {
    pub fn job(&self) -> Value {
        assert_eq!(self.name, "job");
        serde_json::from_str(&self.data).unwrap()
    }
}

/// A stream that is being read.
pub struct Stream {
    response: Response,
    read: String,
}

impl Stack {
    /// Opens a stream.
    pub async fn follow(&self, path: &str, last_seen: Option<&str>) -> Stream {
        let response = self.try_follow(path, last_seen).await;
        assert_eq!(response.status(), 200, "{path}");
        for (name, value) in [
            ("content-type", "text/event-stream"),
            ("cache-control", "no-store"),
            ("x-accel-buffering", "no"),
        ] {
            assert_eq!(response.headers()[name], value);
        }
        Stream { response, read: String::new() }
    }

    pub async fn try_follow(&self, path: &str, last_seen: Option<&str>) -> Response {
        // A client of its own: its time limit would be one of the whole stream.
        let client = service_kit::client::http_client(None).unwrap();
        let mut request = client.get(format!("{}{path}", self.base));
        if let Some(id) = last_seen {
            request = request.header("last-event-id", id);
        }
        request.send().await.unwrap()
    }
}

impl Stream {
    /// The next event; `None` at the end of the stream. A stream that is cut fails.
    pub async fn next(&mut self) -> Option<Event> {
        tokio::time::timeout(SOON, self.read_one()).await.expect("an event, or the end")
    }

    async fn read_one(&mut self) -> Option<Event> {
        loop {
            while let Some((block, rest)) = self.read.split_once("\n\n") {
                let event = parse(block);
                self.read = rest.to_owned();
                if event.is_some() {
                    return event;
                }
            }
            let piece = self.response.chunk().await.expect("the stream is not cut")?;
            self.read.push_str(std::str::from_utf8(&piece).unwrap());
        }
    }

    /// The next event, which must be one of a job.
    pub async fn job(&mut self) -> Value {
        self.next().await.expect("an event").job()
    }

    /// Reads on to a job of which something is so.
    pub async fn until(&mut self, is_so: impl Fn(&Value) -> bool) -> (Value, Event) {
        loop {
            let event = self.next().await.expect("an event");
            let job = event.job();
            if is_so(&job) {
                return (job, event);
            }
        }
    }
}

/// One block of a stream; `None` for a comment.
pub fn parse(block: &str) -> Option<Event> {
    let mut event = Event { name: String::new(), id: String::new(), data: String::new() };
    for line in block.lines() {
        match line.split_once(": ") {
            Some(("event", value)) => value.clone_into(&mut event.name),
            Some(("id", value)) => value.clone_into(&mut event.id),
            Some(("data", value)) => event.data.push_str(value),
            _ => assert!(line.starts_with(':'), "{line:?}"),
        }
    }
    (!event.name.is_empty()).then_some(event)
}
