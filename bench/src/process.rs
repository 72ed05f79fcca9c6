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
    /// Memory at its peak, in KiB; pages of files that it has mapped count.
    pub(crate) peak_kib: u64,
    /// The most memory of its own that was seen, in KiB: without the pages of files, such as SQLite's database, which
    /// the kernel takes back when it likes.
    pub(crate) own_kib: u64,
}

/// Runs a command to its end, which has to be a good one.
pub(crate) fn run_to_end(mut command: Command) -> anyhow::Result<Needed> {
    let began = Instant::now();
    let mut child: Child = command.spawn()?;
    let (mut peak_kib, mut own_kib) = (0, 0);
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if let Some((peak, own)) = memory(child.id()) {
            peak_kib = peak_kib.max(peak);
            own_kib = own_kib.max(own);
        }
        std::thread::park_timeout(LOOK);
    };
    if !status.success() {
        bail!("{command:?}: {status}");
    }
    Ok(Needed {
        time: began.elapsed(),
        peak_kib,
        own_kib,
    })
}

/// The most that a process has held in memory so far, and what it holds of its own now, in KiB.
fn memory(id: u32) -> Option<(u64, u64)> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let number = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().trim_end_matches(" kB").parse().ok()
    };
    Some((number("VmHWM:")?, number("RssAnon:")?))
}
