//! After a load: is everything there that was acknowledged, and is nothing half there?

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use anyhow::anyhow;

use super::{
    caller::{OWN, from_address},
    facts::{Before, Facts},
    ledger::{Ledger, Must, Told},
};
use crate::{place::Instance, run::Target, wire::Wire};

/// Connections that ask what values do.
const CONNECTIONS: usize = 8;

/// What was checked.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Checked {
    /// Changes that were acknowledged.
    pub(crate) acknowledged: usize,
    /// Changes that were never answered.
    pub(crate) unanswered: usize,
    /// Those of them that have happened all the same.
    pub(crate) happened: usize,
    /// Values that were tried.
    pub(crate) values: usize,
}

/// Checks all of it, when the load is over.
pub(crate) fn check(
    instance: &Instance,
    target: &Target,
    before: Before,
    ledgers: &[Arc<Mutex<Ledger>>],
    complaints: &mut Vec<String>,
) -> anyhow::Result<Checked> {
    let ledgers: Vec<Ledger> = ledgers
        .iter()
        .map(|ledger| {
            ledger
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone()
        })
        .collect();
    // Before old values are tried: who does that sets off the alarm that ends the new ones.
    let facts = Facts::read(&instance.database, before)?;
    complaints.extend(facts.halves());
    let mut checked = Checked::default();
    let mut told = Vec::new();
    for ledger in &ledgers {
        complaints.extend(ledger.complaints(&facts));
        let (unanswered, happened) = ledger.unanswered(&facts);
        checked.acknowledged += ledger.acknowledged();
        checked.unanswered += unanswered;
        checked.happened += happened;
        told.extend(ledger.told(&facts));
    }
    checked.values = told.len();
    for must in [Must::Work, Must::Fail] {
        let some: Vec<Told<'_>> = told
            .iter()
            .filter(|one| one.must == must)
            .copied()
            .collect();
        complaints.extend(try_all(target, &some)?);
    }
    complaints.extend(doctor(instance)?);
    Ok(checked)
}

/// What the doctor says that has failed.
fn doctor(instance: &Instance) -> anyhow::Result<Vec<String>> {
    let doctor = instance.program.command(&["doctor"]).output()?;
    let said = String::from_utf8_lossy(&doctor.stdout);
    let failed = said.lines().filter(|line| line.starts_with("failed"));
    let mut found: Vec<String> = failed.map(str::to_owned).collect();
    if found.is_empty() && !doctor.status.success() {
        found.push(doctor.status.to_string());
    }
    // A job that met a fault has failed, and is tried again later.
    found.retain(|line| line.split_whitespace().nth(1) != Some("jobs:"));
    Ok(found
        .iter()
        .map(|line| format!("the doctor: {line}"))
        .collect())
}

/// Tries all these values.
fn try_all(target: &Target, all: &[Told<'_>]) -> anyhow::Result<Vec<String>> {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..CONNECTIONS)
            .map(|_| {
                scope.spawn(|| -> anyhow::Result<Vec<String>> {
                    let mut wire = Wire::connect(&target.address)?;
                    let mut found = Vec::new();
                    loop {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        let Some(told) = all.get(at) else {
                            return Ok(found);
                        };
                        found.extend(try_one(target, told, at, &mut wire)?);
                    }
                })
            })
            .collect();
        let mut found = Vec::new();
        for thread in threads {
            found.extend(thread.join().map_err(|_| anyhow!("a check panicked"))??);
        }
        Ok(found)
    })
}

fn try_one(
    target: &Target,
    told: &Told<'_>,
    at: usize,
    wire: &mut Wire,
) -> anyhow::Result<Option<String>> {
    // What works is used from where it was made; what doesn't comes from everywhere, or we would be turned away.
    let request = match told.must {
        Must::Work => target.get(OWN, told.value),
        Must::Fail => {
            // An odd number spreads them: networks are counted as well as addresses.
            let [_, a, b, c] = (at as u32).wrapping_mul(2_654_435_761).to_le_bytes();
            let from = format!("10.{c}.{b}.{a}");
            from_address(target, OWN, told.value, &from)
        }
    };
    let status = wire.ask(&request)?.status;
    Ok(match (told.must, status) {
        (Must::Work, 200) | (Must::Fail, 401) => None,
        (must, status) => Some(format!(
            "the value of token {} must {}, and is answered with {status}",
            told.id,
            match must {
                Must::Work => "work",
                Must::Fail => "not work",
            }
        )),
    })
}
