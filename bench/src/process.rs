//! What Linux says about a process.

use std::{
    fs,
    process::{Child, Command},
    time::{Duration, Instant},
};

use anyhow::bail;

/// How often a process is looked at. Its peak is the kernel's own; only what it grew by after the last look is missed.
const LOOK: Duration = Duration::from_millis(10);

/// What a process has needed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Needed {
    /// By the clock.
    pub(crate) time: Duration,
    /// Memory at its peak, in KiB.
    pub(crate) peak_kib: u64,
}

/// Runs a command to its end, which has to be a good one.
pub(crate) fn run_to_end(mut command: Command) -> anyhow::Result<Needed> {
    let began = Instant::now();
    let mut child: Child = command.spawn()?;
    let mut peak_kib = 0;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        peak_kib = peak_kib.max(peak(child.id()).unwrap_or(0));
        std::thread::park_timeout(LOOK);
    };
    if !status.success() {
        bail!("{command:?}: {status}");
    }
    Ok(Needed {
        time: began.elapsed(),
        peak_kib,
    })
}

/// The most that a process has held in memory so far, in KiB.
fn peak(id: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}
