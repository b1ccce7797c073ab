//! Copies of files that another process may be using, all of them of one instant.
//!
//! ```text
//!   hold the first file's writer ─▶ begin to read every file ─▶ let it go ─▶ copy what is read
//! ```
//!
//! What is copied of the other files is therefore never older, and never newer by more than what
//! was under way: whatever the first file's owner began is already in the first file.

use super::open;
use rusqlite::{
    Connection, OpenFlags,
    backup::{Backup, StepResult},
    ffi,
};
use std::{path::Path, time::Duration};

/// How long a busy writer may keep us waiting.
const PATIENCE: Duration = Duration::from_secs(60);

/// Copies these files of a folder to another; their owner may go on and is held for an instant.
///
/// Blocks; call it from a thread that may.
pub(super) fn copy(from: &Path, files: &[&str], to: &Path) -> rusqlite::Result<()> {
    let Some(first) = files.first() else { return Ok(()) };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let writer = Connection::open_with_flags(from.join(first), flags)?;
    writer.busy_timeout(PATIENCE)?;
    writer.execute_batch("BEGIN IMMEDIATE")?;
    let held: Result<Vec<_>, _> = files.iter().map(|file| reading(&from.join(file))).collect();
    writer.execute_batch("ROLLBACK")?;
    for (source, file) in held?.iter().zip(files) {
        all(source, &mut Connection::open(to.join(file))?)?;
    }
    Ok(())
}

/// Copies in one piece: pieces begin anew after every commit and might never come to an end.
pub(super) fn all(source: &Connection, target: &mut Connection) -> rusqlite::Result<()> {
    let busy = || rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_BUSY), None);
    let done = Backup::new(source, target)?.step(-1)? == StepResult::Done;
    if done { Ok(()) } else { Err(busy()) }
}

/// A connection that sees the file as it is now, however long it lives.
fn reading(path: &Path) -> rusqlite::Result<Connection> {
    let connection = open::reader(path)?;
    connection.execute_batch("BEGIN")?;
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

    fn count(folder: &Path, file: &str) -> rusqlite::Result<i64> {
        reading(&folder.join(file))?.query_row("SELECT n FROM it", [], |row| row.get(0))
    }

    #[test]
    fn what_a_copy_has_of_the_second_file_was_begun_in_the_first() {
        let (from, to) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir());
        let to = to.expect("a folder");
        let files = ["first.db", "second.db"];
        let writers = files.map(|file| {
            let db = Connection::open(from.path().join(file)).expect("open");
            db.busy_timeout(PATIENCE).expect("set");
            let made = "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;
                        CREATE TABLE it (n INTEGER NOT NULL); INSERT INTO it VALUES (0);";
            db.execute_batch(made).expect("made");
            db
        });
        let over = AtomicBool::new(false);
        let seen = std::thread::scope(|scope| {
            let over = &over;
            scope.spawn(move || {
                while !over.load(Relaxed) {
                    for db in &writers {
                        db.execute_batch("UPDATE it SET n = n + 1").expect("written");
                    }
                }
            });
            let seen = (0..20).map(|_| {
                copy(from.path(), &files, to.path())?;
                Ok([count(to.path(), files[0])?, count(to.path(), files[1])?])
            });
            let seen: rusqlite::Result<Vec<_>> = seen.collect();
            over.store(true, Relaxed);
            seen
        });
        for [first, second] in seen.expect("copied") {
            assert!(first == second || first == second + 1, "{first} {second}");
        }
    }
}
