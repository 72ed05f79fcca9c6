//! TLS for what we call ourselves: mail servers and webhooks.

use std::sync::Once;

/// Says once, for the whole process, which implementation does the cryptography of TLS.
pub fn provide() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Somebody else in this process may have chosen already; then theirs it is.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}
