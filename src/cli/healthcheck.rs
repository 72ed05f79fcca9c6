//! `latchkey healthcheck`

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::Failure;
use super::instance::Instance;
use super::output::Output;

/// How long connecting, and each step of the answer, may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Nothing of an answer is of interest beyond this.
const ENOUGH: u64 = 4096;

/// Ask the server on this machine whether it is ready
///
/// For containers, which have no curl: asks /-/readiness at LATCHKEY_LISTEN. Status 0 if it says yes.
#[derive(Debug, Args)]
pub(super) struct Healthcheck {
    /// Ask whether the process answers at all, whatever its database does: /-/liveness
    #[arg(long)]
    live: bool,
}

impl Healthcheck {
    pub(super) fn run(&self, instance: &Instance, out: &Output) -> Result<(), Failure> {
        let (path, word) = if self.live {
            ("/-/liveness", "alive")
        } else {
            ("/-/readiness", "ready")
        };
        let address = reached_at(instance.config.listen);
        let answer = ask(address, path)
            .map_err(|error| Failure::new(format!("{address} does not answer: {error}")))?;
        match answer.split_whitespace().nth(1) {
            Some("200") => out.result(&json!({ "status": "ok" }), &format!("{address} is {word}")),
            _ => {
                let said = answer.rsplit("\r\n").next().unwrap_or_default();
                Err(Failure::new(format!("{address} is not {word}: {said}")))
            }
        }
    }
}

/// Where a server that listens there is found from the same machine.
fn reached_at(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

fn ask(address: SocketAddr, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.take(ENOUGH).read_to_string(&mut answer)?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_listens_everywhere_is_asked_on_loopback() {
        let at = |listen: &str| reached_at(listen.parse().unwrap()).to_string();
        assert_eq!(at("0.0.0.0:8080"), "127.0.0.1:8080");
        assert_eq!(at("[::]:8080"), "[::1]:8080");
        assert_eq!(at("10.0.0.7:80"), "10.0.0.7:80");
    }
}
