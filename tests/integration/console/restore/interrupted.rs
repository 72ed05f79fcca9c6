//! A restore that doesn't get to its end: the old database, or the new one, and never neither.

use std::{thread, time::Instant};

use super::Console;

#[test]
fn a_disk_that_gets_full_leaves_the_old_database() {
    let console = Console::with_backup();
    let before = console.contents();
    let outcome = console.limited("restore copy.db", 256);
    assert_eq!(outcome.status, Some(1), "{outcome:?}");
    assert!(outcome.stderr.contains("can't be copied"), "{outcome:?}");
    assert!(console.contents() == before);
    assert_eq!(console.people(), ["later", "root"]);
}

#[test]
fn a_restore_that_is_killed_leaves_the_old_database_or_the_new_one() {
    let console = Console::with_backup();
    // How long one takes that isn't killed.
    let began = Instant::now();
    console.done("restore copy.db --dry-run");
    let whole = began.elapsed() * 2;
    let (mut old, mut new) = (0, 0);
    // From at once to after the end; on a busy machine that may come later.
    for step in 0..200 {
        if step >= 40 && new > 0 {
            break;
        }
        let mut child = console.command("restore copy.db").spawn().unwrap();
        thread::park_timeout(whole * step / 40);
        let _ = child.kill();
        child.wait().unwrap();
        // What is there can be opened, is whole, and is the one or the other.
        let people = console.people();
        assert_eq!(
            console.count("pragma_integrity_check WHERE integrity_check = 'ok'"),
            1
        );
        match people.len() {
            1 => new += 1,
            _ => old += 1,
        }
        if people == ["root"] {
            console.person("later", "");
        } else {
            assert_eq!(people, ["later", "root"]);
        }
    }
    assert!(
        old > 0 && new > 0,
        "killed too early or too late each time: {old} old, {new} new"
    );
    console.done("restore copy.db");
    assert_eq!(console.people(), ["root"]);
    assert!(!console.data().join("latchkey.db.restoring").exists());
}
