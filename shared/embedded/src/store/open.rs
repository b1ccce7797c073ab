//! Opening the file: its lock, its settings, and the steps from older forms to today's.

use super::Options;
use rusqlite::{Connection, OpenFlags, config::DbConfig};
use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

/// Why the store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder cannot be made or written.
    #[error("the data folder {} cannot be used", .0.display())]
    Folder(PathBuf, #[source] io::Error),
    /// Another process owns the file.
    #[error(
        "{} is in use by another process; stop it first, or give this one its own data folder",
        .0.display()
    )]
    InUse(PathBuf),
    /// The file is not ours.
    #[error("{} is a database of another program; choose another data folder", .0.display())]
    Foreign(PathBuf),
    /// The file was written by newer software.
    #[error(
        "{} has form {found}, but this software knows forms up to {known}; use the newer software",
        .path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its form.
        found: i64,
        /// The newest form known here.
        known: i64,
    },
    /// SQLite failed.
    #[error("{} cannot be opened", .0.display())]
    Sqlite(PathBuf, #[source] rusqlite::Error),
}

/// Marks our files among SQLite's (`PRAGMA application_id`): "mano".
const APPLICATION: i64 = 0x6d61_6e6f;

/// The steps from an empty file to today's form; a file's form is how many it has taken.
///
/// Add at the end; never change a step that was released.
pub(crate) const FORMS: &[&str] = &[
    // 1: documents, what they are found under, facts that are due, plans that happened.
    "CREATE TABLE document (
        kind TEXT NOT NULL, tenant TEXT NOT NULL, id TEXT NOT NULL,
        version INTEGER NOT NULL, schema INTEGER NOT NULL, site TEXT NOT NULL,
        found TEXT NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (kind, tenant, id)) WITHOUT ROWID;
     CREATE TABLE found (
        kind TEXT NOT NULL, tenant TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,
        id TEXT NOT NULL,
        PRIMARY KEY (kind, tenant, name, value, id)) WITHOUT ROWID;
     CREATE TABLE plan (id BLOB PRIMARY KEY) WITHOUT ROWID;
     CREATE TABLE spoken (
        kind TEXT NOT NULL, tenant TEXT NOT NULL, id TEXT NOT NULL, seq INTEGER NOT NULL,
        PRIMARY KEY (kind, tenant, id)) WITHOUT ROWID;
     CREATE TABLE fact (
        place INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL, tenant TEXT NOT NULL, about TEXT NOT NULL,
        seq INTEGER NOT NULL, at INTEGER NOT NULL,
        origin TEXT NOT NULL, fact TEXT NOT NULL, uuid BLOB NOT NULL);
     CREATE INDEX fact_about ON fact (kind, tenant, about, seq);",
    // 2: messages that wait, what was sent lately, and what nobody could handle.
    "CREATE TABLE message (
        place INTEGER PRIMARY KEY AUTOINCREMENT,
        queue TEXT NOT NULL, grp TEXT NOT NULL, due INTEGER NOT NULL,
        attempts INTEGER NOT NULL, body TEXT NOT NULL);
     CREATE INDEX message_due ON message (due);
     CREATE INDEX message_group ON message (queue, grp, place);
     CREATE TABLE sent (
        queue TEXT NOT NULL, dedup TEXT NOT NULL, at INTEGER NOT NULL,
        PRIMARY KEY (queue, dedup)) WITHOUT ROWID;
     CREATE INDEX sent_at ON sent (at);
     CREATE TABLE dead (
        place INTEGER PRIMARY KEY, queue TEXT NOT NULL, grp TEXT NOT NULL,
        at INTEGER NOT NULL, reason TEXT NOT NULL, body TEXT NOT NULL);",
    // 3: executions; what came to each from outside with the rows it led to, one row per turn
    // (`place` = execution * 2^20 + turn); the tokens of those that sleep outside memory.
    "CREATE TABLE definition (id INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, text TEXT NOT NULL);
     CREATE TABLE execution (
        id INTEGER PRIMARY KEY, workflow TEXT NOT NULL, name TEXT NOT NULL,
        definition INTEGER NOT NULL, engine INTEGER NOT NULL, seed BLOB NOT NULL,
        status TEXT NOT NULL, started INTEGER NOT NULL, stopped INTEGER, input TEXT NOT NULL,
        output TEXT, error TEXT, cause TEXT, wake INTEGER, told INTEGER,
        snapshot TEXT, snapshot_turn INTEGER NOT NULL DEFAULT 0);
     CREATE UNIQUE INDEX execution_name ON execution (workflow, name);
     CREATE INDEX execution_wake ON execution (wake) WHERE wake IS NOT NULL;
     CREATE INDEX execution_untold ON execution (told) WHERE told = 0;
     CREATE INDEX execution_workflow ON execution (workflow);
     CREATE TABLE turn (
        place INTEGER PRIMARY KEY, at INTEGER NOT NULL, event TEXT NOT NULL,
        last INTEGER NOT NULL, rows TEXT NOT NULL);
     CREATE TABLE token (token TEXT PRIMARY KEY, execution INTEGER NOT NULL) WITHOUT ROWID;
     CREATE INDEX token_execution ON token (execution);",
    // 4: how an execution stands to others; activities, and what waits for their workers.
    "ALTER TABLE execution ADD COLUMN link TEXT;
     CREATE TABLE activity (name TEXT PRIMARY KEY, created INTEGER NOT NULL) WITHOUT ROWID;
     CREATE TABLE errand (
        place INTEGER PRIMARY KEY AUTOINCREMENT,
        activity TEXT NOT NULL, execution INTEGER NOT NULL, task INTEGER NOT NULL,
        token TEXT NOT NULL, input TEXT NOT NULL);
     CREATE INDEX errand_activity ON errand (activity, place);
     CREATE INDEX errand_execution ON errand (execution, task);",
];

/// The file's lock, held as long as this lives.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Makes the folder and takes the file's lock.
pub(crate) fn lock(folder: &Path, name: &str) -> Result<Lock, OpenError> {
    let wrap = |error| OpenError::Folder(folder.to_owned(), error);
    fs::create_dir_all(folder).map_err(wrap)?;
    let path = folder.join(format!("{name}.lock"));
    let file = File::options().create(true).truncate(false).write(true).open(path).map_err(wrap)?;
    match file.try_lock() {
        Ok(()) => Ok(Lock { _file: file }),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(folder.join(name))),
        Err(TryLockError::Error(error)) => Err(wrap(error)),
    }
}

/// The connection that writes, with the file in today's form.
pub(crate) fn writer(path: &Path, options: &Options) -> Result<Connection, OpenError> {
    let wrap = |error| OpenError::Sqlite(path.to_owned(), error);
    let mut connection = Connection::open(path).map_err(wrap)?;
    settings(&connection, options).map_err(wrap)?;
    upgrade(&mut connection, path, FORMS)?;
    Ok(connection)
}

/// A connection that reads beside the writer.
///
/// The file is not mapped: SQLite gives its map up whenever somebody else has written, and making
/// it anew costs more than copying pages.
pub(crate) fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    common(&connection)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// What every connection has.
fn common(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(Duration::from_secs(5))?;
    // Otherwise a statement is parsed again whenever another value is bound to its LIMIT.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

fn settings(connection: &Connection, options: &Options) -> rusqlite::Result<()> {
    common(connection)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", options.synchronous.as_str())?;
    // After a commit that balanced a tree SQLite looks through its whole cache: larger is slower.
    connection.pragma_update(None, "cache_size", -(8 << 10))?;
    connection.pragma_update(None, "wal_autocheckpoint", 4000)?;
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(())
}

/// Takes the steps the file has not taken yet, all in one transaction.
fn upgrade(connection: &mut Connection, path: &Path, forms: &[&str]) -> Result<(), OpenError> {
    let wrap = |error| OpenError::Sqlite(path.to_owned(), error);
    let pragma = |connection: &Connection, name: &str| {
        connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map_err(wrap)
    };
    let tables = "SELECT count(*) FROM sqlite_schema";
    let used: i64 = connection.query_row(tables, [], |row| row.get(0)).map_err(wrap)?;
    if used > 0 && pragma(connection, "application_id")? != APPLICATION {
        return Err(OpenError::Foreign(path.to_owned()));
    }
    let found = pragma(connection, "user_version")?;
    let known = i64::try_from(forms.len()).unwrap_or(i64::MAX);
    let taken = match usize::try_from(found) {
        Ok(taken) if taken <= forms.len() => taken,
        _ => return Err(OpenError::Newer { path: path.to_owned(), found, known }),
    };
    if taken < forms.len() {
        take_steps(connection, &forms[taken..], known).map_err(wrap)?;
    }
    Ok(())
}

fn take_steps(connection: &mut Connection, steps: &[&str], form: i64) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    for step in steps {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", form)?;
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().expect("a folder")
    }

    #[test]
    fn a_second_owner_is_refused_until_the_first_lets_go() {
        let folder = folder();
        let first = lock(folder.path(), "x").expect("free");
        let refused = lock(folder.path(), "x").expect_err("taken").to_string();
        assert!(refused.contains("in use by another process"), "{refused}");
        drop(first);
        assert!(lock(folder.path(), "x").is_ok());
    }

    #[test]
    fn an_older_file_is_brought_to_todays_form_with_what_it_holds() {
        let folder = folder();
        let path = folder.path().join("old.db");
        let mut old = Connection::open(&path).expect("open");
        upgrade(&mut old, &path, &FORMS[..1]).expect("the first form");
        old.execute("INSERT INTO plan VALUES (x'01')", []).expect("a row");
        drop(old);
        let new = writer(&path, &Options::default()).expect("upgraded");
        let count = |table: &str| -> i64 {
            let sql = format!("SELECT count(*) FROM {table}");
            new.query_row(&sql, [], |row| row.get(0)).expect("a table")
        };
        assert_eq!((count("plan"), count("message")), (1, 0));
    }

    #[test]
    fn a_newer_or_foreign_file_is_refused_and_left_alone() {
        let folder = folder();
        let path = folder.path().join("x.db");
        drop(writer(&path, &Options::default()).expect("made"));
        let db = Connection::open(&path).expect("open");
        db.pragma_update(None, "user_version", 999).expect("newer");
        let refused = writer(&path, &Options::default()).expect_err("newer");
        assert!(matches!(refused, OpenError::Newer { found: 999, .. }), "{refused}");
        db.pragma_update(None, "application_id", 7).expect("foreign");
        let refused = writer(&path, &Options::default()).expect_err("foreign");
        assert!(matches!(refused, OpenError::Foreign(_)), "{refused}");
        let form = db.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0));
        assert_eq!(form.expect("form"), 999);
    }
}
