//! What the loads ask for.

use std::{
    io::Write as _,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::Context as _;
use chrono::Days;
use latchkey::clock::Clock;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use crate::{
    seed::{
        Stock,
        layout::{
            FIRST_PERSON, LADDER_TOKEN, Layout, MEASURED, OWNER_TOKEN, PEOPLE, SUBGROUPS, login,
            value,
        },
        people::PASSWORD,
    },
    window::Client,
    wire::{Answer, Wire},
};

/// Ids that no token has.
const NOBODYS: i64 = 1 << 50;

/// Who is asked.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// `host:port`
    pub(crate) address: String,
    /// The yardstick: it answers everything with 200.
    pub(crate) bare: bool,
}

impl Target {
    fn status(&self, of_latchkey: u16) -> u16 {
        if self.bare { 200 } else { of_latchkey }
    }

    /// A request with a token.
    pub(crate) fn get(&self, path: &str, token: &str) -> Vec<u8> {
        format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nPRIVATE-TOKEN: {token}\r\n\r\n",
            self.address
        )
        .into_bytes()
    }

    /// A request of somebody who signed in.
    pub(crate) fn open(&self, path: &str, cookie: &str) -> Vec<u8> {
        format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nCookie: {cookie}\r\n\r\n",
            self.address
        )
        .into_bytes()
    }
}

/// The same request, again and again.
pub(crate) struct Fixed {
    pub(crate) request: Vec<u8>,
    pub(crate) status: u16,
}

impl Client for Fixed {
    fn turn(&mut self, wire: &mut Wire) -> anyhow::Result<bool> {
        wire.exchange(&self.request, self.status)?;
        Ok(true)
    }
}

/// The token of the ladder reads one of its rungs, from 1.
pub(crate) fn rung(target: &Target, rung: i64) -> Fixed {
    let path = format!("/api/v4/groups/{}", crate::seed::layout::LADDER + rung - 1);
    Fixed {
        request: target.get(&path, value(LADDER_TOKEN).expose()),
        status: 200,
    }
}

/// Which tokens a load uses.
#[derive(Debug, Clone)]
pub(crate) enum Draw {
    /// Any of them.
    All,
    /// A thousand of them, from everywhere in the table.
    Hot,
    /// Each once, one after the other, from a place that all connections share up to an end.
    Once(Arc<AtomicU64>, u64),
    /// Those between these places, again and again.
    Again(Arc<AtomicU64>, Range<u64>),
}

/// How many are hot.
const HOT: u64 = 1_000;

/// A prime: steps of this length visit all tokens, and no two beside each other.
const STEP: u64 = 2_654_435_761;

impl Draw {
    fn next(&self, tokens: u64, rng: &mut StdRng) -> Option<u64> {
        let place = match self {
            Draw::All => return Some(rng.random_range(0..tokens)),
            Draw::Hot => {
                let hot = HOT.min(tokens);
                return Some(rng.random_range(0..hot) * (tokens / hot));
            }
            Draw::Once(next, end) => {
                let place = next.fetch_add(1, Ordering::Relaxed);
                (place < tokens.min(*end)).then_some(place)?
            }
            Draw::Again(next, range) => {
                let count = (range.end - range.start).max(1);
                range.start + next.fetch_add(1, Ordering::Relaxed) % count
            }
        };
        Some(((u128::from(place) * u128::from(STEP)) % u128::from(tokens)) as u64)
    }
}

/// Many tokens, each of which reads a group that it may read.
pub(crate) struct Drawn {
    target: Target,
    layout: Layout,
    draw: Draw,
    rng: StdRng,
    request: Vec<u8>,
}

impl Drawn {
    /// The draws of one connection are those of its number.
    pub(crate) fn new(target: &Target, layout: Layout, draw: Draw, connection: u32) -> Drawn {
        Drawn {
            target: target.clone(),
            layout,
            draw,
            rng: StdRng::seed_from_u64(u64::from(connection)),
            request: Vec::new(),
        }
    }
}

impl Client for Drawn {
    fn turn(&mut self, wire: &mut Wire) -> anyhow::Result<bool> {
        let Some(number) = self.draw.next(self.layout.tokens, &mut self.rng) else {
            return Ok(false);
        };
        self.request.clear();
        write!(
            self.request,
            "GET /api/v4/groups/{} HTTP/1.1\r\nHost: {}\r\nPRIVATE-TOKEN: {}\r\n\r\n",
            self.layout.readable(number),
            self.target.address,
            value(self.layout.token(number).id).expose()
        )?;
        wire.exchange(&self.request, 200)?;
        Ok(true)
    }
}

/// Well-formed values that no token has, from everywhere: nobody tries so often that they are turned away.
pub(crate) struct Unknown {
    target: Target,
    rng: StdRng,
    request: Vec<u8>,
}

impl Unknown {
    /// The values of one connection are those of its number.
    pub(crate) fn new(target: &Target, connection: u32) -> Unknown {
        Unknown {
            target: target.clone(),
            rng: StdRng::seed_from_u64(u64::from(connection)),
            request: Vec::new(),
        }
    }
}

impl Client for Unknown {
    fn turn(&mut self, wire: &mut Wire) -> anyhow::Result<bool> {
        let [a, b, c]: [u8; 3] = self.rng.random();
        let id = NOBODYS + i64::from(self.rng.random::<u32>());
        self.request.clear();
        write!(
            self.request,
            "GET /api/v4/groups/{MEASURED} HTTP/1.1\r\nHost: {}\r\nX-Forwarded-For: 10.{a}.{b}.{c}\r\nPRIVATE-TOKEN: {}\r\n\r\n",
            self.target.address,
            value(id).expose()
        )?;
        wire.exchange(&self.request, self.target.status(401))?;
        Ok(true)
    }
}

/// Tokens are made, in one subgroup after the other.
pub(crate) struct Creating {
    target: Target,
    body: String,
    next: i64,
}

impl Creating {
    /// Connections begin at different subgroups.
    pub(crate) fn new(target: &Target, connection: u32) -> Creating {
        let expires_at = Clock::System.now().date_naive() + Days::new(200);
        Creating {
            target: target.clone(),
            body: format!(
                r#"{{"name":"made","scopes":["read_api"],"access_level":30,"expires_at":"{expires_at}"}}"#
            ),
            next: i64::from(connection) * 7,
        }
    }
}

impl Client for Creating {
    fn turn(&mut self, wire: &mut Wire) -> anyhow::Result<bool> {
        let group = MEASURED + 1 + self.next % SUBGROUPS;
        self.next += 1;
        let request = format!(
            "POST /api/v4/groups/{group}/access_tokens HTTP/1.1\r\nHost: {}\r\nPRIVATE-TOKEN: {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
            self.target.address,
            value(OWNER_TOKEN).expose(),
            self.body.len(),
            self.body
        );
        wire.exchange(request.as_bytes(), self.target.status(201))?;
        Ok(true)
    }
}

/// Tokens are revoked, each once; until there are none left.
pub(crate) struct Revoking {
    target: Target,
    stock: Arc<Stock>,
}

impl Revoking {
    /// Takes its tokens from here.
    pub(crate) fn new(target: &Target, stock: &Arc<Stock>) -> Revoking {
        Revoking {
            target: target.clone(),
            stock: Arc::clone(stock),
        }
    }
}

impl Client for Revoking {
    fn turn(&mut self, wire: &mut Wire) -> anyhow::Result<bool> {
        let Some(token) = self.stock.take() else {
            return Ok(false);
        };
        let request = format!(
            "DELETE /api/v4/groups/{}/access_tokens/{} HTTP/1.1\r\nHost: {}\r\nPRIVATE-TOKEN: {}\r\n\r\n",
            token.group,
            token.id,
            self.target.address,
            value(OWNER_TOKEN).expose()
        );
        wire.exchange(request.as_bytes(), self.target.status(204))?;
        Ok(true)
    }
}

/// People sign in: the form, and what they send with it.
pub(crate) struct SigningIn {
    target: Target,
    login: String,
    /// An address of its own: many sign-ins at once from a single one are turned away.
    from: String,
}

impl SigningIn {
    /// Each connection is a person of its own, as far as there are that many.
    pub(crate) fn new(target: &Target, connection: u32) -> SigningIn {
        SigningIn {
            target: target.clone(),
            login: login(FIRST_PERSON + i64::from(connection) % PEOPLE),
            from: format!("10.{}.0.1", connection % 256),
        }
    }
}

impl Client for SigningIn {
    fn turn(&mut self, wire: &mut Wire) -> anyhow::Result<bool> {
        sign_in(&self.target, &self.login, &self.from, wire)?;
        Ok(true)
    }
}

/// Signs somebody in, from an address; the cookie of the session comes back.
pub(crate) fn sign_in(
    target: &Target,
    login: &str,
    from: &str,
    wire: &mut Wire,
) -> anyhow::Result<String> {
    let form = wire.exchange(&sign_in_form(target), 200)?;
    let send = filled_in(target, &form, login, from)?;
    cookie(wire.exchange(&send, 303)?.header("set-cookie"))
}

/// Asks for the form of those who sign in.
pub(crate) fn sign_in_form(target: &Target) -> Vec<u8> {
    format!(
        "GET /users/sign_in HTTP/1.1\r\nHost: {}\r\n\r\n",
        target.address
    )
    .into_bytes()
}

/// Sends that form as somebody, from an address.
pub(crate) fn filled_in(
    target: &Target,
    form: &Answer<'_>,
    login: &str,
    from: &str,
) -> anyhow::Result<Vec<u8>> {
    let cookie = cookie(form.header("set-cookie"))?;
    let (_, rest) = form
        .text()?
        .split_once(r#"name="authenticity_token" value=""#)
        .context("a form without its token")?;
    let token = rest.split('"').next().unwrap_or_default();
    let body = format!(
        "authenticity_token={token}&user%5Blogin%5D={login}&user%5Bpassword%5D={}",
        PASSWORD.replace(' ', "+")
    );
    let send = format!(
        "POST /users/sign_in HTTP/1.1\r\nHost: {}\r\nCookie: {cookie}\r\nX-Forwarded-For: {from}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        target.address,
        body.len()
    );
    Ok(send.into_bytes())
}

fn cookie(header: Option<&str>) -> anyhow::Result<String> {
    let header = header.context("an answer without a cookie")?;
    Ok(header.split(';').next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn all(draw: &Draw, tokens: u64, count: usize) -> Vec<Option<u64>> {
        let mut rng = StdRng::seed_from_u64(1);
        (0..count).map(|_| draw.next(tokens, &mut rng)).collect()
    }

    #[test]
    fn tokens_that_are_drawn_once_are_all_drawn_and_then_there_are_none() {
        let drawn = all(&Draw::Once(Arc::default(), u64::MAX), 500, 501);
        let different: HashSet<u64> = drawn.iter().copied().flatten().collect();
        assert_eq!(different.len(), 500);
        assert_eq!(drawn[500], None);
    }

    #[test]
    fn what_is_drawn_again_is_what_was_drawn_once() {
        let once = all(
            &Draw::Once(Arc::new(AtomicU64::new(100)), u64::MAX),
            1_000,
            50,
        );
        let again = all(&Draw::Again(Arc::default(), 100..150), 1_000, 100);
        assert_eq!(again[..50], once[..]);
        assert_eq!(again[50..], once[..]);
    }

    #[test]
    fn the_hot_ones_are_a_thousand_from_the_whole_table() {
        let drawn = all(&Draw::Hot, 1_000_000, 50_000);
        let different: HashSet<u64> = drawn.into_iter().flatten().collect();
        assert_eq!(different.len(), 1_000);
        assert!(different.contains(&999_000));
    }
}
