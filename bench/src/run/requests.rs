//! Requests of all kinds, beside the yardstick of their kind.

use std::sync::Arc;

use anyhow::Context as _;

use super::{
    Setting,
    clients::{Creating, Draw, Drawn, Fixed, Revoking, SigningIn, Target, Unknown},
    subject::{Subject, Yardstick, closed, measure, steady},
};
use crate::{
    alternate::{Measure, Series, alternate},
    goals::{Aim, Results, number},
    place::Kind,
    report::{Table, grouped},
    seed::{
        Stock,
        layout::{LADDER, LADDER_TOKEN, Layout, OWNER_TOKEN, PAGE, value},
        path_of,
    },
    window::{Client, Shape, Window},
    wire::Wire,
};

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Request {
    /// A group, always with the same token
    Api,
    /// A group, with tokens drawn from the whole table
    Spread,
    /// A group, with a thousand tokens from everywhere in the table
    Hot,
    /// A group, with values that no token has
    Unknown,
    /// The first 20 tokens of a group
    List,
    /// The page of a group with 100 tokens
    Page,
    /// A new token
    Create,
    /// Revoking a token
    Revoke,
    /// Signing in: the form, and what is sent with it
    SignIn,
}

impl Request {
    /// All of them.
    pub(crate) const ALL: [Request; 9] = [
        Request::Api,
        Request::Spread,
        Request::Hot,
        Request::Unknown,
        Request::List,
        Request::Page,
        Request::Create,
        Request::Revoke,
        Request::SignIn,
    ];

    fn name(self) -> &'static str {
        match self {
            Request::Api => "a group, one token",
            Request::Spread => "a group, all tokens",
            Request::Hot => "a group, 1,000 hot tokens",
            Request::Unknown => "unknown token",
            Request::List => "list of 20 tokens",
            Request::Page => "page of 100 tokens",
            Request::Create => "create a token",
            Request::Revoke => "revoke a token",
            Request::SignIn => "sign in",
        }
    }
}

/// Tokens to be revoked for each second that is measured.
const STOCK: f64 = 3_000.0;

/// Of what the slowest one can do; so many requests a second at the most when p50 and p99 are measured.
const EASY: f64 = 0.4;

/// Measures one kind of request at all servers, and adds its lines.
pub(crate) fn measure_request(
    setting: &Setting,
    request: Request,
    subjects: &[Subject],
    table: &mut Table,
    results: Option<&mut Results>,
) -> anyhow::Result<()> {
    let bare = &setting.yardstick;
    let stocks = stocks(setting, request, subjects)?;
    let first = subjects.first().context("nothing to measure")?;
    let (length, layout) = (page_length(request, first)?, first.instance.layout);
    let all = |shape: Shape| -> anyhow::Result<Vec<Series>> {
        let mut measures: Vec<Measure<'_>> = vec![bare.measure(
            shape,
            Box::new(|connection| yardstick(request, bare, layout, length, connection)),
        )];
        for (subject, stock) in subjects.iter().zip(&stocks) {
            measures.push(measure(
                &subject.target,
                &subject.meter,
                shape,
                Box::new(move |connection| client(request, subject, stock, connection)),
            ));
        }
        alternate(setting.rounds, &mut measures)
    };
    let fast = all(closed(setting.connections))?;
    let memory: Vec<_> = subjects
        .iter()
        .map(|subject| subject.meter.memory())
        .collect();
    let slowest = fast
        .iter()
        .map(|series| series.median(Window::rate))
        .fold(f64::MAX, f64::min);
    let rate = setting.rate.min(slowest * EASY);
    let even = all(steady(setting.connections, rate))?;

    for (at, subject) in subjects.iter().enumerate() {
        let (ours, bare) = (&fast[at + 1], &fast[0]);
        let cpu = ours.cpu_of(bare).filter(|_| subject.sees_all());
        let ratio = |number: Option<f64>| number.map_or_else(String::new, self::number);
        let milliseconds = |series: &Series, permille| {
            number(series.median(|window| window.permille(permille) * 1000.0))
        };
        let (own, database) = memory[at];
        table.row([
            request.name().to_owned(),
            grouped(subject.instance.layout.tokens.cast_signed()),
            subject.instance.kind.name().to_owned(),
            ratio(ours.throughput_of(bare)),
            ratio(cpu),
            match cpu {
                Some(_) => number(ours.median(Window::cpu_per_answer) * 1e6),
                None => String::new(),
            },
            number(rate),
            milliseconds(&even[0], 500),
            milliseconds(&even[at + 1], 500),
            milliseconds(&even[0], 990),
            milliseconds(&even[at + 1], 990),
            (own / 1024).to_string(),
            database.map_or_else(String::new, |kib| (kib / 1024).to_string()),
        ]);
    }
    if let Some(results) = results {
        for (at, subject) in subjects.iter().enumerate() {
            note(
                request,
                subject,
                (&fast[at + 1], &fast[0]),
                (&even[at + 1], &even[0]),
                results,
            );
        }
    }
    Ok(())
}

/// The table's head.
pub(crate) fn table() -> Table {
    Table::new([
        "",
        "tokens",
        "database",
        "of the yardstick",
        "CPU, × the yardstick's",
        "CPU, µs",
        "at requests/s",
        "yardstick p50, ms",
        "p50, ms",
        "yardstick p99, ms",
        "p99, ms",
        "MiB",
        "MiB of PostgreSQL",
    ])
}

fn note(
    request: Request,
    subject: &Subject,
    (fast, bare): (&Series, &Series),
    (even, even_bare): (&Series, &Series),
    results: &mut Results,
) {
    let kind = subject.instance.kind;
    let throughput = fast.throughput_of(bare);
    match (request, kind) {
        (Request::Api, _) => {
            let cpu = fast.cpu_of(bare).filter(|_| subject.sees_all());
            let aims = match kind {
                Kind::Sqlite => (Aim::Api, Aim::ApiCpu),
                Kind::Postgres => (Aim::PostgresApi, Aim::PostgresApiCpu),
            };
            results.note(aims.0, kind, throughput);
            results.note(aims.1, kind, cpu);
        }
        (Request::Spread, _) => results.note(Aim::Spread, kind, throughput),
        (Request::Unknown, _) => results.note(Aim::Unknown, kind, throughput),
        (Request::List, _) => results.note(Aim::List, kind, throughput),
        (Request::Page, _) => {
            results.note(Aim::Page, kind, throughput);
            results.note(Aim::PageP99, kind, even.permille_of(even_bare, 990));
        }
        (Request::Hot | Request::Create | Request::Revoke | Request::SignIn, _) => {}
    }
}

/// The same requests, as far as they need nothing of Latchkey's; for the page a text as long as it is.
fn yardstick(
    request: Request,
    bare: &Yardstick,
    layout: Layout,
    length: Option<usize>,
    connection: u32,
) -> Box<dyn Client> {
    let target = &bare.target;
    let drawn = |draw| Box::new(Drawn::new(target, layout, draw, connection));
    match request {
        Request::Spread => drawn(Draw::All),
        Request::Hot => drawn(Draw::Hot),
        Request::Unknown => Box::new(Unknown::new(target, connection)),
        Request::Create => Box::new(Creating::new(target, connection)),
        _ => {
            let path = length.map_or_else(
                || format!("/api/v4/groups/{LADDER}"),
                |length| format!("/text/{length}"),
            );
            Box::new(Fixed {
                request: target.get(&path, value(LADDER_TOKEN).expose()),
                status: 200,
            })
        }
    }
}

fn page(subject: &Subject) -> Vec<u8> {
    let path = format!("/groups/{}/-/settings/access_tokens", path_of(PAGE));
    subject.target.open(&path, &subject.cookie)
}

/// How long the page is that is measured, if it is a page.
fn page_length(request: Request, subject: &Subject) -> anyhow::Result<Option<usize>> {
    if request != Request::Page {
        return Ok(None);
    }
    let mut wire = Wire::connect(&subject.target.address)?;
    let answer = wire.exchange(&page(subject), 200)?;
    Ok(Some(answer.body.len()))
}

/// Tokens to be revoked by each, as many as can't all go.
fn stocks(
    setting: &Setting,
    request: Request,
    subjects: &[Subject],
) -> anyhow::Result<Vec<Arc<Stock>>> {
    // The shorter window at the beginning, and both ways of measuring.
    let windows = (setting.rounds.rounds * 2 + 1) as f64 * 2.0;
    let count = (STOCK * setting.rounds.window.as_secs_f64() * windows) as i64;
    let stock = |subject: &Subject| match request {
        Request::Revoke => Stock::new(&subject.instance.database, count.max(100)),
        _ => Ok(Stock::default()),
    };
    subjects
        .iter()
        .map(|subject| Ok(Arc::new(stock(subject)?)))
        .collect()
}

fn client(
    request: Request,
    subject: &Subject,
    stock: &Arc<Stock>,
    connection: u32,
) -> Box<dyn Client> {
    let (target, layout): (&Target, _) = (&subject.target, subject.instance.layout);
    let drawn = |draw| Box::new(Drawn::new(target, layout, draw, connection));
    let fixed = |request| {
        Box::new(Fixed {
            request,
            status: 200,
        })
    };
    match request {
        Request::Api => fixed(target.get(
            &format!("/api/v4/groups/{LADDER}"),
            value(LADDER_TOKEN).expose(),
        )),
        Request::Spread => drawn(Draw::All),
        Request::Hot => drawn(Draw::Hot),
        Request::Unknown => Box::new(Unknown::new(target, connection)),
        Request::List => fixed(target.get(
            &format!("/api/v4/groups/{PAGE}/access_tokens?per_page=20"),
            value(OWNER_TOKEN).expose(),
        )),
        Request::Page => fixed(page(subject)),
        Request::Create => Box::new(Creating::new(target, connection)),
        Request::Revoke => Box::new(Revoking::new(target, stock)),
        Request::SignIn => Box::new(SigningIn::new(target, connection)),
    }
}
