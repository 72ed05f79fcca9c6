//! Where a request comes from: the client's address, user agent and request id.

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::header;
use ipnet::IpNet;

use crate::actor::{Channel, Origin};
use crate::app::App;

/// The longest user agent that is kept, in characters.
const USER_AGENT_MAX: usize = 200;

/// The id of this request, put there by the outermost layer.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// Where this request comes from.
pub fn origin(app: &App, req: &HttpRequest, channel: Channel) -> Origin {
    use actix_web::HttpMessage as _;
    let user_agent = req
        .headers()
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .map(|text| text.chars().take(USER_AGENT_MAX).collect())
        .unwrap_or_default();
    let request_id = req
        .extensions()
        .get::<RequestId>()
        .map(|id| id.0.clone())
        .unwrap_or_default();
    Origin {
        channel,
        ip: address(app, req),
        user_agent,
        request_id,
    }
}

/// The client's address: the peer's, unless the peer is a trusted proxy; then the right-most address in
/// `X-Forwarded-For` that isn't one.
pub fn address(app: &App, req: &HttpRequest) -> Option<IpAddr> {
    let peer = req.peer_addr().map(|addr| addr.ip())?;
    let forwarded: Vec<&str> = req
        .headers()
        .get_all("x-forwarded-for")
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    Some(through_proxies(peer, &forwarded, &app.trusted_proxies))
}

fn through_proxies(peer: IpAddr, forwarded: &[&str], trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |ip: IpAddr| trusted.iter().any(|net| net.contains(&ip));
    let mut client = peer;
    for hop in forwarded.iter().rev() {
        if !is_trusted(client) {
            break;
        }
        match hop.trim().parse() {
            Ok(ip) => client = ip,
            Err(_) => break,
        }
    }
    client
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn without_a_trusted_proxy_the_header_is_air() {
        assert_eq!(
            through_proxies(ip("9.9.9.9"), &["1.1.1.1"], &[]),
            ip("9.9.9.9")
        );
    }

    #[test]
    fn behind_trusted_proxies_the_right_most_stranger_counts() {
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let hops = ["6.6.6.6", " 1.2.3.4", "10.0.0.7"];
        assert_eq!(
            through_proxies(ip("10.0.0.1"), &hops, &trusted),
            ip("1.2.3.4")
        );
        assert_eq!(
            through_proxies(ip("10.0.0.1"), &["rubbish"], &trusted),
            ip("10.0.0.1")
        );
    }
}
