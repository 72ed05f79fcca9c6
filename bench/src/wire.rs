//! One connection to a server, kept alive: requests go out as they are, answers are read no further than needed.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};

/// A server that says nothing for so long is no server.
const PATIENCE: Duration = Duration::from_secs(60);

/// Room for an answer, and by how much it grows.
const ROOM: usize = 16 * 1024;

/// A connection.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer, read to its end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    head: &'a [u8],
    /// What it says.
    pub(crate) body: &'a [u8],
}

impl Wire {
    /// Connects to `host:port`.
    pub(crate) fn connect(address: &str) -> anyhow::Result<Wire> {
        let stream = TcpStream::connect(address).with_context(|| address.to_owned())?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Wire {
            stream,
            buffer: vec![0; ROOM],
        })
    }

    /// Sends a request, and reads an answer of this status to its end. Any other one is an error.
    pub(crate) fn exchange(&mut self, request: &[u8], status: u16) -> anyhow::Result<Answer<'_>> {
        let answer = self.ask(request)?;
        if answer.status != status {
            bail!("{}, instead of {status}", answer.to(request));
        }
        Ok(answer)
    }

    /// Sends a request, and reads whichever answer comes to its end. What is no answer is an error.
    pub(crate) fn ask(&mut self, request: &[u8]) -> anyhow::Result<Answer<'_>> {
        self.stream.write_all(request)?;
        let mut filled = 0;
        let (status, head, length) = loop {
            filled += self.more(filled)?;
            let looked_at = &self.buffer[..filled];
            if let Some(end) = looked_at.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = &looked_at[..end];
                let status = status_of(head).context("no answer of HTTP")?;
                let length: usize = match header(head, "content-length") {
                    Some(length) => length.parse()?,
                    None if status == 204 => 0,
                    None => bail!(
                        "{}: {status} without a length",
                        String::from_utf8_lossy(first_line(request))
                    ),
                };
                break (status, end, length);
            }
        };
        let end = head + 4 + length;
        while filled < end {
            filled += self.more(filled)?;
        }
        ensure!(filled == end, "more than an answer");
        Ok(Answer {
            status,
            head: &self.buffer[..head],
            body: &self.buffer[head + 4..end],
        })
    }

    fn more(&mut self, filled: usize) -> anyhow::Result<usize> {
        if self.buffer.len() == filled {
            self.buffer.resize(filled * 2, 0);
        }
        let read = self.stream.read(&mut self.buffer[filled..])?;
        ensure!(read > 0, "the server has closed the connection");
        Ok(read)
    }
}

impl<'a> Answer<'a> {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&'a str> {
        header(self.head, name)
    }

    /// What was asked and what came of it, in a line.
    pub(crate) fn to(&self, request: &[u8]) -> String {
        let beginning = &self.body[..self.body.len().min(300)];
        format!(
            "{} was answered with {}: {}",
            String::from_utf8_lossy(first_line(request)),
            self.status,
            String::from_utf8_lossy(beginning)
        )
    }

    /// What it says, as text.
    pub(crate) fn text(&self) -> anyhow::Result<&'a str> {
        Ok(std::str::from_utf8(self.body)?)
    }
}

fn status_of(head: &[u8]) -> Option<u16> {
    std::str::from_utf8(head.get(9..12)?).ok()?.parse().ok()
}

fn header<'a>(head: &'a [u8], name: &str) -> Option<&'a str> {
    head.split(|byte| *byte == b'\n').find_map(|line| {
        let rest = line.get(name.len()..)?;
        let value = rest.strip_prefix(b":")?;
        line[..name.len()]
            .eq_ignore_ascii_case(name.as_bytes())
            .then(|| std::str::from_utf8(value).ok().map(str::trim))?
    })
}

fn first_line(request: &[u8]) -> &[u8] {
    let line = request.split(|byte| *byte == b'\r').next();
    line.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, thread};

    use super::*;

    fn answering(answers: &'static [&'static [u8]]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            for answer in answers {
                let read = stream.read(&mut [0; 1024]).unwrap();
                assert!(read > 0);
                let (first, second) = answer.split_at(answer.len() / 2);
                stream.write_all(first).unwrap();
                stream.write_all(second).unwrap();
            }
        });
        address
    }

    #[test]
    fn answers_are_read_to_their_end_on_one_connection() {
        let address = answering(&[
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\n\r\nhello",
            b"HTTP/1.1 204 No Content\r\n\r\n",
        ]);
        let mut wire = Wire::connect(&address).unwrap();
        let answer = wire.exchange(b"GET / HTTP/1.1\r\n\r\n", 200).unwrap();
        assert_eq!(answer.body, b"hello");
        assert_eq!(answer.header("x"), Some("y"));
        wire.exchange(b"GET / HTTP/1.1\r\n\r\n", 204).unwrap();
    }

    #[test]
    fn another_status_is_an_error_that_names_the_request() {
        let address = answering(&[b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno"]);
        let mut wire = Wire::connect(&address).unwrap();
        let error = wire.exchange(b"GET /a HTTP/1.1\r\n\r\n", 200).unwrap_err();
        assert_eq!(
            error.to_string(),
            "GET /a HTTP/1.1 was answered with 401: no, instead of 200"
        );
    }
}
