//! Where two loads of the same server are compared, or a load and its disk.

use std::{
    fs::{self, File},
    os::unix::fs::FileExt as _,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use super::{
    Setting,
    clients::{Creating, Draw, Drawn, Fixed, SigningIn, rung},
    subject::{Subject, closed, steady},
};
use crate::{
    alternate::{Measure, Series, alternate},
    goals::{Aim, Results},
    report::Table,
    seed::{
        layout::{EXPIRES_AT, LONG},
        path_of,
    },
    window::{Client, Running, Shape, Window},
};

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Comparison {
    /// Tokens whose last use is due to be written, and tokens that were used a moment ago
    LastUsed,
    /// Far down in a list, and its beginning
    Keyset,
    /// Creations by 1 and by 32 clients, and `fdatasync` of 4 KiB
    Durable,
    /// Reads beside 1,000 creations a second, and reads alone
    Beside,
    /// Steady reads while people sign in, and alone
    SignInP99,
    /// A group deep down, and one at the top
    Depth,
}

impl Comparison {
    /// All of them. What needs a server that remembers nothing comes first.
    pub(crate) const ALL: [Comparison; 6] = [
        Comparison::LastUsed,
        Comparison::Keyset,
        Comparison::Durable,
        Comparison::Beside,
        Comparison::SignInP99,
        Comparison::Depth,
    ];
}

/// Clients that wait for the writer together.
const MANY: u32 = 32;
/// Creations a second beside which is read.
const CREATIONS: f64 = 1_000.0;

/// The table's head.
pub(crate) fn table() -> Table {
    Table::new([
        "",
        "database",
        "what it is compared with",
        "ratio",
        "remark",
    ])
}

/// Measures one comparison at one server, and adds its lines.
pub(crate) fn measure_comparison(
    setting: &Setting,
    comparison: Comparison,
    subject: &mut Subject,
    table: &mut Table,
    results: &mut Results,
) -> anyhow::Result<()> {
    let kind = subject.instance.kind;
    let mut line = |what: &str, other: &str, ratio: Option<f64>, remark: String| {
        let ratio = ratio.map_or_else(String::new, crate::goals::number);
        table.row([
            what.to_owned(),
            kind.name().to_owned(),
            other.to_owned(),
            ratio,
            remark,
        ]);
    };
    match comparison {
        Comparison::LastUsed => {
            let cost = last_used(setting, subject)?;
            results.note(Aim::LastUsed, kind, cost.map(|ratio| ratio - 1.0));
            line(
                "CPU of a token whose use is due",
                "the same tokens a moment later",
                cost,
                String::new(),
            );
        }
        Comparison::Keyset => {
            let (ratio, row) = keyset(setting, subject)?;
            results.note(Aim::Keyset, kind, ratio);
            line(
                "CPU of a page far down by keyset",
                "the first page",
                ratio,
                format!("after row {row}"),
            );
        }
        Comparison::Durable => {
            let [sync, one, many] = durable(setting, subject)?;
            let waits = format!(
                "longest wait {} ms",
                crate::goals::number(many.longest() * 1000.0)
            );
            results.note(Aim::DurableOne, kind, one.throughput_of(&sync));
            results.note(Aim::DurableMany, kind, many.throughput_of(&sync));
            results.note(Aim::LongestWait, kind, Some(many.longest()));
            line(
                "creations, 1 client",
                "`fdatasync` of 4 KiB",
                one.throughput_of(&sync),
                String::new(),
            );
            line(
                "creations, 32 clients",
                "`fdatasync` of 4 KiB",
                many.throughput_of(&sync),
                waits,
            );
        }
        Comparison::Beside => {
            let (ratio, reached) = beside(setting, subject)?;
            results.note(Aim::ReadsBesideWrites, kind, ratio);
            let reached = format!("{} creations/s", crate::goals::number(reached));
            line("reads beside creations", "reads alone", ratio, reached);
        }
        Comparison::SignInP99 => {
            let (ratio, signed_in) = beside_sign_ins(setting, subject)?;
            results.note(Aim::SignInP99, kind, ratio);
            let signed_in = format!("{} sign-ins/s", crate::goals::number(signed_in));
            line(
                &format!("p99 of reads while {} people sign in", setting.people),
                "p99 alone",
                ratio,
                signed_in,
            );
        }
        Comparison::Depth => {
            for (depth, ratio) in depths(setting, subject, &[20])? {
                results.note(Aim::Depth, kind, ratio);
                line(
                    &format!("CPU of a group {depth} deep"),
                    "at the top",
                    ratio,
                    String::new(),
                );
            }
        }
    }
    Ok(())
}

/// The processor time at each depth, of that at the top.
pub(crate) fn depths(
    setting: &Setting,
    subject: &Subject,
    depths: &[i64],
) -> anyhow::Result<Vec<(i64, Option<f64>)>> {
    let shape = closed(setting.connections);
    let mut measures: Vec<Measure<'_>> = Vec::new();
    for depth in [1].iter().chain(depths) {
        let clients = move |_| -> Box<dyn Client> { Box::new(rung(&subject.target, *depth)) };
        measures.push(subject.measure(shape, Box::new(clients)));
    }
    let all = alternate(setting.rounds, &mut measures)?;
    let (top, others) = all.split_at(1);
    let ratios = others.iter().map(|series| series.cpu_of(&top[0]));
    Ok(depths.iter().copied().zip(ratios).collect())
}

/// When the seed says that all tokens were used last, and a bit.
const USED_SINCE: &str = "2026-02-02 10:00:00";

fn last_used(setting: &Setting, subject: &mut Subject) -> anyhow::Result<Option<f64>> {
    subject.restart()?;
    subject.instance.database.execute(&format!(
        "UPDATE access_token_uses SET last_used_at = '2026-02-01 10:00:00' WHERE last_used_at > '{USED_SINCE}'"
    ))?;
    let (shape, layout) = (closed(setting.connections), subject.instance.layout);
    let next = Arc::new(AtomicU64::new(0));
    // So that the tokens last for all windows.
    let windows = setting.rounds.rounds as u64 * 2 + 1;
    let share = (layout.tokens / windows).max(1);
    let last = std::cell::RefCell::new(0..share);
    let window = |draw: &Draw, time: Duration| {
        let clients = |connection| -> Box<dyn Client> {
            Box::new(Drawn::new(
                &subject.target,
                layout,
                draw.clone(),
                connection,
            ))
        };
        subject.load(shape, &clients).run_for(time)
    };
    let due: Measure<'_> = Box::new(|time| {
        let start = next.load(Ordering::Relaxed);
        let measured = window(&Draw::Once(Arc::clone(&next), start + share), time);
        let end = next.load(Ordering::Relaxed).min(start + share);
        next.store(end, Ordering::Relaxed);
        last.replace(start..end.max(start + 1));
        measured
    });
    let again: Measure<'_> = Box::new(|time| {
        let range = last.borrow().clone();
        window(&Draw::Again(Arc::default(), range), time)
    });
    let all = alternate(setting.rounds, &mut [due, again])?;
    Ok(all[0].cpu_of(&all[1]))
}

fn keyset(setting: &Setting, subject: &Subject) -> anyhow::Result<(Option<f64>, u64)> {
    let row = subject.instance.layout.long().saturating_sub(100);
    let after = subject.instance.layout.token(row.saturating_sub(1)).id;
    let path = format!("/groups/{}/-/token_inventory", path_of(LONG));
    let shape = closed(setting.connections);
    let pages = [path.clone(), format!("{path}?after={EXPIRES_AT}.{after}")];
    let mut measures: Vec<Measure<'_>> = Vec::new();
    for page in &pages {
        let request = subject.target.open(page, &subject.cookie);
        let clients = move |_| -> Box<dyn Client> {
            Box::new(Fixed {
                request: request.clone(),
                status: 200,
            })
        };
        measures.push(subject.measure(shape, Box::new(clients)));
    }
    let all = alternate(setting.rounds, &mut measures)?;
    Ok((all[1].cpu_of(&all[0]), row))
}

fn durable(setting: &Setting, subject: &Subject) -> anyhow::Result<[Series; 3]> {
    let path = subject.disk.join(format!("sync-{}", std::process::id()));
    let file = File::create(&path)?;
    let sync: Measure<'_> = Box::new(|time| sync_for(&file, time));
    let creating = |shape: Shape| {
        let clients = |connection| -> Box<dyn Client> {
            Box::new(Creating::new(&subject.target, connection))
        };
        subject.measure(shape, Box::new(clients))
    };
    let mut measures = [sync, creating(closed(1)), creating(closed(MANY))];
    let all = alternate(setting.rounds, &mut measures);
    drop(measures);
    fs::remove_file(&path)?;
    let mut all = all?.into_iter();
    Ok([(); 3].map(|()| all.next().unwrap_or_default()))
}

/// 4 KiB at a time, each of them on the disk before the next.
fn sync_for(file: &File, time: Duration) -> anyhow::Result<Window> {
    /// No more than a journal grows before it is used anew.
    const PLACES: u64 = 1000;
    let (began, block) = (Instant::now(), [7_u8; 4096]);
    let mut latencies = Vec::new();
    while began.elapsed() < time {
        let start = Instant::now();
        file.write_all_at(&block, latencies.len() as u64 % PLACES * 4096)?;
        file.sync_data()?;
        latencies.push(start.elapsed());
    }
    latencies.sort_unstable();
    Ok(Window {
        latencies,
        time: began.elapsed(),
        cpu: Duration::ZERO,
    })
}

/// Answers a second beside creations, of those alone; and how many creations there really were.
fn beside(setting: &Setting, subject: &Subject) -> anyhow::Result<(Option<f64>, f64)> {
    let mut creations = Vec::new();
    let mut others = |running: Running| {
        creations.push(running.finish()?.rate());
        Ok(())
    };
    let creating =
        |connection| -> Box<dyn Client> { Box::new(Creating::new(&subject.target, connection)) };
    let shapes = (closed(setting.connections), steady(MANY, CREATIONS));
    let all = with_and_without(setting, subject, shapes, &creating, &mut others)?;
    let reached = crate::statistics::median(creations).unwrap_or_default();
    Ok((all[1].throughput_of(&all[0]), reached))
}

/// p99 beside sign-ins, of that alone; and how many signed in.
fn beside_sign_ins(setting: &Setting, subject: &Subject) -> anyhow::Result<(Option<f64>, f64)> {
    let mut sign_ins = Vec::new();
    let mut others = |running: Running| {
        sign_ins.push(running.finish()?.rate());
        Ok(())
    };
    let signing_in =
        |connection| -> Box<dyn Client> { Box::new(SigningIn::new(&subject.target, connection)) };
    let shapes = (
        steady(setting.connections, setting.rate),
        closed(setting.people),
    );
    let all = with_and_without(setting, subject, shapes, &signing_in, &mut others)?;
    let signed_in = crate::statistics::median(sign_ins).unwrap_or_default();
    Ok((all[1].permille_of(&all[0], 990), signed_in))
}

/// Reads alone, and beside something else.
fn with_and_without(
    setting: &Setting,
    subject: &Subject,
    (reads, others): (Shape, Shape),
    others_do: &crate::window::Clients<'_>,
    ended: &mut dyn FnMut(Running) -> anyhow::Result<()>,
) -> anyhow::Result<Vec<Series>> {
    let reading = |_| -> Box<dyn Client> { Box::new(rung(&subject.target, 1)) };
    let alone = subject.measure(reads, Box::new(reading));
    let together: Measure<'_> = Box::new(|time| {
        let running = subject.load(others, others_do);
        // The first ones are under way.
        crate::load::wait_until(Instant::now() + Duration::from_millis(100));
        let measured = subject.load(reads, &reading).run_for(time);
        ended(running)?;
        measured
    });
    alternate(setting.rounds, &mut [alone, together])
}
