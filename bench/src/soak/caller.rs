//! One client: what it asks for, what it notes, and which answers it puts up with.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, anyhow};
use chrono::Days;
use latchkey::clock::Clock;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::Value;

use super::{
    ledger::Ledger,
    mix::{Mix, What},
};
use crate::{
    run::{Target, filled_in, sign_in_form},
    seed::{
        layout::{
            FIRST_PERSON, Layout, MEASURED, OWNER_TOKEN, PAGE, PEOPLE, SUBGROUPS, login, value,
        },
        path_of,
    },
    window::Client,
    wire::{Answer, Wire},
};

/// Tokens of its own that a client has at the most.
const MANY: usize = 30;

/// Ids that no token has.
const NOBODYS: i64 = 1 << 50;

/// The roles that are given in turn, in any order: no two beside each other are the same.
const LEVELS: [i64; 4] = [10, 20, 30, 40];

/// A token asks for itself.
pub(crate) const OWN: &str = "/api/v4/personal_access_tokens/self";

/// What came of a request.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The answer that it should get.
    Proper,
    /// 503, and when to try again.
    Away,
    /// The connection broke before there was an answer.
    Broken(anyhow::Error),
}

/// A client with a ledger.
pub(crate) struct Caller {
    target: Target,
    layout: Layout,
    mix: Mix,
    cookie: String,
    /// Which client of which load: no two have the same.
    name: String,
    number: u32,
    made: u32,
    rng: StdRng,
    ledger: Arc<Mutex<Ledger>>,
    /// Tokens that nothing open is known of.
    living: Vec<usize>,
    /// When its tokens end.
    expires_at: String,
}

/// How an answer is not what it should be: by a broken connection or 503 (an outcome), or by being wrong.
enum Trouble {
    Outcome(Outcome),
    Wrong(anyhow::Error),
}

impl From<anyhow::Error> for Trouble {
    fn from(error: anyhow::Error) -> Trouble {
        Trouble::Wrong(error)
    }
}

/// The clients of a load, and what they note.
pub(crate) struct Cast {
    /// A word for the load.
    pub(crate) load: &'static str,
    /// Numbers are given from here on; each number's role is another person's, 40 of them in each subgroup.
    pub(crate) first: u32,
    pub(crate) mix: Mix,
    pub(crate) layout: Layout,
}

impl Cast {
    /// One of them, by its place in the load. The member whose role it changes is added to a group.
    pub(crate) fn caller(
        &self,
        target: &Target,
        cookie: &str,
        place: u32,
    ) -> anyhow::Result<Caller> {
        let number = self.first + place;
        let expires_at = Clock::System.now().date_naive() + Days::new(200);
        let mut caller = Caller {
            target: target.clone(),
            layout: self.layout,
            mix: self.mix,
            cookie: cookie.to_owned(),
            name: format!("{} {number}", self.load),
            number,
            made: 0,
            rng: StdRng::seed_from_u64(u64::from(number)),
            ledger: Arc::default(),
            living: Vec::new(),
            expires_at: expires_at.to_string(),
        };
        caller.join_group()?;
        Ok(caller)
    }
}

impl Caller {
    /// What it notes.
    pub(crate) fn ledger(&self) -> Arc<Mutex<Ledger>> {
        Arc::clone(&self.ledger)
    }

    /// Asks for one thing. An answer that is neither right nor 503 is an error.
    pub(crate) fn ask(&mut self, wire: &mut Wire) -> anyhow::Result<(What, Outcome)> {
        let what = match self.mix.draw(&mut self.rng) {
            What::Create if self.living.len() >= MANY => What::Revoke,
            What::Rotate | What::Revoke if self.living.is_empty() => What::Create,
            what => what,
        };
        let done = match what {
            What::Group => self.group(wire),
            What::Own => self.own(wire),
            What::List => self.list(wire),
            What::Page => self.page(wire),
            What::Stranger => self.stranger(wire),
            What::Create => self.create(wire),
            What::Rotate => self.rotate(wire),
            What::Revoke => self.revoke(wire),
            What::Role => self.role(wire),
            What::SignIn => self.sign_in(wire),
        };
        match done {
            Ok(()) => Ok((what, Outcome::Proper)),
            Err(Trouble::Outcome(outcome)) => Ok((what, outcome)),
            Err(Trouble::Wrong(error)) => Err(error),
        }
    }

    fn group(&mut self, wire: &mut Wire) -> Result<(), Trouble> {
        let number = self.rng.random_range(0..self.layout.tokens);
        let path = format!("/api/v4/groups/{}", self.layout.readable(number));
        let value = value(self.layout.token(number).id);
        get(wire, &self.target.get(&path, value.expose()), 200).map(drop)
    }

    fn own(&mut self, wire: &mut Wire) -> Result<(), Trouble> {
        let newest = self.living.last().copied();
        let (id, value) = match newest.and_then(|at| self.newest(at)) {
            Some(own) => own,
            None => {
                let id = self.layout.token(0).id;
                (id, value(id).expose().to_owned())
            }
        };
        let request = self.target.get(OWN, &value);
        let answer = get(wire, &request, 200)?;
        let said = number(&json(&answer)?, "id")?;
        if said != id {
            return Err(anyhow!("token {id} is told that it is {said}").into());
        }
        Ok(())
    }

    fn list(&mut self, wire: &mut Wire) -> Result<(), Trouble> {
        let path = format!("/api/v4/groups/{PAGE}/access_tokens?per_page=20");
        let request = self.target.get(&path, value(OWNER_TOKEN).expose());
        let answer = get(wire, &request, 200)?;
        let rows = json(&answer)?.as_array().map(Vec::len);
        if rows != Some(20) {
            return Err(anyhow!("a list of 20 tokens has {rows:?}").into());
        }
        Ok(())
    }

    fn page(&mut self, wire: &mut Wire) -> Result<(), Trouble> {
        let path = format!("/groups/{}/-/settings/access_tokens", path_of(PAGE));
        get(wire, &self.target.open(&path, &self.cookie), 200).map(drop)
    }

    fn stranger(&mut self, wire: &mut Wire) -> Result<(), Trouble> {
        let from = self.address();
        let id = NOBODYS + i64::from(self.rng.random::<u32>());
        let request = from_address(
            &self.target,
            &format!("/api/v4/groups/{MEASURED}"),
            value(id).expose(),
            &from,
        );
        get(wire, &request, 401).map(drop)
    }

    fn create(&mut self, wire: &mut Wire) -> Result<(), Trouble> {
        let group = MEASURED + 1 + self.rng.random_range(0..SUBGROUPS);
        self.made += 1;
        let name = format!("{}/{}", self.name, self.made);
        let at = self.book().create(&name, group);
        let body = format!(
            r#"{{"name":"{name}","scopes":["read_api"],"access_level":30,"expires_at":"{}"}}"#,
            self.expires_at
        );
        let path = format!("/api/v4/groups/{group}/access_tokens");
        let request = self.change("POST", &path, &body);
        let answer = get(wire, &request, 201)?;
        self.note(at, &answer)
    }

    fn rotate(&mut self, wire: &mut Wire) -> Result<(), Trouble> {
        let (at, path) = self.take()?;
        self.book().rotate(at);
        let body = format!(r#"{{"expires_at":"{}"}}"#, self.expires_at);
        let request = self.change("POST", &format!("{path}/rotate"), &body);
        let answer = get(wire, &request, 200)?;
        self.note(at, &answer)
    }

    fn revoke(&mut self, wire: &mut Wire) -> Result<(), Trouble> {
        let (at, path) = self.take()?;
        self.book().revoke(at);
        let request = self.change("DELETE", &path, "");
        get(wire, &request, 204)?;
        self.book().is_revoked(at);
        Ok(())
    }

    fn role(&mut self, wire: &mut Wire) -> Result<(), Trouble> {
        let role = self.book().role().cloned().context("no role")?;
        let path = format!("/api/v4/groups/{}/members/{}", role.group, role.person);
        if role.is_open() {
            let request = self.target.get(&path, value(OWNER_TOKEN).expose());
            let answer = get(wire, &request, 200)?;
            let level = number(&json(&answer)?, "access_level")?;
            if !self.book().role_is_seen(level) {
                return Err(anyhow!("{path}: role {level} was neither there nor asked for").into());
            }
            return Ok(());
        }
        let others = LEVELS.iter().filter(|level| Some(**level) != role.level());
        let others: Vec<i64> = others.copied().collect();
        let level = others[self.rng.random_range(0..others.len())];
        self.book().change_role(level);
        let body = format!(r#"{{"access_level":{level}}}"#);
        let request = self.change("PUT", &path, &body);
        get(wire, &request, 200)?;
        self.book().role_is_changed();
        Ok(())
    }

    fn sign_in(&mut self, wire: &mut Wire) -> Result<(), Trouble> {
        let person = login(FIRST_PERSON + i64::from(self.number) % PEOPLE);
        let from = self.address();
        let form = get(wire, &sign_in_form(&self.target), 200)?;
        let send = filled_in(&self.target, &form, &person, &from)?;
        get(wire, &send, 303).map(drop)
    }

    /// Puts a person of its own into a group.
    fn join_group(&mut self) -> anyhow::Result<()> {
        let wire = &mut Wire::connect(&self.target.address)?;
        let people = PEOPLE as u32;
        let group = MEASURED + 1 + i64::from(self.number / people) % SUBGROUPS;
        let person = FIRST_PERSON + i64::from(self.number % people);
        let path = format!("/api/v4/groups/{group}/members");
        let body = format!(r#"{{"user_id":{person},"access_level":10}}"#);
        let request = self.change("POST", &path, &body);
        // In a database that was kept they may be there already.
        let mut level = 10;
        if wire.ask(&request)?.status != 201 {
            let request = self
                .target
                .get(&format!("{path}/{person}"), value(OWNER_TOKEN).expose());
            let there = wire.exchange(&request, 200)?;
            level = number(&json(&there)?, "access_level")?;
        }
        self.book().role_before(group, person, level);
        Ok(())
    }

    /// The next token to be changed, which nobody else changes, and its address. It is back once that is acknowledged.
    fn take(&mut self) -> Result<(usize, String), Trouble> {
        let any = self.rng.random_range(0..self.living.len().max(1));
        if any >= self.living.len() {
            return Err(anyhow!("no token to be changed").into());
        }
        let at = self.living.swap_remove(any);
        let (id, _) = self.newest(at).context("a token without a value")?;
        let group = self.book().group(at).context("a token without a group")?;
        Ok((at, format!("/api/v4/groups/{group}/access_tokens/{id}")))
    }

    /// Notes the value that an answer tells.
    fn note(&mut self, at: usize, answer: &Answer<'_>) -> Result<(), Trouble> {
        let told = json(answer)?;
        let id = number(&told, "id")?;
        let value = told.get("token").and_then(Value::as_str);
        let value = value.context("a new token without its value")?;
        self.book().has_value(at, id, value);
        self.living.push(at);
        Ok(())
    }

    fn newest(&self, at: usize) -> Option<(i64, String)> {
        let book = self.book();
        let (id, value) = book.newest(at)?;
        Some((id, value.to_owned()))
    }

    fn book(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, method: &str, path: &str, body: &str) -> Vec<u8> {
        format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nPRIVATE-TOKEN: {}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.target.address,
            value(OWNER_TOKEN).expose(),
            body.len()
        )
        .into_bytes()
    }

    fn address(&mut self) -> String {
        let [a, b, c]: [u8; 3] = self.rng.random();
        format!("10.{a}.{b}.{c}")
    }
}

/// A load that puts up with nothing.
pub(crate) struct Strict(pub(crate) Option<Caller>);

impl Client for Strict {
    fn turn(&mut self, wire: &mut Wire) -> anyhow::Result<bool> {
        let Some(caller) = &mut self.0 else {
            return Ok(false);
        };
        match caller.ask(wire)? {
            (_, Outcome::Proper) => Ok(true),
            (what, Outcome::Away) => Err(anyhow!("{what:?} was answered with 503")),
            (what, Outcome::Broken(error)) => Err(error.context(format!("{what:?}"))),
        }
    }
}

/// A token's request from another address: many of them are no attack.
pub(crate) fn from_address(target: &Target, path: &str, token: &str, from: &str) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {}\r\nX-Forwarded-For: {from}\r\nPRIVATE-TOKEN: {token}\r\n\r\n",
        target.address
    )
    .into_bytes()
}

/// Sends a request. 503 has to say when to come again.
fn get<'a>(wire: &'a mut Wire, request: &[u8], status: u16) -> Result<Answer<'a>, Trouble> {
    let answer = wire
        .ask(request)
        .map_err(|error| Trouble::Outcome(Outcome::Broken(error)))?;
    if answer.status == status {
        return Ok(answer);
    }
    let retry = answer.header("retry-after").map(str::parse::<u32>);
    match (answer.status, retry) {
        (503, Some(Ok(1..))) => Err(Trouble::Outcome(Outcome::Away)),
        (503, _) => Err(anyhow!("{}, without Retry-After", answer.to(request)).into()),
        _ => Err(anyhow!("{}, instead of {status}", answer.to(request)).into()),
    }
}

fn json(answer: &Answer<'_>) -> anyhow::Result<Value> {
    serde_json::from_slice(answer.body).context("an answer that isn't JSON")
}

fn number(object: &Value, name: &str) -> anyhow::Result<i64> {
    let number = object.get(name).and_then(Value::as_i64);
    number.with_context(|| format!("an answer without {name}"))
}
