//! Was an unsafe request sent by one of our own pages?
//!
//! A secret of the session, masked afresh in every form; and, where the browser tells, the place that
//! the request comes from.

use actix_web::HttpRequest;
use actix_web::http::header;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::RngExt as _;
use subtle::ConstantTimeEq as _;

use crate::config::ExternalUrl;

/// Bytes of a session's secret.
const LENGTH: usize = 32;

/// A new secret for a session, as text.
pub fn new_secret() -> String {
    let secret: [u8; LENGTH] = rand::rng().random();
    hex::encode(secret)
}

/// The secret as a form carries it: different each time, so that compressed pages don't tell it.
pub fn mask(secret: &str) -> String {
    let Ok(secret) = hex::decode(secret) else {
        return String::new();
    };
    let mask: [u8; LENGTH] = rand::rng().random();
    let mut text = mask.to_vec();
    text.extend(secret.iter().zip(mask).map(|(byte, mask)| byte ^ mask));
    URL_SAFE_NO_PAD.encode(text)
}

/// Does a form's token carry this session's secret?
pub fn matches(secret: &str, token: &str) -> bool {
    let (Ok(secret), Ok(token)) = (hex::decode(secret), URL_SAFE_NO_PAD.decode(token)) else {
        return false;
    };
    if secret.len() != LENGTH || token.len() != 2 * LENGTH {
        return false;
    }
    let (mask, masked) = token.split_at(LENGTH);
    let given: Vec<u8> = masked
        .iter()
        .zip(mask)
        .map(|(byte, mask)| byte ^ mask)
        .collect();
    given.ct_eq(&secret).into()
}

/// Does the browser say that a page of another site caused this?
pub fn comes_from_another_site(req: &HttpRequest) -> bool {
    req.headers()
        .get("sec-fetch-site")
        .is_some_and(|site| site.as_bytes() == b"cross-site")
}

/// Do the headers that browsers set speak against another site? Absent ones speak for nothing.
pub fn comes_from_us(req: &HttpRequest, external_url: &ExternalUrl) -> bool {
    let text = |name: header::HeaderName| {
        req.headers()
            .get(name)
            .map(|value| value.to_str().unwrap_or("?"))
    };
    let origin = text(header::ORIGIN).is_none_or(|origin| external_url.is_own_origin(origin));
    let site = text(header::HeaderName::from_static("sec-fetch-site"))
        .is_none_or(|site| matches!(site, "same-origin" | "none"));
    origin && site
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_masked_secret_matches_its_session_and_no_other() {
        let (ours, theirs) = (new_secret(), new_secret());
        let token = mask(&ours);
        assert!(matches(&ours, &token));
        assert!(!matches(&theirs, &token));
        assert_ne!(token, mask(&ours), "masked afresh");
        for rubbish in ["", "x", "AAAA", &ours] {
            assert!(!matches(&ours, rubbish), "{rubbish}");
        }
        assert!(!matches("", ""));
    }
}
