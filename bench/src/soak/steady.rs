//! A mixed load at 80 % of the peak, for minutes: every answer is right, and nothing grows.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use super::{
    Arguments,
    caller::{Cast, Strict},
    check::check,
    facts::Before,
    flat::{Held, Sample},
    ledger::Ledger,
    mix::MOSTLY_READS,
    node::Node,
    outcome::Outcomes,
    say,
};
use crate::{
    goals::number,
    load::wait_until,
    place::Instance,
    report::grouped,
    run::{closed, steady},
    window::{Client, Running, Shape, Window},
};

/// Of the answers a second that are reached when nobody waits for anything.
const LOAD: f64 = 0.8;

/// How often memory is looked at, at the most and of the whole run.
const LOOK: Duration = Duration::from_secs(1);
const LOOKS: u32 = 100;

/// Finds the peak, stays below it for a while, and looks.
pub(crate) fn run(
    arguments: &Arguments,
    instance: &Instance,
    outcomes: &mut Outcomes,
) -> anyhow::Result<()> {
    let kind = instance.kind;
    let time = Duration::from_secs_f64(arguments.seconds);
    let before = Before::of(&instance.database)?;
    let node = Node::start(instance)?;
    let mut ledgers = Vec::new();
    say(kind, "steady: how much it can do at the most")?;
    let shape = closed(arguments.connections);
    let peak = start(&node, shape, 0, &mut ledgers)?.run_for(time.div_f64(20.0).max(PEAK))?;
    let rate = peak.rate() * LOAD;

    say(
        kind,
        &format!(
            "steady: {rate:.0} requests a second for {} s",
            arguments.seconds
        ),
    )?;
    let shape = steady(arguments.connections, rate);
    let running = start(&node, shape, arguments.connections, &mut ledgers)?;
    let (began, meter) = (Instant::now(), node.meter()?);
    let mut samples = Vec::new();
    while began.elapsed() < time && !running.is_over() {
        samples.push(Sample::of(&meter, began.elapsed()));
        let next = Instant::now() + LOOK.min(time / LOOKS);
        wait_until(next.min(began + time));
    }
    let window = running.finish()?;

    say(kind, "steady: is everything there?")?;
    let mut complaints = Vec::new();
    let checked = check(instance, &node.target, before, &ledgers, &mut complaints)?;
    let held = Held::of(&samples, time);
    match &held {
        Some(held) => complaints.extend(held.complaints()),
        None => complaints.push("the run was too short to see whether anything grows".to_owned()),
    }
    let milliseconds = |permille| number(window.permille(permille) * 1000.0);
    for (what, result) in [
        ("steady: answers a second at the most", number(peak.rate())),
        ("answers a second, asked for", number(rate)),
        ("answers a second, reached", number(Window::rate(&window))),
        ("answers", grouped(window.latencies.len() as i64)),
        ("p50, ms", milliseconds(500)),
        ("p99, ms", milliseconds(990)),
        ("the longest, ms", milliseconds(1000)),
        ("changes", grouped(checked.acknowledged as i64)),
        ("values tried afterwards", grouped(checked.values as i64)),
    ] {
        outcomes.note(kind, what, result);
    }
    if let Some(held) = held {
        let mebibytes = |course: super::flat::Course| course.shown(1024.0);
        outcomes.note(
            kind,
            "MiB: early, middle, late; peak",
            mebibytes(held.memory),
        );
        outcomes.note(kind, "open files", held.files.shown(1.0));
        outcomes.note(kind, "threads", held.threads.shown(1.0));
        if let Some(database) = held.database {
            outcomes.note(kind, "MiB of PostgreSQL's", mebibytes(database));
        }
    }
    outcomes.complain(kind, "steady", complaints);
    Ok(())
}

/// How long the peak is looked for at the least.
const PEAK: Duration = Duration::from_secs(3);

/// A load of clients with these numbers, whose ledgers are added.
fn start(
    node: &Node<'_>,
    shape: Shape,
    first: u32,
    ledgers: &mut Vec<Arc<Mutex<Ledger>>>,
) -> anyhow::Result<Running> {
    let cast = Cast {
        load: "steady",
        first,
        mix: MOSTLY_READS,
        layout: node.layout(),
    };
    let mut callers = Vec::new();
    for place in 0..shape.connections {
        let caller = cast.caller(&node.target, &node.cookie, place)?;
        ledgers.push(caller.ledger());
        callers.push(Mutex::new(Some(caller)));
    }
    let take = |place: u32| -> Box<dyn Client> {
        let caller = callers.get(place as usize);
        let caller = caller.and_then(|caller| caller.lock().ok()?.take());
        Box::new(Strict(caller))
    };
    Ok(Running::start(
        &node.target.address,
        shape,
        &node.meter()?,
        &take,
    ))
}
