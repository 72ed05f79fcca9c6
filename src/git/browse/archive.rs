//! A whole commit in one file, written while it is sent.

use std::io;
use std::process::Command;

use super::Opened;
use crate::error::Error;
use crate::git::limits::Times;
use crate::git::process::{self, Later, Output};

/// What an archive is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `.tar.gz`
    TarGz,
    /// `.tar`
    Tar,
    /// `.zip`
    Zip,
}

impl Format {
    /// The format with this ending, without its first dot.
    pub fn parse(ending: &str) -> Option<Format> {
        [Format::TarGz, Format::Tar, Format::Zip]
            .into_iter()
            .find(|format| format.ending() == ending)
    }

    /// How names of such files end, without the dot; Git calls it the same.
    pub const fn ending(self) -> &'static str {
        match self {
            Format::TarGz => "tar.gz",
            Format::Tar => "tar",
            Format::Zip => "zip",
        }
    }
}

impl Opened {
    /// A run that writes an archive of a commit, or of what lies at a path in it, with everything in a folder of this
    /// name.
    pub fn archive(
        &self,
        commit: &str,
        path: Option<&str>,
        folder: &str,
        format: Format,
    ) -> Command {
        let mut command = self.command("archive");
        command
            .arg(format!("--format={}", format.ending()))
            .arg(format!("--prefix={folder}/"))
            .args([commit, "--"])
            .args(path);
        command
    }

    /// Sends what a run writes. `watch` tells again and again whether the caller still may have it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Git can't be started.
    pub fn stream(
        self,
        command: Command,
        times: Times,
        watch: Box<dyn Fn() -> Later<bool>>,
    ) -> Result<Output, Error> {
        let run = process::Run {
            command,
            times,
            turn: self.into_turn(),
            watch,
            at_end: Box::new(|_| Box::pin(std::future::ready(()))),
        };
        let nothing = Box::pin(futures_util::stream::empty::<io::Result<_>>());
        process::start(run, None, nothing).map_err(|error| {
            Error::unavailable(anyhow::Error::new(error).context("git can't be started"))
        })
    }
}

/// The name of the folder in an archive: `api-main-1f2e…`. `revision` is what was asked for.
pub fn folder(project: &str, revision: &str, commit: &str, path: Option<&str>) -> String {
    let plain = |text: &str| text.replace('/', "-");
    let mut name = format!("{project}-{}-{commit}", plain(revision));
    if let Some(path) = path {
        name.push('-');
        name.push_str(&plain(path));
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_named_after_what_was_asked_for() {
        assert_eq!(folder("api", "feature/a", "1f", None), "api-feature-a-1f");
        assert_eq!(folder("api", "v1", "1f", Some("a/b")), "api-v1-1f-a-b");
    }
}
