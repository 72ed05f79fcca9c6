//! PostgreSQL goes away under a mixed load, and comes back.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use super::{
    Arguments,
    away::Outage,
    caller::Cast,
    check::check,
    crowd::{Crowd, Tolerance},
    facts::Before,
    mix::HALF_CHANGES,
    node::Node,
    outcome::Outcomes,
    say,
};
use crate::{
    cluster::{Cluster, Stop},
    goals::number,
    load::wait_until,
    place::{Instance, Kind, Place},
};

/// Clients, and how long each of them rests between requests: nobody is to wait for the machine.
const CLIENTS: u32 = 32;
const PAUSE: Duration = Duration::from_millis(50);

/// The load goes on so long before PostgreSQL is stopped.
const BEFORE: Duration = Duration::from_secs(2);
/// And so long after everything is well again.
const AFTER: Duration = Duration::from_secs(3);
/// By then it must be.
const AT_THE_LATEST: Duration = Duration::from_secs(15);

/// So many requests at least are to be sent and answered while PostgreSQL is away, or nothing was seen.
const ENOUGH: usize = 10;

/// A server that doesn't start in this time won't.
const START: Duration = Duration::from_secs(60);

/// Stops it in two ways, and looks each time.
pub(crate) fn run(
    arguments: &Arguments,
    place: &Place,
    instance: &Instance,
    outcomes: &mut Outcomes,
) -> anyhow::Result<()> {
    let cluster = place
        .cluster()
        .context("an outage needs a PostgreSQL of the bench's own, without --postgres")?;
    let node = Node::start(instance)?;
    for (at, (how, name)) in [
        (Stop::Fast, "stopped"),
        (Stop::Immediate, "stopped as if by a power failure"),
    ]
    .into_iter()
    .enumerate()
    {
        say(Kind::Postgres, &format!("outage: PostgreSQL is {name}"))?;
        one(
            arguments,
            cluster,
            (&node, instance),
            (how, name),
            at as u32,
            outcomes,
        )?;
    }
    Ok(())
}

fn one(
    arguments: &Arguments,
    cluster: &Cluster,
    (node, instance): (&Node<'_>, &Instance),
    (how, name): (Stop, &str),
    at: u32,
    outcomes: &mut Outcomes,
) -> anyhow::Result<()> {
    let before = Before::of(&instance.database)?;
    let cast = Cast {
        load: "outage",
        // Others than those of the load at a steady rate.
        first: 200 + at * CLIENTS,
        mix: HALF_CHANGES,
        layout: instance.layout,
    };
    let (mut callers, mut ledgers) = (Vec::new(), Vec::new());
    for place in 0..CLIENTS {
        let caller = cast.caller(&node.target, &node.cookie, place)?;
        ledgers.push(caller.ledger());
        callers.push(caller);
    }
    let crowd = Crowd::start(&node.target.address, callers, PAUSE, Tolerance::Outages);
    crowd.wait(Instant::now() + BEFORE, || false);
    let stopping = Instant::now();
    cluster.stop(how)?;
    let stopped = Instant::now();
    crowd.wait(stopped + Duration::from_secs_f64(arguments.away), || false);
    let starting = Instant::now();
    cluster.start_again()?;
    let accepting = wait_for(instance)?;
    crowd.wait(accepting + AT_THE_LATEST, || {
        let well_since = crowd
            .last_trouble()
            .map_or(accepting, |last| last.max(accepting));
        well_since.elapsed() > AFTER
    });
    let all = crowd.finish()?;

    let outage = Outage {
        stopping,
        stopped,
        starting,
        accepting,
    };
    let mut complaints = Vec::new();
    let noticed = outage.notice(&all, &mut complaints);
    if noticed.away < ENOUGH {
        complaints.push(format!(
            "only {} requests were sent and answered while PostgreSQL was away: give it longer",
            noticed.away
        ));
    }
    let checked = check(instance, &node.target, before, &ledgers, &mut complaints)?;
    for (what, result) in [
        ("away, s", number((accepting - stopping).as_secs_f64())),
        ("answers of 503", noticed.unavailable.to_string()),
        (
            "the slowest of them, s",
            number(noticed.longest.as_secs_f64()),
        ),
        (
            "all well again after, s",
            number(noticed.recovery.as_secs_f64()),
        ),
        (
            "changes acknowledged, and there",
            checked.acknowledged.to_string(),
        ),
        (
            "changes unanswered; of these happened",
            format!("{}; {}", checked.unanswered, checked.happened),
        ),
    ] {
        let line = format!("PostgreSQL {name}: {what}");
        outcomes.note(Kind::Postgres, &line, result);
    }
    outcomes.complain(Kind::Postgres, &format!("outage, {name},"), complaints);
    Ok(())
}

/// Waits until PostgreSQL takes connections.
fn wait_for(instance: &Instance) -> anyhow::Result<Instant> {
    let began = Instant::now();
    while instance.database.connect().is_err() {
        ensure!(began.elapsed() < START, "PostgreSQL doesn't start again");
        wait_until(Instant::now() + Duration::from_millis(10));
    }
    Ok(Instant::now())
}
