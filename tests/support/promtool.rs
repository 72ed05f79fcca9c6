//! Prometheus's own tool, which says what Prometheus would make of metrics and rules.

// A test may fail loudly, and each test program uses its own part of this.
#![allow(clippy::expect_used, dead_code)]

use std::{
    env,
    io::{self, Write},
    path::Path,
    process::{Command, Stdio},
};

/// The tool.
pub struct Promtool(());

impl Promtool {
    /// The tool, or `None` where it isn't installed, which is said aloud.
    ///
    /// With `LATCHKEY_REQUIRE_CLIENTS=1` its absence is a failure.
    pub fn installed() -> Option<Promtool> {
        let found = Command::new("promtool")
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        if found {
            return Some(Promtool(()));
        }
        let complaint = "promtool is not installed (Debian: prometheus)";
        let required = env::var("LATCHKEY_REQUIRE_CLIENTS").is_ok_and(|value| value == "1");
        assert!(!required, "{complaint}, and LATCHKEY_REQUIRE_CLIENTS=1");
        // Straight to the stream: the test harness would keep what `eprintln!` says to itself.
        let _ = writeln!(io::stderr(), "SKIPPED: {complaint}");
        None
    }

    /// Succeeds with nothing to complain about; fails with all that the tool says otherwise.
    #[track_caller]
    pub fn is_content(&self, arguments: &[&str], folder: &Path, input: &str) {
        let mut child = Command::new("promtool")
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("promtool starts");
        let mut stdin = child.stdin.take().expect("it was asked for");
        // A tool that doesn't read its input to the end has something to say about it.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        let output = child.wait_with_output().expect("promtool ends");
        let said = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
        assert!(
            output.status.success(),
            "promtool {arguments:?}: {}\n{}",
            output.status,
            String::from_utf8_lossy(&said)
        );
    }
}
