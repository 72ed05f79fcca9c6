//! The soak as it is in CI: seconds instead of minutes, all faults. What it takes says nothing; that every answer is right,
//! that nothing grows, and that nothing acknowledged is lost does.

// A test may fail loudly.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use support::{bench, has_postgresql};

/// The cells of a line of the table.
fn cells<'a>(printed: &'a str, line: &str) -> Vec<&'a str> {
    let start = format!("| {line} | ");
    let found = printed.lines().find_map(|one| one.strip_prefix(&start));
    let found = found.unwrap_or_else(|| panic!("{line} is missing in\n{printed}"));
    found.trim_end_matches(" |").split(" | ").collect()
}

fn number(cell: &str) -> f64 {
    let digits = cell.split(';').next().unwrap().replace(',', "");
    digits
        .trim()
        .parse()
        .unwrap_or_else(|_| panic!("no number: {cell}"))
}

/// One test: loads that run beside each other would take each other's time.
#[test]
fn nothing_fails_grows_or_is_lost_under_load_and_faults() {
    let postgres = has_postgresql();
    let on = if postgres {
        "sqlite,postgres"
    } else {
        "sqlite"
    };
    let printed = bench(&[
        "soak",
        "--seconds",
        "20",
        "--away",
        "9",
        "--kills",
        "20",
        "--tokens",
        "1000",
        "--on",
        on,
        "--dry",
    ]);
    let measured = if postgres { 2 } else { 1 };
    for line in [
        "answers",
        "changes",
        "values tried afterwards",
        "`kill -9`: times",
        "`kill -9`: changes acknowledged, and there",
        "`kill -9`: changes broken off",
    ] {
        let all = cells(&printed, line);
        assert!(
            all[..measured].iter().all(|cell| number(cell) >= 20.0),
            "{line}: {all:?} in\n{printed}"
        );
    }
    if !postgres {
        return;
    }
    for how in ["stopped", "stopped as if by a power failure"] {
        let of = |what: &str| number(cells(&printed, &format!("PostgreSQL {how}: {what}"))[1]);
        assert!(of("answers of 503") >= 10.0, "{printed}");
        assert!(of("changes acknowledged, and there") >= 10.0, "{printed}");
        assert!(of("all well again after, s") <= 10.0, "{printed}");
    }
}
