//! Manners towards other people's servers: how many requests one host gets at once, and when it wants to be left alone.
//!
//! Promises: over all sources of a process no host has more requests at once than configured, from the request to the end of its
//! body; what a host said in `Retry-After` holds for all its readers. The table of hosts is bounded by those in use.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::Url;

use crate::retry::LONGEST_PAUSE;

/// Hosts without a request that are remembered; beyond that they are forgotten.
const MOST_IDLE: usize = 256;

/// All hosts that were asked lately.
pub(crate) struct Hosts {
    per_host: usize,
    known: Mutex<HashMap<String, Arc<Host>>>,
}

/// One host, with its port.
pub(crate) struct Host {
    requests: Arc<Semaphore>,
    quiet_until: Mutex<Option<Instant>>,
}

impl Hosts {
    /// At most `per_host` requests to each.
    pub(crate) fn new(per_host: usize) -> Self {
        Self { per_host: per_host.max(1), known: Mutex::default() }
    }

    /// The host of an address.
    pub(crate) fn of(&self, url: &Url) -> Arc<Host> {
        let name = format!(
            "{}:{}",
            url.host_str().unwrap_or_default(),
            url.port_or_known_default().unwrap_or_default()
        );
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() > MOST_IDLE {
            known.retain(|_, host| Arc::strong_count(host) > 1 || host.quiet().is_some());
        }
        let host = known.entry(name).or_insert_with(|| {
            let requests = Arc::new(Semaphore::new(self.per_host));
            Arc::new(Host { requests, quiet_until: Mutex::default() })
        });
        Arc::clone(host)
    }
}

impl Host {
    /// Waits until the host may be asked; the permit is kept until the answer's body has come. `None` only at shutdown.
    pub(crate) async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        loop {
            let permit = Arc::clone(&self.requests).acquire_owned().await.ok()?;
            // Asked after the wait for a turn, because it may have changed meanwhile.
            let Some(quiet) = self.quiet() else { return Some(permit) };
            drop(permit);
            tokio::time::sleep(quiet).await;
        }
    }

    /// The host wants to be left alone for a while; no longer than the longest pause between tries.
    pub(crate) fn be_quiet(&self, wish: Duration) {
        let until = Instant::now() + wish.min(LONGEST_PAUSE);
        let mut quiet = self.quiet_until.lock().unwrap_or_else(PoisonError::into_inner);
        *quiet = (*quiet).max(Some(until));
    }

    fn quiet(&self) -> Option<Duration> {
        let quiet = self.quiet_until.lock().unwrap_or_else(PoisonError::into_inner);
        quiet.and_then(|until| until.checked_duration_since(Instant::now())).filter(|left| !left.is_zero())
    }
}
