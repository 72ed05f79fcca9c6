//! `git http-backend` behind a server that does nothing else: a thread for each connection, one request on each.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
};

use anyhow::Context as _;

/// A server of one repository, as long as the process lasts.
pub(crate) struct Backend {
    /// Where it listens.
    pub(crate) address: String,
}

impl Backend {
    /// Serves this repository as `/api.git`.
    pub(crate) fn start(repository: &Path) -> anyhow::Result<Backend> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?.to_string();
        let repository = repository.to_owned();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let repository = repository.clone();
                thread::spawn(move || {
                    if let Err(error) = answer(stream, &repository) {
                        // A client that went is no news.
                        let _ = writeln!(io::stderr(), "backend: {error}");
                    }
                });
            }
        });
        Ok(Backend { address })
    }
}

/// What a program of Git says before its body.
#[derive(Default)]
struct Request {
    method: String,
    target: String,
    length: Option<usize>,
    chunked: bool,
    kind: String,
    encoding: String,
    protocol: String,
}

fn answer(stream: TcpStream, repository: &PathBuf) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let request = read_request(&mut reader)?;
    let mut body = Vec::new();
    if request.chunked {
        read_chunks(&mut reader, &mut body)?;
    } else {
        body.resize(request.length.unwrap_or(0), 0);
        reader.read_exact(&mut body)?;
    }
    let (path, query) = request
        .target
        .split_once('?')
        .unwrap_or((&request.target, ""));
    let below = path
        .strip_prefix("/api.git")
        .context("another repository")?;
    let mut child = Command::new("git")
        .arg("http-backend")
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GIT_PROJECT_ROOT", repository)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_COUNT", "2")
        .env("GIT_CONFIG_KEY_0", "safe.directory")
        .env("GIT_CONFIG_VALUE_0", "*")
        .env("GIT_CONFIG_KEY_1", "pack.threads")
        .env("GIT_CONFIG_VALUE_1", "1")
        .env("PATH_INFO", below)
        .env("QUERY_STRING", query)
        .env("REQUEST_METHOD", &request.method)
        .env("CONTENT_TYPE", &request.kind)
        .env("CONTENT_LENGTH", body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", &request.encoding)
        .env("GIT_PROTOCOL", &request.protocol)
        .env("REMOTE_ADDR", "127.0.0.1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut stdin = child.stdin.take().context("it was asked for")?;
    let feeding = thread::spawn(move || stdin.write_all(&body));
    let mut output = BufReader::with_capacity(64 * 1024, child.stdout.take().context("asked for")?);
    let (mut status, mut headers) = ("200 OK".to_owned(), String::new());
    loop {
        let mut line = String::new();
        output.read_line(&mut line)?;
        match line.trim_end() {
            "" => break,
            header => match header.strip_prefix("Status: ") {
                Some(other) => other.clone_into(&mut status),
                None => headers.push_str(&format!("{header}\r\n")),
            },
        }
    }
    let mut stream = stream;
    write!(
        stream,
        "HTTP/1.1 {status}\r\n{headers}Connection: close\r\n\r\n"
    )?;
    io::copy(&mut output, &mut stream)?;
    child.wait()?;
    let _ = feeding.join();
    Ok(())
}

fn read_request(reader: &mut impl io::BufRead) -> anyhow::Result<Request> {
    let mut request = Request::default();
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split(' ');
    words
        .next()
        .unwrap_or_default()
        .clone_into(&mut request.method);
    words
        .next()
        .unwrap_or_default()
        .clone_into(&mut request.target);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            return Ok(request);
        };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => request.length = value.parse().ok(),
            "transfer-encoding" => request.chunked = value.eq_ignore_ascii_case("chunked"),
            "content-type" => value.clone_into(&mut request.kind),
            "content-encoding" => value.clone_into(&mut request.encoding),
            "git-protocol" => value.clone_into(&mut request.protocol),
            _ => {}
        }
    }
}

fn read_chunks(reader: &mut impl io::BufRead, body: &mut Vec<u8>) -> anyhow::Result<()> {
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let size = usize::from_str_radix(line.trim(), 16)?;
        let before = body.len();
        body.resize(before + size, 0);
        reader.read_exact(&mut body[before..])?;
        reader.read_line(&mut String::new())?;
        if size == 0 {
            return Ok(());
        }
    }
}
