//! Secrets come in on standard input, never as an argument: other users of a machine can read command lines.

use std::io::{self, BufRead, IsTerminal};

use zeroize::Zeroizing;

use super::Failure;
use super::output::Output;
use crate::users::password::{self, Password};

/// No secret is longer.
const LONGEST: u64 = 64 * 1024;

/// One line, without its end. At a terminal, `prompt` says what is waited for.
pub(super) fn line(prompt: &str, out: &Output) -> Result<Zeroizing<String>, Failure> {
    let stdin = io::stdin().lock();
    if stdin.is_terminal() {
        out.announce(prompt);
    }
    first_line(stdin)
}

fn first_line(input: impl BufRead) -> Result<Zeroizing<String>, Failure> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(256));
    input
        .take(LONGEST)
        .read_until(b'\n', &mut bytes)
        .map_err(|error| Failure::new(format!("standard input could not be read: {error}")))?;
    if bytes.ends_with(b"\n") {
        bytes.pop();
        if bytes.ends_with(b"\r") {
            bytes.pop();
        }
    }
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(Failure::new("what came on standard input is not UTF-8")),
    }
}

/// A new password for somebody of whom `about` is known, hashed.
pub(super) fn password(about: &[&str], out: &Output) -> Result<String, Failure> {
    let text = line(
        "Type the password (it will be visible) and press Enter:",
        out,
    )?;
    if text.is_empty() {
        return Err(Failure::new(
            "no password came on standard input; put it on one line, as in: echo \"$PASSWORD\" | latchkey user …",
        ));
    }
    let password = Password::new(text.as_str());
    password
        .check(about)
        .map_err(|problem| Failure::new(problem.to_string()))?;
    password::hash(&password, &mut rand::rng()).map_err(|error| Failure::new(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(input: &[u8]) -> String {
        first_line(input).unwrap().to_string()
    }

    #[test]
    fn the_first_line_is_taken_without_its_end_and_otherwise_as_it_is() {
        assert_eq!(read(b"correct horse\nmore\n"), "correct horse");
        assert_eq!(read(b" spaced \r\n"), " spaced ");
        assert_eq!(read(b"no end"), "no end");
        assert_eq!(read(b""), "");
        assert!(first_line(&b"\xff\n"[..]).is_err());
    }
}
