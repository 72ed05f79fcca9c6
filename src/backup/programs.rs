//! `pg_dump` and `pg_restore`, PostgreSQL's own programs, run so that nobody sees a password.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use percent_encoding::percent_decode_str;

use crate::error::Error;

/// A URL without its password, which the program finds in its environment: anybody may read command lines.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Address {
    url: String,
    password: Option<OsString>,
}

/// The same by the names that people may see.
impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.url)
    }
}

impl Address {
    /// Takes a URL apart.
    ///
    /// # Errors
    /// [`Error::Refused`] for a parameter that can't be hidden.
    pub(super) fn of(url: &str) -> Result<Address, Error> {
        let (scheme, rest) = url.split_once("://").unwrap_or(("postgres", url));
        let (location, query) = match rest.split_once('?') {
            Some((location, query)) => (location, Some(query)),
            None => (rest, None),
        };
        let (authority, path) = match location.split_once('/') {
            Some((authority, path)) => (authority, Some(path)),
            None => (location, None),
        };
        let mut password = None;
        let mut address = format!("{scheme}://");
        match authority.rsplit_once('@') {
            Some((user_info, hosts)) => {
                let (user, given) = match user_info.split_once(':') {
                    Some((user, given)) => (user, Some(given)),
                    None => (user_info, None),
                };
                password = given.map(decoded);
                address.push_str(&format!("{user}@{hosts}"));
            }
            None => address.push_str(authority),
        }
        if let Some(path) = path {
            address.push_str(&format!("/{path}"));
        }
        let mut kept = Vec::new();
        for parameter in query.into_iter().flat_map(|query| query.split('&')) {
            match parameter.split_once('=') {
                Some(("password", value)) => password = Some(decoded(value)),
                Some(("sslpassword", _)) => {
                    return Err(Error::refused(
                        "the database URL has an sslpassword, which other users of this machine would see on the \
                         command line of PostgreSQL's program; run that yourself, with a service file",
                    ));
                }
                _ => kept.push(parameter),
            }
        }
        if !kept.is_empty() {
            address.push_str(&format!("?{}", kept.join("&")));
        }
        Ok(Address {
            url: address,
            password,
        })
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        if let Some(password) = &self.password {
            command.env("PGPASSWORD", password);
        }
        // Complaints in a language that we can pass on; a server that doesn't answer isn't waited for.
        command.env("LC_ALL", "C").env("PGCONNECT_TIMEOUT", "10");
        command
    }
}

fn decoded(text: &str) -> OsString {
    use std::os::unix::ffi::OsStringExt as _;
    OsString::from_vec(percent_decode_str(text).collect())
}

/// Writes all of a database into a file that is there already.
pub(super) fn dump(url: &str, into: &Path) -> Result<(), Error> {
    let address = Address::of(url)?;
    let mut command = address.command("pg_dump");
    command
        .args(["--format=custom", "--no-owner", "--no-privileges"])
        .arg(option("--file", into))
        .arg(option("--dbname", &address.url));
    run(command, &[])?;
    Ok(())
}

/// A dump, and what PostgreSQL's programs say about it.
#[derive(Debug)]
pub(super) struct Dump<'a>(pub(super) &'a Path);

impl Dump<'_> {
    /// What is in it, an item a line, as `pg_restore --use-list` takes it.
    pub(super) fn list(&self) -> Result<Vec<String>, Error> {
        let mut command = Command::new("pg_restore");
        command.env("LC_ALL", "C").arg("--list").arg(self.0);
        Ok(text(run(command, &[])?)
            .lines()
            .map(str::to_owned)
            .collect())
    }

    /// The rows of a table, as the text that `COPY` writes: the names of the columns, and a line for each row.
    pub(super) fn rows(&self, table: &str) -> Result<Rows, Error> {
        let mut command = Command::new("pg_restore");
        command
            .env("LC_ALL", "C")
            .args(["--data-only", "--file=-"])
            .arg(option("--table", table))
            .arg(self.0);
        Rows::read(&text(run(command, &[])?), table)
    }

    /// Puts the items of a list into a database, all or nothing.
    pub(super) fn restore(&self, url: &str, list: &[String]) -> Result<(), Error> {
        let address = Address::of(url)?;
        let mut command = address.command("pg_restore");
        command
            .args([
                "--single-transaction",
                "--exit-on-error",
                "--no-owner",
                "--no-privileges",
                "--use-list=/dev/stdin",
            ])
            .arg(option("--dbname", &address.url))
            .arg(self.0);
        let mut lines = list.join("\n");
        lines.push('\n');
        run(command, lines.as_bytes())?;
        Ok(())
    }
}

/// Rows as text, the fields of each as they are in SQL's literals.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rows {
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Vec<Option<String>>>,
}

impl Rows {
    fn read(script: &str, table: &str) -> Result<Rows, Error> {
        let missing = || {
            Error::refused(format!(
                "the file holds no rows of {table}: it is no backup of Latchkey"
            ))
        };
        let mut lines = script.lines().skip_while(|line| !line.starts_with("COPY "));
        let head = lines.next().ok_or_else(missing)?;
        let columns = head
            .split_once('(')
            .and_then(|(_, rest)| rest.split_once(')'))
            .map(|(names, _)| names.split(", ").map(str::to_owned).collect())
            .ok_or_else(missing)?;
        let rows = lines
            .take_while(|line| *line != "\\.")
            .map(|line| line.split('\t').map(field).collect())
            .collect();
        Ok(Rows { columns, rows })
    }

    /// A column of the first row.
    pub(super) fn first(&self, column: &str) -> Option<&str> {
        let at = self.columns.iter().position(|name| name == column)?;
        self.rows.first()?.get(at)?.as_deref()
    }
}

/// `COPY` writes `\N` for null, and a backslash before what would be taken for something else.
fn field(text: &str) -> Option<String> {
    if text == "\\N" {
        return None;
    }
    let mut value = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        value.push(match character {
            '\\' => match characters.next() {
                Some('n') => '\n',
                Some('r') => '\r',
                Some('t') => '\t',
                Some(other) => other,
                None => '\\',
            },
            other => other,
        });
    }
    Some(value)
}

/// The command that somebody would have to run elsewhere; nothing if the program is here.
pub fn missing(program: &str, url: &str, file: &Path) -> Result<Option<String>, Error> {
    if version(program).is_some() {
        return Ok(None);
    }
    let address = Address::of(url)?;
    let file = file.display();
    let hidden = if address.password.is_some() {
        "; it asks for the password, or finds it in PGPASSWORD or ~/.pgpass"
    } else {
        ""
    };
    Ok(Some(match program {
        "pg_dump" => format!(
            "pg_dump --format=custom --no-owner --no-privileges --file='{file}' --dbname='{}'{hidden}",
            address.url
        ),
        _ => format!(
            "{program} --single-transaction --exit-on-error --no-owner --no-privileges --dbname='{}' '{file}'{hidden}",
            address.url
        ),
    }))
}

/// What the program says that it is, if it is here.
pub fn version(program: &str) -> Option<String> {
    let output = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    Some(text(output.stdout).trim().to_owned())
}

fn option(name: &str, value: impl AsRef<OsStr>) -> OsString {
    let mut option = OsString::from(name);
    option.push("=");
    option.push(value);
    option
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Runs a program to its end, with this on its standard input, and says what it printed.
fn run(mut command: Command, input: &[u8]) -> Result<Vec<u8>, Error> {
    let program = command.get_program().to_string_lossy().into_owned();
    let failed = |error: io::Error| Error::refused(format!("{program} can't be run: {error}"));
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that has failed reads nothing; why, it says itself.
        let _ = stdin.write_all(input);
    }
    let output = child.wait_with_output().map_err(failed)?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = text(output.stderr);
    let why: Vec<&str> = said
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    Err(Error::refused(format!(
        "{program} failed: {}",
        if why.is_empty() {
            output.status.to_string()
        } else {
            why.join("; ")
        }
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(url: &str) -> (String, Option<String>) {
        let address = Address::of(url).unwrap();
        let password = address.password.map(|text| text.into_string().unwrap());
        (address.url, password)
    }

    #[test]
    fn a_password_never_gets_onto_a_command_line() {
        for (url, address, password) in [
            (
                "postgres://ann:s%40cret@db:5432/latchkey?sslmode=require",
                "postgres://ann@db:5432/latchkey?sslmode=require",
                Some("s@cret"),
            ),
            (
                "postgres://ann@db/latchkey?password=t%26p&connect_timeout=3",
                "postgres://ann@db/latchkey?connect_timeout=3",
                Some("t&p"),
            ),
            (
                "postgres://a:b:c@h1:1,h2:2/d",
                "postgres://a@h1:1,h2:2/d",
                Some("b:c"),
            ),
            ("postgres://db/latchkey", "postgres://db/latchkey", None),
            ("postgres://db?password=x", "postgres://db", Some("x")),
        ] {
            assert_eq!(
                of(url),
                (address.to_owned(), password.map(str::to_owned)),
                "{url}"
            );
        }
        assert!(Address::of("postgres://db/latchkey?sslpassword=x").is_err());
    }

    #[test]
    fn rows_are_read_as_copy_writes_them() {
        let script = "--\nSET x;\nCOPY public.instance (id, name, key) FROM stdin;\n1\ta\\\\b\\tc\t\\N\n\\.\n\n";
        let rows = Rows::read(script, "instance").unwrap();
        assert_eq!(rows.columns, ["id", "name", "key"]);
        assert_eq!(rows.first("name"), Some("a\\b\tc"));
        assert_eq!(rows.first("key"), None);
        assert!(Rows::read("SET x;", "instance").is_err());
    }
}
