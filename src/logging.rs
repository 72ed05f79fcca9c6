//! What the program says while it runs: one line for each event, text or JSON, without a secret in it.

use std::{
    io::{self, IsTerminal, Write},
    panic::Location,
    sync::{Arc, Mutex, PoisonError},
};

use tracing::Subscriber;
use tracing_subscriber::{
    EnvFilter, Layer, fmt::MakeWriter, layer::SubscriberExt, util::SubscriberInitExt,
};

use crate::{config::LogFormat, redaction};

/// Where log lines go.
#[derive(Debug, Clone)]
pub enum Target {
    /// The server's own output.
    Stdout,
    /// For commands, whose output is their result.
    Stderr,
    /// For tests that read what was logged.
    Memory(Captured),
}

/// Log lines kept in memory.
#[derive(Debug, Clone, Default)]
pub struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    /// All that was logged so far.
    pub fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// Starts logging for the whole program. A panic is logged too, by its place and never by its words.
pub fn init(level: &str, format: Option<LogFormat>, target: Target) -> anyhow::Result<()> {
    subscriber(level, format, target)?.try_init()?;
    std::panic::set_hook(Box::new(|panic| report_panic(panic.location())));
    Ok(())
}

/// The subscriber that [`init`] installs, for a test to install for itself alone.
///
/// Without a format it is text on a terminal and JSON elsewhere.
pub fn subscriber(
    level: &str,
    format: Option<LogFormat>,
    target: Target,
) -> anyhow::Result<impl Subscriber + Send + Sync + 'static> {
    let format = format.unwrap_or_else(|| target.natural_format());
    // Colours would be control characters, and those are escaped.
    let layer = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_writer(target);
    let layer = match format {
        LogFormat::Text => layer.boxed(),
        LogFormat::Json => layer
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .boxed(),
    };
    Ok(tracing_subscriber::registry()
        .with(EnvFilter::try_new(level)?)
        .with(layer))
}

/// A panic's message may quote whatever was being worked on, so that only its place is told.
fn report_panic(location: Option<&Location>) {
    let location = location.map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
    tracing::error!(location, "Panicked at {location}");
}

impl Target {
    fn natural_format(&self) -> LogFormat {
        let terminal = match self {
            Target::Stdout => io::stdout().is_terminal(),
            Target::Stderr => io::stderr().is_terminal(),
            Target::Memory(_) => false,
        };
        if terminal {
            LogFormat::Text
        } else {
            LogFormat::Json
        }
    }

    /// Logging has nobody to tell that it failed: a closed pipe must not take the server with it.
    fn print(&self, line: &str) {
        let _ = match self {
            Target::Stdout => io::stdout().lock().write_all(line.as_bytes()),
            Target::Stderr => io::stderr().lock().write_all(line.as_bytes()),
            Target::Memory(captured) => captured
                .0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .write_all(line.as_bytes()),
        };
    }
}

impl<'a> MakeWriter<'a> for Target {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line {
            target: self,
            bytes: Vec::new(),
        }
    }
}

/// One event on its way out: collected whole, so that a secret can't hide between two writes.
#[derive(Debug)]
pub struct Line<'a> {
    target: &'a Target,
    bytes: Vec<u8>,
}

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        if !self.bytes.is_empty() {
            self.target
                .print(&printable(&String::from_utf8_lossy(&self.bytes)));
        }
    }
}

/// A single line without secrets, and without anything that moves a terminal's cursor or turns its text around.
fn printable(event: &str) -> String {
    let event = event.strip_suffix('\n').unwrap_or(event);
    let mut line = String::with_capacity(event.len() + 1);
    for character in redaction::redact(event).chars() {
        match character {
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\t' => line.push_str("\\t"),
            // Four digits in this form are right in JSON too.
            c if c.is_control() || is_invisible(c) => {
                line.push_str(&format!("\\u{:04x}", u32::from(c)))
            }
            c => line.push(c),
        }
    }
    line.push('\n');
    line
}

/// Line separators and the marks that override the direction of text.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::subscriber::with_default;

    fn logged(level: &str, format: LogFormat, run: impl FnOnce()) -> String {
        let captured = Captured::default();
        let subscriber = subscriber(level, Some(format), Target::Memory(captured.clone())).unwrap();
        with_default(subscriber, run);
        captured.text()
    }

    fn json(text: &str) -> serde_json::Value {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn an_event_is_one_line_of_text_or_json() {
        let event = || tracing::info!(token.id = 5, "Created access token {}", "ci");
        let text = logged("info", LogFormat::Text, event);
        assert!(
            text.ends_with("Created access token ci token.id=5\n"),
            "{text}"
        );
        assert!(text.contains(" INFO "), "{text}");

        let line = json(&logged("info", LogFormat::Json, event));
        assert_eq!(line["level"], "INFO");
        assert_eq!(line["message"], "Created access token ci");
        assert_eq!(line["token.id"], 5);
        assert!(line["timestamp"].as_str().unwrap().ends_with('Z'));
    }

    #[test]
    fn a_line_says_which_request_it_belongs_to() {
        let line = json(&logged("info", LogFormat::Json, || {
            tracing::info_span!("request", request_id = "r-1").in_scope(|| tracing::info!("hello"));
        }));
        assert_eq!(line["span"]["request_id"], "r-1");
    }

    #[test]
    fn the_filter_decides_what_is_logged() {
        let events = || {
            tracing::debug!("quiet");
            tracing::warn!("loud");
        };
        assert!(!logged("info", LogFormat::Text, events).contains("quiet"));
        assert!(logged("info", LogFormat::Text, events).contains("loud"));
        assert!(logged("debug", LogFormat::Text, events).contains("quiet"));
        assert_eq!(logged("off", LogFormat::Text, events), "");
        assert!(subscriber("latchkey=loud", None, Target::Stderr).is_err());
    }

    #[test]
    fn no_secret_reaches_a_line_in_either_format() {
        for format in [LogFormat::Text, LogFormat::Json] {
            let text = logged("info", format, || {
                let span = tracing::info_span!("request", uri = "/user?private_token=hunter2");
                span.in_scope(|| {
                    tracing::info!(password = "hunter2", "saw glpat-AbCdEfGhIjKlMnOpQrSt")
                });
            });
            assert!(!text.contains("hunter2"), "{text}");
            assert!(!text.contains("glpat-"), "{text}");
            assert_eq!(text.matches(redaction::FILTERED).count(), 3, "{text}");
        }
    }

    #[test]
    fn what_others_typed_can_neither_begin_a_line_nor_steer_a_terminal() {
        let typed = "a\nFAKE\r\u{1b}[2J\u{9b}\u{7f}\t\u{202e}\u{2028}b";
        for format in [LogFormat::Text, LogFormat::Json] {
            let text = logged("info", format, || tracing::info!("{typed}"));
            let line = text.strip_suffix('\n').unwrap();
            let unsafe_character = |c: char| c.is_control() || is_invisible(c);
            assert!(!line.contains(unsafe_character), "{line:?}");
        }
        let line = json(&logged("info", LogFormat::Json, || {
            tracing::info!("{typed}")
        }));
        assert_eq!(
            line["message"].as_str().unwrap().matches('\n').count(),
            1,
            "JSON lost what was typed"
        );
    }

    #[test]
    fn a_panic_tells_its_place_and_not_its_words() {
        let text = logged("info", LogFormat::Text, || {
            report_panic(Some(Location::caller()))
        });
        assert!(
            text.contains("Panicked at ") && text.contains("logging.rs"),
            "{text}"
        );
        assert!(
            logged("info", LogFormat::Text, || report_panic(None)).contains("an unknown place")
        );
    }
}
