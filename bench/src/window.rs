//! A load for a second or two: as fast as the answers come, or at a steady rate.

use std::{
    sync::{
        Arc, Barrier,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::anyhow;

use crate::{
    load::wait_until,
    meter::{Meter, Reading},
    statistics::permille,
    wire::Wire,
};

/// How often somebody who waits looks whether it is all over.
const LOOK: Duration = Duration::from_millis(20);

/// What one connection does, again and again.
pub(crate) trait Client: Send {
    /// Does it once. `false`: there is nothing left to do it with.
    fn turn(&mut self, wire: &mut Wire) -> anyhow::Result<bool>;
}

/// Makes the clients of a load, one for each connection.
pub(crate) type Clients<'a> = dyn Fn(u32) -> Box<dyn Client> + 'a;

/// When the next request is sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Pace {
    /// As soon as the answer before it is there.
    Closed,
    /// So many times a second in all. An answer's time counts from when its request was due.
    Rate(f64),
}

/// How a load is made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) connections: u32,
    pub(crate) pace: Pace,
}

/// What came of it.
#[derive(Debug, Default, Clone)]
pub(crate) struct Window {
    /// How long the answers took, sorted.
    pub(crate) latencies: Vec<Duration>,
    /// From the first request to the last answer.
    pub(crate) time: Duration,
    /// What the processors worked for it.
    pub(crate) cpu: Duration,
}

impl Window {
    /// Answers a second.
    pub(crate) fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.time.as_secs_f64().max(f64::MIN_POSITIVE)
    }

    /// Seconds of the processors' time for each answer.
    pub(crate) fn cpu_per_answer(&self) -> f64 {
        self.cpu.as_secs_f64() / self.latencies.len().max(1) as f64
    }

    /// Seconds that so many of a thousand answers took at the most.
    pub(crate) fn permille(&self, of_a_thousand: usize) -> f64 {
        permille(&self.latencies, of_a_thousand).as_secs_f64()
    }
}

/// When the request of this number is due on one of so many connections that share a rate.
pub(crate) fn due(
    began: Instant,
    rate: f64,
    connections: u32,
    connection: u32,
    number: u32,
) -> Instant {
    let nth = f64::from(number) * f64::from(connections) + f64::from(connection);
    began + Duration::from_secs_f64(nth / rate.max(0.001))
}

/// A load that goes on until it is told to stop.
pub(crate) struct Running {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<anyhow::Result<Sent>>>,
    began: Instant,
    meter: Meter,
    before: Reading,
}

impl Running {
    /// Connects, and begins when all connections are there.
    pub(crate) fn start(
        address: &str,
        shape: Shape,
        meter: &Meter,
        clients: &Clients<'_>,
    ) -> Running {
        let stop = Arc::new(AtomicBool::new(false));
        let barrier = Arc::new(Barrier::new(shape.connections as usize + 1));
        let threads = (0..shape.connections)
            .map(|number| {
                let (client, address) = (clients(number), address.to_owned());
                let (stop, barrier) = (Arc::clone(&stop), Arc::clone(&barrier));
                thread::spawn(move || {
                    let wire = Wire::connect(&address);
                    barrier.wait();
                    barrier.wait();
                    let sent = wire.and_then(|wire| send(wire, client, shape, number, &stop));
                    // One wrong answer makes all of it worthless.
                    if sent.is_err() {
                        stop.store(true, Ordering::Relaxed);
                    }
                    sent
                })
            })
            .collect();
        barrier.wait();
        let before = meter.read();
        barrier.wait();
        Running {
            stop,
            threads,
            began: Instant::now(),
            meter: meter.clone(),
            before,
        }
    }

    /// Ends when this time is over, or when there is nothing left to do.
    pub(crate) fn run_for(self, time: Duration) -> anyhow::Result<Window> {
        let until = self.began + time;
        while Instant::now() < until && !self.is_over() {
            wait_until(until.min(Instant::now() + LOOK));
        }
        self.finish()
    }

    /// Has it ended by itself?
    pub(crate) fn is_over(&self) -> bool {
        self.threads.iter().all(JoinHandle::is_finished)
    }

    /// Ends, and says what came of it.
    pub(crate) fn finish(self) -> anyhow::Result<Window> {
        self.stop.store(true, Ordering::Relaxed);
        let (mut latencies, mut ended) = (Vec::new(), self.began);
        let mut failure = None;
        for thread in self.threads {
            match thread.join().map_err(|_| anyhow!("a sender panicked"))? {
                Ok(sent) => {
                    latencies.extend(sent.latencies);
                    ended = ended.max(sent.ended);
                }
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        let cpu = self.meter.read().since(&self.before);
        if let Some(failure) = failure {
            return Err(failure);
        }
        latencies.sort_unstable();
        Ok(Window {
            latencies,
            time: ended - self.began,
            cpu,
        })
    }
}

/// What one connection has to tell.
struct Sent {
    latencies: Vec<Duration>,
    /// When the last answer was there.
    ended: Instant,
}

fn send(
    mut wire: Wire,
    mut client: Box<dyn Client>,
    shape: Shape,
    number: u32,
    stop: &AtomicBool,
) -> anyhow::Result<Sent> {
    let mut took = Vec::new();
    let began = Instant::now();
    let mut ended = began;
    let mut sent = 0;
    while !stop.load(Ordering::Relaxed) {
        let from = match shape.pace {
            Pace::Closed => Instant::now(),
            Pace::Rate(rate) => {
                let due = due(began, rate, shape.connections, number, sent);
                while Instant::now() < due && !stop.load(Ordering::Relaxed) {
                    wait_until(due.min(Instant::now() + LOOK));
                }
                due
            }
        };
        // It was told to stop while it waited.
        if from > Instant::now() || !client.turn(&mut wire)? {
            break;
        }
        ended = Instant::now();
        took.push(ended - from);
        sent += 1;
    }
    Ok(Sent {
        latencies: took,
        ended,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_share_a_rate_and_take_turns() {
        let began = Instant::now();
        let at =
            |connection, number| (due(began, 100.0, 4, connection, number) - began).as_millis();
        assert_eq!([at(0, 0), at(1, 0), at(3, 0)], [0, 10, 30]);
        assert_eq!([at(0, 1), at(3, 9)], [40, 390]);
    }

    #[test]
    fn a_window_counts_by_answer() {
        let window = Window {
            latencies: vec![Duration::from_millis(1); 500],
            time: Duration::from_secs(2),
            cpu: Duration::from_millis(50),
        };
        assert!((window.rate() - 250.0).abs() < 1e-9);
        assert!((window.cpu_per_answer() - 0.0001).abs() < 1e-9);
    }
}
