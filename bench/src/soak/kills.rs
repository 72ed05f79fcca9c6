//! `kill -9` of a node during changes, again and again.

use std::time::{Duration, Instant};

use anyhow::ensure;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use super::{
    Arguments,
    caller::Cast,
    check::check,
    crowd::{Crowd, How, Tolerance},
    facts::Before,
    mix::CHANGES,
    node::Node,
    outcome::Outcomes,
    say,
};
use crate::place::{Instance, Kind};

/// Clients of each node, and how long each of them rests between requests. At the node that is killed nobody rests: there
/// is always a change under way.
const CLIENTS: u32 = 8;
const PAUSE: Duration = Duration::from_millis(10);

/// How long a node lives, in milliseconds from when it listens.
const LIFE: std::ops::Range<u64> = 20..500;

/// What the moments are drawn from.
const SEED: u64 = 9;

/// A node that has come back answers changes within this time.
const BACK: Duration = Duration::from_secs(20);

/// Kills it so many times, and looks.
pub(crate) fn run(
    arguments: &Arguments,
    instance: &Instance,
    outcomes: &mut Outcomes,
) -> anyhow::Result<()> {
    let kind = instance.kind;
    say(kind, &format!("kills: {} of them", arguments.kills))?;
    let before = Before::of(&instance.database)?;
    let mut node = Node::start(instance)?;
    // SQLite has one node.
    let other = match kind {
        Kind::Sqlite => None,
        Kind::Postgres => Some(Node::start(instance)?),
    };
    let mut ledgers = Vec::new();
    let mut crowd = |node: &Node<'_>, first, pause, tolerance| -> anyhow::Result<Crowd> {
        let cast = Cast {
            load: "kills",
            first,
            mix: CHANGES,
            layout: instance.layout,
        };
        let mut callers = Vec::new();
        for place in 0..CLIENTS {
            let caller = cast.caller(&node.target, &node.cookie, place)?;
            ledgers.push(caller.ledger());
            callers.push(caller);
        }
        Ok(Crowd::start(
            &node.target.address,
            callers,
            pause,
            tolerance,
        ))
    };
    let killed = crowd(&node, 300, Duration::ZERO, Tolerance::BrokenConnections)?;
    let beside = match &other {
        Some(other) => Some(crowd(other, 300 + CLIENTS, PAUSE, Tolerance::Nothing)?),
        None => None,
    };
    let mut random = StdRng::seed_from_u64(SEED);
    let mut longest = Duration::ZERO;
    for _ in 0..arguments.kills {
        let before = killed.answered();
        let began = Instant::now();
        killed.wait(began + BACK, || killed.answered() > before);
        ensure!(
            killed.has_failed() || killed.answered() > before,
            "the node is there, and answers nothing"
        );
        let life = Duration::from_millis(random.random_range(LIFE));
        killed.wait(Instant::now() + life, || false);
        if killed.has_failed() || beside.as_ref().is_some_and(Crowd::has_failed) {
            break;
        }
        node.kill();
        let gone = Instant::now();
        node.start_again()?;
        longest = longest.max(gone.elapsed());
    }
    killed.wait(Instant::now() + Duration::from_secs(1), || false);
    let exchanges = killed.finish()?;
    let answered_beside = beside.map(Crowd::finish).transpose()?;

    let mut complaints = Vec::new();
    let checked = check(instance, &node.target, before, &ledgers, &mut complaints)?;
    let broken = exchanges
        .iter()
        .filter(|one| one.how == How::Broken && one.what.is_change())
        .count();
    if checked.unanswered == 0 {
        complaints.push("no change was under way when the node was killed".to_owned());
    }
    for (what, result) in [
        ("times", arguments.kills.to_string()),
        (
            "gone for, s, at the most",
            format!("{:.2}", longest.as_secs_f64()),
        ),
        (
            "changes acknowledged, and there",
            checked.acknowledged.to_string(),
        ),
        ("changes broken off", broken.to_string()),
        (
            "of the tokens' happened",
            format!("{} of {}", checked.happened, checked.unanswered),
        ),
        ("values tried afterwards", checked.values.to_string()),
    ] {
        outcomes.note(kind, &format!("`kill -9`: {what}"), result);
    }
    if let Some(all) = answered_beside {
        outcomes.note(
            kind,
            "`kill -9`: answers of the other node, all right",
            all.len(),
        );
    }
    outcomes.complain(kind, "kills", complaints);
    Ok(())
}
