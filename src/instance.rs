//! What this instance is: the release whose behaviour it has, and its own.

use serde::Serialize;
use utoipa::ToSchema;

use crate::error::Error;
use crate::web::api::{ApiCall, Shown};

/// The release whose behaviour this is; clients compare it.
pub const COMPATIBLE_WITH: &str = "17.7.0";

/// Our own.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The version of the instance.
#[derive(Debug, Serialize, ToSchema)]
pub struct Version {
    /// The release whose behaviour this is.
    version: &'static str,
    revision: &'static str,
    /// Latchkey's own version.
    latchkey_version: &'static str,
}

/// What clients may want to know before they begin.
#[derive(Debug, Serialize, ToSchema)]
pub struct Metadata {
    /// The release whose behaviour this is.
    version: &'static str,
    revision: &'static str,
    kas: AgentServer,
    enterprise: bool,
    /// Latchkey's own version.
    latchkey_version: &'static str,
}

/// The server for agents in clusters, of which there is none.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AgentServer {
    enabled: bool,
    external_url: Option<String>,
    external_k8s_proxy_url: Option<String>,
    version: Option<String>,
}

/// `GET /version`. Anybody with a credential.
///
/// # Errors
/// None of its own.
#[allow(clippy::unused_async, reason = "a handler")]
pub async fn version(_: ApiCall) -> Result<Shown<Version>, Error> {
    Ok(Shown(Version {
        version: COMPATIBLE_WITH,
        revision: VERSION,
        latchkey_version: VERSION,
    }))
}

/// `GET /metadata`. Anybody with a credential.
///
/// # Errors
/// None of its own.
#[allow(clippy::unused_async, reason = "a handler")]
pub async fn metadata(_: ApiCall) -> Result<Shown<Metadata>, Error> {
    Ok(Shown(Metadata {
        version: COMPATIBLE_WITH,
        revision: VERSION,
        kas: AgentServer {
            enabled: false,
            external_url: None,
            external_k8s_proxy_url: None,
            version: None,
        },
        enterprise: false,
        latchkey_version: VERSION,
    }))
}
