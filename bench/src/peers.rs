//! The same load on servers of others: one request of each, beside the bare handler.

use std::str::FromStr;

use anyhow::{bail, ensure};

use crate::{
    alternate::{Measure, alternate},
    goals::number,
    meter::Meter,
    report::{self, Table},
    run::{Fixed, Method, Target, Yardstick, closed, measure},
    window::{Client, Window},
};

/// Whose.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// `http://host:port/path=Header: value`, answered with 200.
    #[arg(required = true, value_name = "URL=HEADER")]
    peers: Vec<Peer>,
    /// The process of each, with commas between them, so that its processor time is measured.
    #[arg(long, value_delimiter = ',')]
    process: Vec<u32>,
    #[command(flatten)]
    method: Method,
}

/// Measures them by turns, and prints what came out.
pub(crate) fn compare(arguments: &Arguments) -> anyhow::Result<()> {
    let yardstick = Yardstick::start()?;
    let shape = closed(arguments.method.connections());
    let targets: Vec<(Target, Meter)> = arguments
        .peers
        .iter()
        .enumerate()
        .map(|(at, peer)| {
            let target = Target {
                address: peer.address.clone(),
                bare: false,
            };
            (
                target,
                Meter::of(arguments.process.get(at).copied().unwrap_or_default()),
            )
        })
        .collect();
    let bare = yardstick.target.get("/", "nobody");
    let same = move |request: Vec<u8>| {
        move |_| -> Box<dyn Client> {
            Box::new(Fixed {
                request: request.clone(),
                status: 200,
            })
        }
    };
    let mut measures: Vec<Measure<'_>> = vec![yardstick.measure(shape, Box::new(same(bare)))];
    for (peer, (target, meter)) in arguments.peers.iter().zip(&targets) {
        measures.push(measure(
            target,
            meter,
            shape,
            Box::new(same(peer.request())),
        ));
    }
    let all = alternate(arguments.method.rounds()?, &mut measures)?;
    let mut table = Table::new([
        "",
        "answers a second, of the bare handler's",
        "CPU, × its",
        "p50, ms",
        "p99, ms",
    ]);
    for (at, peer) in arguments.peers.iter().enumerate() {
        let series = &all[at + 1];
        let cpu = series.cpu_of(&all[0]).filter(|cpu| *cpu > 0.0);
        let milliseconds =
            |permille| number(series.median(|window: &Window| window.permille(permille) * 1000.0));
        table.row([
            peer.url.clone(),
            series
                .throughput_of(&all[0])
                .map_or_else(String::new, number),
            cpu.map_or_else(String::new, number),
            milliseconds(500),
            milliseconds(990),
        ]);
    }
    report::print(
        &format!(
            "{} build, {} connections.",
            report::profile(),
            arguments.method.connections()
        ),
        &table,
    )
}

/// A server of anybody's: what is asked of it, and with which header.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Peer {
    url: String,
    address: String,
    path: String,
    header: String,
}

impl FromStr for Peer {
    type Err = anyhow::Error;

    /// `http://host:port/path=Header: value`
    fn from_str(text: &str) -> anyhow::Result<Peer> {
        let (url, header) = text.split_once('=').unwrap_or((text, ""));
        let Some(rest) = url.strip_prefix("http://") else {
            bail!("{url} doesn't begin with http://");
        };
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let address = if host.contains(':') {
            host.to_owned()
        } else {
            format!("{host}:80")
        };
        ensure!(
            header.is_empty() || header.contains(':'),
            "a header has a colon: {header}"
        );
        Ok(Peer {
            url: url.to_owned(),
            address,
            path: format!("/{path}"),
            header: header.to_owned(),
        })
    }
}

impl Peer {
    fn request(&self) -> Vec<u8> {
        let header = match self.header.as_str() {
            "" => String::new(),
            header => format!("{header}\r\n"),
        };
        format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\n{header}\r\n",
            self.path, self.address
        )
        .into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_an_address_a_path_and_a_header() {
        let peer: Peer = "http://localhost:8080/api/v4/groups/1=PRIVATE-TOKEN: a=b"
            .parse()
            .unwrap();
        assert_eq!(peer.address, "localhost:8080");
        let request = String::from_utf8(peer.request()).unwrap();
        assert_eq!(
            request,
            "GET /api/v4/groups/1 HTTP/1.1\r\nHost: localhost:8080\r\nPRIVATE-TOKEN: a=b\r\n\r\n"
        );
        assert!("https://localhost/".parse::<Peer>().is_err());
        assert!("http://localhost/=no header".parse::<Peer>().is_err());
    }
}
