//! All that a run measures, on few tokens and for moments: that every request is answered as it should be. What it takes
//! says nothing.

// A test may fail loudly.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use support::{bench, has_postgresql};

/// Rounds as short as can be.
const BRIEF: [&str; 9] = [
    "--rounds",
    "1",
    "--window",
    "0.03",
    "--rate",
    "50",
    "--connections",
    "4",
    "--dry",
];

fn measured_on(kind: &str, name: &str, left_out_of_all: usize) {
    let some = |arguments: &[&str]| {
        let all = [arguments, &["--on", kind], &BRIEF].concat();
        bench(&all)
    };
    let printed = some(&["run", "--tokens", "200", "--people", "4"]);
    let requests = [
        "a group, one token",
        "a group, all tokens",
        "a group, 1,000 hot tokens",
        "unknown token",
        "list of 20 tokens",
        "page of 100 tokens",
        "create a token",
        "revoke a token",
        "sign in",
    ];
    for request in requests {
        let line = format!("| {request} | 200 | {name} |");
        assert!(printed.contains(&line), "{line} is missing in\n{printed}");
    }
    assert!(printed.contains("20 deep"), "{printed}");
    // The goals that are about the other database, and the two of growth, which takes two sizes.
    let left_out = printed.matches("not measured").count();
    assert_eq!(left_out, left_out_of_all, "{printed}");

    let grown = some(&["grow", "--sizes", "200,400"]);
    for size in [200, 400] {
        let line = format!("| a group, all tokens | {name} | {size} tokens |");
        assert!(grown.contains(&line), "{line} is missing in\n{grown}");
    }
}

#[test]
fn every_request_is_answered_as_it_should_be_on_sqlite() {
    measured_on("sqlite", "SQLite", 4);
}

#[test]
fn every_request_is_answered_as_it_should_be_on_postgresql() {
    if has_postgresql() {
        measured_on("postgres", "PostgreSQL", 17);
    }
}
