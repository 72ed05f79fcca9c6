//! Requests that take too long, or in which too little comes.

use std::time::{Duration, Instant};

use latchkey::git::limits::Times;

use super::Scene;
use super::breaking_off::{begin_push, incoming, write_chunk};
use super::lasting::{programs_in, until};
use crate::on_sqlite;
use crate::support::{TestServer, git::Noise, server::watchful};

on_sqlite![
    a_push_that_stands_still_ends,
    a_push_that_trickles_ends_although_it_never_stands_still,
    a_push_that_is_slow_but_not_too_slow_goes_on,
    a_request_as_a_whole_has_an_end,
];

/// Longer than anything here takes when it works.
const PATIENCE: Duration = Duration::from_secs(20);

const SHORT: Duration = Duration::from_millis(600);

/// The beginning of an object of eight mebibytes, stored as it is: noise can follow for long.
const OBJECT: &[u8] = b"\xb0\x80\x80\x20\x78\x01\x00\xff\xff\x00\x00";

/// Begins a push on a server where runs of Git may take so long. Says more and more, so that something always moves,
/// `piece` bytes each time. Tells how long it went on; nothing if it goes on after `most`.
fn trickle(server: &TestServer, times: Times, piece: usize, most: Duration) -> Option<Duration> {
    let server = server.with_git_times(times);
    let scene = Scene::on(&server)?;
    let repository = server.repository(scene.project());
    until(PATIENCE, "the look has ended", || {
        programs_in(&repository).is_empty()
    });
    let mut push = begin_push(&server, &scene.developer, &scene.work);
    until(PATIENCE, "something is held back", || {
        !incoming(&repository).is_empty()
    });
    write_chunk(&mut push, OBJECT).unwrap();
    let began = Instant::now();
    let (mut noise, mut sent) = (Noise::default(), 0);
    let ended = || incoming(&repository).is_empty() && programs_in(&repository).is_empty();
    while began.elapsed() < most {
        if ended() {
            let after = began.elapsed();
            // What is held back goes first, and the turn when all is noted.
            until(PATIENCE, "the turn is given back", || {
                server.app.git_turns.running() == 0
            });
            return Some(after);
        }
        // One stored block, and no more, has room for this.
        if piece > 0 && sent < 60_000 {
            // It may just have ended.
            let _ = write_chunk(&mut push, &noise.bytes(piece));
            sent += piece;
        }
        std::thread::park_timeout(Duration::from_millis(5));
    }
    None
}

async fn a_push_that_stands_still_ends(server: TestServer) {
    let times = Times {
        silence: SHORT,
        slowest: 1,
        ..watchful()
    };
    let ended = trickle(&server, times, 0, PATIENCE);
    assert!(ended.is_none_or(|after| after >= SHORT / 2), "{ended:?}");
    assert!(ended.is_some());
}

async fn a_push_that_trickles_ends_although_it_never_stands_still(server: TestServer) {
    let times = Times {
        silence: SHORT,
        slowest: 10_000_000,
        ..watchful()
    };
    assert!(trickle(&server, times, 1, PATIENCE).is_some());
}

async fn a_push_that_is_slow_but_not_too_slow_goes_on(server: TestServer) {
    let times = Times {
        silence: SHORT,
        slowest: 100,
        ..watchful()
    };
    assert_eq!(trickle(&server, times, 20, SHORT * 4), None);
}

async fn a_request_as_a_whole_has_an_end(server: TestServer) {
    let times = Times {
        whole: SHORT * 2,
        ..watchful()
    };
    let ended = trickle(&server, times, 20, PATIENCE);
    assert!(ended.is_some_and(|after| after >= SHORT), "{ended:?}");
}
