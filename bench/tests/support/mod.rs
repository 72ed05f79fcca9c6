//! The bench as a program, and whether there is a PostgreSQL for it.

use std::{
    env,
    io::{self, Write as _},
    process::Command,
};

#[path = "../../../tests/support/keeper.rs"]
mod keeper;

/// What the bench printed.
pub fn bench(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_latchkey-bench"));
    if env::var("CI").is_ok_and(|value| value == "true") {
        // What there is has just been built; the bench would have Cargo build it anew, as its users have it.
        command.env_remove("CARGO");
    }
    let output = command
        .args(arguments)
        // What went wrong is said in words.
        .env("RUST_BACKTRACE", "0")
        .output()
        .expect("the bench can be run");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout).expect("the bench prints text")
}

/// Is PostgreSQL installed? If not, that is said aloud, and a failure with `LATCHKEY_REQUIRE_POSTGRES=1`.
pub fn has_postgresql() -> bool {
    let found = keeper::find_programs().is_some();
    if !found {
        let required = env::var("LATCHKEY_REQUIRE_POSTGRES").is_ok_and(|value| value == "1");
        assert!(
            !required,
            "PostgreSQL is not installed, and LATCHKEY_REQUIRE_POSTGRES=1"
        );
        // Straight to the stream: the test harness would keep what `eprintln!` says to itself.
        let _ = writeln!(io::stderr(), "SKIPPED: PostgreSQL is not installed");
    }
    found
}
