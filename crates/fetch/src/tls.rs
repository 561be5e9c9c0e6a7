//! The one choice of cryptography for TLS.

/// Makes *ring* the process's TLS provider, unless one was chosen before. Cheap; called wherever a client is built, because
/// `reqwest` is compiled without a provider of its own and would fail without one.
pub fn ensure_provider() {
    // The error only says that somebody else was first, which is what was wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
