//! What a push asks for: the commands before the pack, and which of them nobody may, or not this person.

use super::pkt_line::{self, Frame, Malformed};

/// What the commands of one push may take, in bytes.
const BYTES_MAX: usize = 1024 * 1024;

/// How many commands one push may have.
const COMMANDS_MAX: usize = 10_000;

/// One reference that a push wants to have changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The object that it points to, as the client believes; zeros if it isn't there.
    pub old: String,
    /// The object that it shall point to; zeros to delete it.
    pub new: String,
    /// Its full name: `refs/heads/main`.
    pub name: String,
}

impl Command {
    /// Is the reference to go?
    pub fn deletes(&self) -> bool {
        is_zero(&self.new)
    }

    /// Is it to be made?
    pub fn creates(&self) -> bool {
        is_zero(&self.old)
    }
}

/// Does this id stand for nothing?
pub fn is_zero(id: &str) -> bool {
    id.bytes().all(|byte| byte == b'0')
}

/// All that comes before the pack.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Commands {
    /// In the order in which they came; none in a probe.
    pub list: Vec<Command>,
    /// What the client can do, from the first line.
    capabilities: String,
    /// The bytes that they took, the flush included.
    pub taken: usize,
}

/// Why the beginning of a push can't be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// It isn't what a client of Git sends.
    Malformed,
    /// More commands than any push needs.
    TooMany,
}

impl From<Malformed> for Unreadable {
    fn from(_: Malformed) -> Self {
        Unreadable::Malformed
    }
}

impl Commands {
    /// Reads the commands from the front of a body; nothing if they haven't all come yet.
    ///
    /// # Errors
    /// [`Unreadable`]
    pub fn read(bytes: &[u8]) -> Result<Option<Commands>, Unreadable> {
        let mut commands = Commands::default();
        Ok(commands.go_on(bytes)?.then_some(commands))
    }

    /// Reads on in a body of which more has come. `true` when all commands are there.
    ///
    /// # Errors
    /// [`Unreadable`]
    pub fn go_on(&mut self, bytes: &[u8]) -> Result<bool, Unreadable> {
        loop {
            let Some((frame, taken)) = pkt_line::read(&bytes[self.taken..])? else {
                if bytes.len() > BYTES_MAX {
                    return Err(Unreadable::TooMany);
                }
                return Ok(false);
            };
            self.taken += taken;
            if self.taken > BYTES_MAX {
                return Err(Unreadable::TooMany);
            }
            match frame {
                Frame::Flush => return Ok(true),
                Frame::Mark => return Err(Unreadable::Malformed),
                Frame::Line(line) => self.take(line)?,
            }
        }
    }

    fn take(&mut self, line: &[u8]) -> Result<(), Unreadable> {
        // Git looks for capabilities behind commands alone, and so behind the first of them nobody has any more.
        if line.starts_with(b"shallow ") && !line.contains(&0) {
            return Ok(());
        }
        let (line, capabilities) = match line.iter().position(|byte| *byte == 0) {
            Some(at) => (&line[..at], &line[at + 1..]),
            None => (line, &[][..]),
        };
        let text = |bytes| std::str::from_utf8(bytes).map_err(|_| Unreadable::Malformed);
        let line = text(line)?.trim_end_matches('\n');
        if !capabilities.is_empty() {
            if !self.list.is_empty() {
                return Err(Unreadable::Malformed);
            }
            self.capabilities = text(capabilities)?.trim().to_owned();
        }
        // A push with a certificate repeats its commands inside of it, signed: it was never offered.
        let mut words = line.splitn(3, ' ');
        let (Some(old), Some(new), Some(name)) = (words.next(), words.next(), words.next()) else {
            return Err(Unreadable::Malformed);
        };
        if !is_id(old) || !is_id(new) || name.is_empty() || name.contains(char::is_control) {
            return Err(Unreadable::Malformed);
        }
        if self.list.len() == COMMANDS_MAX {
            return Err(Unreadable::TooMany);
        }
        self.list.push(Command {
            old: old.to_owned(),
            new: new.to_owned(),
            name: name.to_owned(),
        });
        Ok(())
    }

    /// Did the client say that it can do this?
    pub fn can(&self, capability: &str) -> bool {
        self.capabilities.split(' ').any(|word| word == capability)
    }

    /// Does one of them touch this reference?
    pub fn touch(&self, name: &str) -> bool {
        self.list.iter().any(|command| command.name == name)
    }
}

/// The id of an object: 40 hexadecimal digits, or 64.
fn is_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Why a command is refused before anything is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// A protected branch, and a role that may not push to it.
    Protected,
    /// A protected branch is never deleted by a push.
    Deletion,
    /// Not a branch, a tag or a note: what is elsewhere is the server's own.
    Hidden,
}

impl Refusal {
    /// As `git push` shows it in brackets.
    pub const fn reason(self) -> &'static str {
        match self {
            Refusal::Protected => "protected branch",
            Refusal::Deletion => "protected branch can't be deleted",
            Refusal::Hidden => "only branches, tags and notes can be pushed",
        }
    }
}

/// The references that clients may change.
const OPEN: [&str; 3] = ["refs/heads/", "refs/tags/", "refs/notes/"];

/// Why this command is refused, if it is. `maintains` says whether who pushes may push to protected branches.
pub fn refusal(command: &Command, protected: &str, maintains: bool) -> Option<Refusal> {
    if !OPEN.iter().any(|prefix| command.name.starts_with(prefix)) {
        return Some(Refusal::Hidden);
    }
    if command.name != protected {
        return None;
    }
    if command.deletes() {
        return Some(Refusal::Deletion);
    }
    (!maintains).then_some(Refusal::Protected)
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
    const ZERO: &str = "0000000000000000000000000000000000000000";
    const MAIN: &str = "refs/heads/main";

    fn body(lines: &[&str]) -> Vec<u8> {
        let mut out = Vec::new();
        for line in lines {
            pkt_line::write(&mut out, line.as_bytes());
        }
        out.extend_from_slice(pkt_line::FLUSH);
        out
    }

    fn command(old: &str, new: &str, name: &str) -> Command {
        Command {
            old: old.into(),
            new: new.into(),
            name: name.into(),
        }
    }

    #[test]
    fn commands_come_before_the_pack() {
        let first = format!("{A} {B} {MAIN}\0 report-status side-band-64k agent=git/2.39.5");
        let second = format!("{ZERO} {A} refs/tags/v 1\n");
        let shallow = format!("shallow {A}\n");
        let mut bytes = body(&[&shallow, &first, &second]);
        let length = bytes.len();
        bytes.extend_from_slice(b"PACK");
        let commands = Commands::read(&bytes).unwrap().unwrap();
        assert_eq!(
            commands.list,
            [command(A, B, MAIN), command(ZERO, A, "refs/tags/v 1")]
        );
        assert_eq!(commands.taken, length);
        assert!(commands.can("report-status") && commands.can("side-band-64k"));
        assert!(!commands.can("atomic") && !commands.can("side-band"));
        assert!(commands.touch(MAIN) && !commands.touch("refs/heads/mai"));
        // However it is cut, it is the same in the end, and nothing before.
        for cut in 0..length {
            assert_eq!(Commands::read(&bytes[..cut]), Ok(None), "{cut}");
        }
    }

    #[test]
    fn a_probe_asks_for_nothing() {
        let probe = Commands::read(b"0000").unwrap().unwrap();
        assert!(probe.list.is_empty());
        assert_eq!(probe.taken, 4);
    }

    #[test]
    fn what_is_no_push_is_refused() {
        let late = format!("{A} {B} refs/heads/x\0atomic");
        let first = format!("{A} {B} {MAIN}\0report-status");
        assert_eq!(
            Commands::read(&body(&[&first, &late])),
            Err(Unreadable::Malformed)
        );
        let hidden = format!("shallow {A}\0atomic");
        assert_eq!(
            Commands::read(&body(&[&hidden, &first])),
            Err(Unreadable::Malformed)
        );
        let nul = format!("{A} {B} refs/heads/a\nb");
        for line in [
            "hello",
            "push-cert\0x",
            &format!("{A} {B}"),
            &format!("{A} {B} "),
            &format!("{A} {} {MAIN}", &B[1..]),
            &format!("{A} {}g {MAIN}", &B[1..]),
            &nul,
        ] {
            assert_eq!(
                Commands::read(&body(&[line])),
                Err(Unreadable::Malformed),
                "{line:?}"
            );
        }
        assert_eq!(Commands::read(b"GET /"), Err(Unreadable::Malformed));
        let line = format!("{A} {B} {MAIN}");
        let many: Vec<&str> = vec![&line; COMMANDS_MAX + 1];
        assert_eq!(Commands::read(&body(&many)), Err(Unreadable::TooMany));
        let long = format!("{A} {B} refs/heads/{}", "x".repeat(60_000));
        let large: Vec<&str> = vec![&long; 18];
        assert_eq!(Commands::read(&body(&large)), Err(Unreadable::TooMany));
    }

    #[test]
    fn the_protected_branch_takes_a_maintainer_and_is_never_deleted() {
        for (old, new, name, maintains, refused) in [
            (A, B, MAIN, true, None),
            (ZERO, A, MAIN, true, None),
            (A, B, MAIN, false, Some(Refusal::Protected)),
            (ZERO, A, MAIN, false, Some(Refusal::Protected)),
            (A, ZERO, MAIN, true, Some(Refusal::Deletion)),
            (A, ZERO, MAIN, false, Some(Refusal::Deletion)),
            (A, B, "refs/heads/work", false, None),
            (A, ZERO, "refs/heads/work", false, None),
            (A, B, "refs/heads/main/x", false, None),
            (ZERO, A, "refs/tags/v1", false, None),
            (ZERO, A, "refs/notes/commits", false, None),
            (ZERO, A, "refs/keep-around/x", true, Some(Refusal::Hidden)),
            (ZERO, A, "HEAD", true, Some(Refusal::Hidden)),
        ] {
            let command = command(old, new, name);
            assert_eq!(refusal(&command, MAIN, maintains), refused, "{command:?}");
        }
    }
}
