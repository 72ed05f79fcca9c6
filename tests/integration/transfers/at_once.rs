//! Moves beside other changes: they end in a state that some order explains, and nobody waits for ever.

use std::{
    sync::{Barrier, mpsc},
    thread,
    time::Duration,
};

use latchkey::{
    error::Error, groups::create::NewGroupForm, members::AccessLevel,
    projects::create::NewProjectForm,
};

use super::{all_in_step, now, project, then, transfer, transfer_project, wrong};
use crate::on_both;
use crate::races::Hold;
use crate::support::{TestGroup, TestResource, TestServer};

/// So often that both orders happen.
const ROUNDS: usize = 12;

on_both![
    of_two_opposite_moves_one_happens,
    of_two_moves_to_different_places_one_is_the_last,
    what_is_made_beside_a_move_lies_where_it_belongs,
    whoever_comes_too_late_waits_below_the_new_root,
    a_group_moved_beside_its_project_takes_it_along_or_not,
    an_address_that_two_want_has_one_winner,
];

/// Runs both at once.
fn together<A: Send, B: Send>(
    one: impl FnOnce() -> A + Send,
    other: impl FnOnce() -> B + Send,
) -> (A, B) {
    let start = Barrier::new(2);
    thread::scope(|scope| {
        let one = scope.spawn(|| {
            start.wait();
            one()
        });
        start.wait();
        let other = other();
        (one.join().unwrap(), other)
    })
}

/// Refusals have a reason; an outage or a bug is none.
#[track_caller]
fn has_a_reason<T: std::fmt::Debug>(outcome: &Result<T, Error>) {
    assert!(
        !matches!(outcome, Err(Error::Unavailable(_) | Error::Internal(_))),
        "{outcome:?}"
    );
}

async fn of_two_opposite_moves_one_happens(server: TestServer) {
    let root = server.person("root").admin().create();
    for round in 0..ROUNDS {
        let (a, b) = (
            server.group(&format!("a{round}")).create(),
            server.group(&format!("b{round}")).create(),
        );
        let (one, other) = together(
            || transfer(&a, root.actor(), Some(&b)),
            || transfer(&b, root.actor(), Some(&a)),
        );
        let (won, lost) = match (one, other) {
            (Ok(won), lost) => (won, lost),
            (lost, Ok(won)) => (won, lost),
            neither => panic!("{neither:?}"),
        };
        assert_eq!(won.depth(), 1);
        let about = wrong(lost);
        assert_eq!(about[0].0, "group_id");
        all_in_step(&server);
    }
}

async fn of_two_moves_to_different_places_one_is_the_last(server: TestServer) {
    let root = server.person("root").admin().create();
    let homes = ["a", "b", "c"].map(|name| server.group(name).create());
    for round in 0..ROUNDS {
        let moving = homes[0].subgroup(&format!("moving{round}")).create();
        moving.subgroup("inside").create().project("p").create();
        let (one, other) = together(
            || transfer(&moving, root.actor(), Some(&homes[1])),
            || transfer(&moving, root.actor(), Some(&homes[2])),
        );
        let places = [one.unwrap().root_id, other.unwrap().root_id];
        assert_eq!(places, [homes[1].id, homes[2].id]);
        assert!(places.contains(&now(&moving).root_id));
        all_in_step(&server);
    }
}

async fn what_is_made_beside_a_move_lies_where_it_belongs(server: TestServer) {
    let root = server.person("root").admin().create();
    let (one, other) = (server.group("one").create(), server.group("other").create());
    for round in 0..ROUNDS {
        let moving = one.subgroup(&format!("moving{round}")).create();
        let inside = moving.subgroup("inside").create();
        let stale = then(&inside);
        let make = || match round % 3 {
            0 => {
                let form = NewGroupForm {
                    name: "new".into(),
                    path: "new".into(),
                    description: String::new(),
                    visibility: None,
                };
                server.attempt_as(root.actor(), move |conn, ctx| {
                    latchkey::groups::create::create(conn, ctx, Some(&stale), &form, None)
                        .map(|_| ())
                })
            }
            1 => {
                let form = NewProjectForm {
                    path: Some("new".into()),
                    ..NewProjectForm::default()
                };
                server.attempt_as(root.actor(), move |conn, ctx| {
                    latchkey::projects::create::create(conn, ctx, &stale, &form).map(|_| ())
                })
            }
            _ => {
                drop(inside.token("ci").create());
                Ok(())
            }
        };
        let (moved, made) = together(|| transfer(&moving, root.actor(), Some(&other)), make);
        moved.unwrap();
        made.unwrap();
        all_in_step(&server);
    }
}

/// Keeps everybody waiting who changes something below `root`, lets `work` begin, and tells whether it waits.
fn waits(server: &TestServer, root: &TestGroup, work: impl FnOnce() + Send) -> bool {
    let hold = Hold::on(server, root.id);
    let (finish, finished) = mpsc::channel();
    thread::scope(|scope| {
        let work = scope.spawn(move || {
            work();
            // Nobody listens any more if it had to wait.
            let _ = finish.send(());
        });
        // It would take a few milliseconds if nothing held it.
        let waits = finished.recv_timeout(Duration::from_millis(300)).is_err();
        hold.release();
        work.join().unwrap();
        waits
    })
}

async fn whoever_comes_too_late_waits_below_the_new_root(server: TestServer) {
    let root = server.person("root").admin().create();
    let (one, other) = (server.group("one").create(), server.group("other").create());
    let moving = one.subgroup("moving").create();
    let third = server.group("third").create();
    let inside = moving.project("inside").create();
    transfer(&moving, root.actor(), Some(&other)).unwrap();
    // All of them read the group before it moved.
    assert_eq!(then(&moving).root_id, one.id);
    let person = server.person("olga").create();
    assert!(waits(&server, &other, || moving
        .member(&person, AccessLevel::Owner)));
    assert!(waits(&server, &other, || drop(
        moving.subgroup("new").create()
    )));
    assert!(waits(&server, &other, || drop(
        moving.project("newer").create()
    )));
    assert!(waits(&server, &other, || drop(inside.token("ci").create())));
    assert!(waits(&server, &other, || {
        transfer_project(&inside, root.actor(), &then(&third)).unwrap();
    }));
    assert!(waits(&server, &other, || {
        transfer(&moving, root.actor(), Some(&third)).unwrap();
    }));
    assert_eq!(now(&moving).root_id, third.id);
    // A move waits for the side that it goes to as well.
    let fresh = server.group("fresh").create();
    let in_fresh = fresh.project("p").create();
    assert!(waits(&server, &one, || {
        transfer_project(&in_fresh, root.actor(), &then(&one)).unwrap();
    }));
    assert!(waits(&server, &one, || {
        transfer(&fresh, root.actor(), Some(&one)).unwrap();
    }));
    all_in_step(&server);
}

async fn a_group_moved_beside_its_project_takes_it_along_or_not(server: TestServer) {
    let root = server.person("root").admin().create();
    let homes = ["a", "b", "c"].map(|name| server.group(name).create());
    for round in 0..ROUNDS {
        let moving = homes[0].subgroup(&format!("moving{round}")).create();
        let inside = moving.project(&format!("p{round}")).create();
        let (one, other) = together(
            || transfer(&moving, root.actor(), Some(&homes[1])),
            || transfer_project(&inside, root.actor(), &then(&homes[2])),
        );
        one.unwrap();
        assert_eq!(other.unwrap().group_id, homes[2].id);
        assert_eq!(project(&inside).group_id, moving.id);
        all_in_step(&server);
    }
}

async fn an_address_that_two_want_has_one_winner(server: TestServer) {
    let root = server.person("root").admin().create();
    let (one, other) = (server.group("one").create(), server.group("other").create());
    for round in 0..ROUNDS {
        let path = format!("wanted{round}");
        let (a, b) = (one.subgroup(&path).create(), other.subgroup(&path).create());
        let (first, second) = together(
            || transfer(&a, root.actor(), None),
            || transfer(&b, root.actor(), None),
        );
        has_a_reason(&first);
        has_a_reason(&second);
        let lost = match (first, second) {
            (Ok(_), lost) | (lost, Ok(_)) => lost,
            neither => panic!("{neither:?}"),
        };
        assert_eq!(
            wrong(lost),
            [("path".to_owned(), "has already been taken".to_owned())]
        );
        all_in_step(&server);
    }
}
