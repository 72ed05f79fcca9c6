//! Requests at a steady rate, and how long their answers take.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context as _, anyhow, bail};

/// Connections, each with its share of the rate.
const CONNECTIONS: u32 = 4;

/// One request, again and again.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    /// `host:port`
    pub(crate) address: String,
    /// Below the root.
    pub(crate) path: String,
    /// A token's value.
    pub(crate) token: String,
    /// Requests a second.
    pub(crate) rate: u32,
    /// JSON that is posted; nothing is a GET.
    pub(crate) body: Option<String>,
}

/// How long answers took, counted from when their requests were due: a server that stalls doesn't look quick.
#[derive(Debug)]
pub(crate) struct Latencies(Vec<Duration>);

/// A load that goes on until it is told to stop.
pub(crate) struct Running {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<anyhow::Result<Vec<Duration>>>>,
}

impl Load {
    /// Begins.
    pub(crate) fn start(&self) -> Running {
        let stop = Arc::new(AtomicBool::new(false));
        let interval = Duration::from_secs(1) * CONNECTIONS / self.rate.max(1);
        let began = Instant::now();
        let threads = (0..CONNECTIONS)
            .map(|number| {
                let (load, stop) = (self.clone(), Arc::clone(&stop));
                let first = began + interval * number / CONNECTIONS;
                thread::spawn(move || load.send_all(first, interval, &stop))
            })
            .collect();
        Running { stop, threads }
    }

    /// Goes on for so long.
    pub(crate) fn run_for(&self, time: Duration) -> anyhow::Result<Latencies> {
        let running = self.start();
        wait_until(Instant::now() + time);
        running.finish()
    }

    fn send_all(
        &self,
        first: Instant,
        interval: Duration,
        stop: &AtomicBool,
    ) -> anyhow::Result<Vec<Duration>> {
        let mut stream = BufReader::new(TcpStream::connect(&self.address)?);
        stream.get_ref().set_nodelay(true)?;
        let (method, body, status) = match &self.body {
            None => ("GET", String::new(), "200"),
            Some(json) => (
                "POST",
                format!(
                    "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{json}",
                    json.len()
                ),
                "201",
            ),
        };
        let end = if body.is_empty() { "\r\n" } else { &body };
        let request = format!(
            "{method} {} HTTP/1.1\r\nHost: {}\r\nPRIVATE-TOKEN: {}\r\n{end}",
            self.path, self.address, self.token
        );
        let mut took = Vec::new();
        let mut due = first;
        while !stop.load(Ordering::Relaxed) {
            wait_until(due);
            stream.get_mut().write_all(request.as_bytes())?;
            read_answer(&mut stream, status)?;
            took.push(due.elapsed());
            due += interval;
        }
        Ok(took)
    }
}

impl Running {
    /// Ends, and says how long the answers took. A wrong answer makes all of it worthless.
    pub(crate) fn finish(self) -> anyhow::Result<Latencies> {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Vec::new();
        for thread in self.threads {
            let took = thread.join().map_err(|_| anyhow!("a sender panicked"))??;
            all.extend(took);
        }
        all.sort_unstable();
        Ok(Latencies(all))
    }
}

impl Latencies {
    /// How many answers there were.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// So many of a thousand answers took no longer.
    pub(crate) fn permille(&self, permille: usize) -> Duration {
        let at = (self.0.len() * permille / 1000).min(self.0.len().saturating_sub(1));
        self.0.get(at).copied().unwrap_or_default()
    }
}

/// Reads an answer of this status to its end.
fn read_answer(stream: &mut BufReader<TcpStream>, status: &str) -> anyhow::Result<()> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    if line.split(' ').nth(1) != Some(status) {
        bail!("answered with {:?}", line.trim());
    }
    let mut length = None;
    loop {
        line.clear();
        stream.read_line(&mut line)?;
        let header = line.trim_end();
        if header.is_empty() {
            break;
        }
        if let Some((name, value)) = header.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = Some(value.trim().parse::<u64>()?);
        }
    }
    let length = length.context("an answer without a length")?;
    let read = std::io::copy(&mut stream.take(length), &mut std::io::sink())?;
    if read != length {
        bail!("an answer that ends early");
    }
    Ok(())
}

/// Waits until then.
pub(crate) fn wait_until(due: Instant) {
    // Parking may end early.
    while let Some(left) = due.checked_duration_since(Instant::now())
        && !left.is_zero()
    {
        thread::park_timeout(left);
    }
}
