//! The gateway as the commands see it.

use service_kit::{client::ServiceClient, env::Env};

/// Where the gateway is unless `SM_GATEWAY_URL` says otherwise.
pub const DEFAULT_GATEWAY: &str = "http://127.0.0.1:8080";

/// A client of the gateway at `SM_GATEWAY_URL`, with the key of `SM_API_KEY` if there is one.
pub fn client(env: &Env) -> anyhow::Result<ServiceClient> {
    ServiceClient::new("The gateway", gateway_url(env), env.secret("SM_API_KEY"))
}

/// The gateway's address.
pub fn gateway_url(env: &Env) -> &str {
    env.get("SM_GATEWAY_URL").unwrap_or(DEFAULT_GATEWAY).trim_end_matches('/')
}
