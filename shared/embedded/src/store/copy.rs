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
