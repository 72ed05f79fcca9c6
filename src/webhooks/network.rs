//! The way out: how names become addresses, and which of them may be called.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::is_public;

/// Asks for the addresses of a name.
type LookUp = dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> + Send + Sync;

/// The network that webhooks are called through.
#[derive(Clone)]
pub struct Network {
    look_up: Arc<LookUp>,
    patience: Duration,
}

/// How long a call may take, from the question for the address to the end of the answer.
const PATIENCE: Duration = Duration::from_secs(10);

impl Network {
    /// The network of this machine.
    pub fn system() -> Self {
        Network::with(|name| {
            Box::pin(async move {
                let found = tokio::net::lookup_host((name, 0)).await?;
                Ok(found.map(|address| address.ip()).collect())
            })
        })
    }

    /// The network of this machine, where somebody else knows the names.
    pub fn with(
        look_up: impl Fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> + Send + Sync + 'static,
    ) -> Self {
        Network {
            look_up: Arc::new(look_up),
            patience: PATIENCE,
        }
    }

    /// The same with another patience.
    #[must_use]
    pub fn patient_for(self, patience: Duration) -> Self {
        Network { patience, ..self }
    }

    /// How long a call may take.
    pub(super) fn patience(&self) -> Duration {
        self.patience
    }
}

/// Names become addresses here and nowhere else, each time that a connection is made, and the connection goes to
/// what was looked at: a name that says one thing now and another thing a moment later gains nothing.
pub(super) struct Checked {
    network: Network,
    allow_local: bool,
}

impl Checked {
    pub(super) fn new(network: &Network, allow_local: bool) -> Self {
        Checked {
            network: network.clone(),
            allow_local,
        }
    }
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let found = (self.network.look_up)(name.as_str().to_owned());
        let allow_local = self.allow_local;
        Box::pin(async move {
            let addresses = found.await.map_err(|_| Unresolved)?;
            if addresses.is_empty() {
                return Err(Unresolved.into());
            }
            // One is enough: whoever mixes public and private addresses means the private one.
            if !allow_local && !addresses.iter().all(|address| is_public(*address)) {
                return Err(NotPublic.into());
            }
            let addresses: Vec<SocketAddr> = addresses
                .into_iter()
                .map(|address| SocketAddr::new(address, 0))
                .collect();
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// The name has no address, or nobody could be asked.
#[derive(Debug, thiserror::Error)]
#[error("The host name could not be resolved")]
pub(super) struct Unresolved;

/// An address that webhooks don't call.
#[derive(Debug, thiserror::Error)]
#[error("Requests to the local network are not allowed")]
pub(super) struct NotPublic;
