//! The engine's rows: executions, their turns, and the tokens of those that sleep.
//!
//! A turn is one thing that came from outside, with its time, and the history it led to. Turns
//! are written when they happen and never again.

use crate::store::SqliteStore;
use mano_asl::{Ending, Status};
use mano_ports::{
    store::Error,
    workflows::{Listing, Run},
};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::Value;
use std::sync::Arc;

/// Turns of one execution; more than there can be history rows.
const TURNS: i64 = 1 << 20;

/// The `wake` of an execution that is in memory, or was when the process died.
pub(super) const AWAKE: i64 = 0;

/// The `wake` of an execution that only a token or a stop can wake.
pub(super) const NEVER: i64 = i64::MAX;

/// What does not change about an execution.
#[derive(Debug, Clone)]
pub(super) struct About {
    pub(super) id: i64,
    pub(super) workflow: String,
    pub(super) name: String,
    pub(super) definition: i64,
    pub(super) seed: [u8; 32],
    /// Milliseconds since 1970.
    pub(super) started: i64,
    pub(super) input: String,
}

/// One turn, ready to be written.
#[derive(Debug)]
pub(super) struct Turn {
    pub(super) about: Arc<About>,
    /// It is the first: the execution's own row goes before it.
    pub(super) first: bool,
    pub(super) n: u32,
    pub(super) at: i64,
    /// What came, as JSON; empty for the start.
    pub(super) event: String,
    /// The last history row so far.
    pub(super) last: u64,
    /// The new history rows, as a JSON array.
    pub(super) rows: String,
    /// The row says that it sleeps, and that is no longer so.
    pub(super) wakes: bool,
    pub(super) ending: Option<Ending>,
    pub(super) snapshot: Option<String>,
}

/// One turn as it is read again.
pub(super) struct Told {
    pub(super) at: i64,
    pub(super) event: String,
}

/// An execution as it lies in the file.
pub(super) struct Kept {
    pub(super) about: About,
    pub(super) engine: u32,
    pub(super) running: bool,
    pub(super) wake: Option<i64>,
    pub(super) snapshot: Option<String>,
    /// Turns the snapshot holds.
    pub(super) snapshot_turn: u32,
    /// Turns after the snapshot.
    pub(super) turns: Vec<Told>,
    /// The last history row written.
    pub(super) last: u64,
}

impl Turn {
    /// Writes the turn, and what it changes about its execution.
    pub(super) fn write(&self, db: &Connection) -> rusqlite::Result<()> {
        if self.first {
            self.begin(db)?;
        }
        db.prepare_cached(
            "INSERT OR REPLACE INTO turn (place, at, event, last, rows) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            self.about.id * TURNS + i64::from(self.n),
            self.at,
            self.event,
            self.last.cast_signed(),
            self.rows
        ])?;
        if self.wakes {
            let sql = "UPDATE execution SET wake = ?2 WHERE id = ?1 AND wake IS NOT NULL";
            db.prepare_cached(sql)?.execute([self.about.id, AWAKE])?;
        }
        if let Some(snapshot) = &self.snapshot {
            let sql = "UPDATE execution SET snapshot = ?2, snapshot_turn = ?3 WHERE id = ?1";
            db.prepare_cached(sql)?.execute(params![self.about.id, snapshot, self.n + 1])?;
        }
        match &self.ending {
            Some(ending) => self.end(db, ending),
            None => Ok(()),
        }
    }

    fn begin(&self, db: &Connection) -> rusqlite::Result<()> {
        let About { id, workflow, name, definition, seed, started, input } = &*self.about;
        db.prepare_cached(
            "INSERT OR IGNORE INTO execution
             (id, workflow, name, definition, engine, seed, status, started, input, wake)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'RUNNING', ?7, ?8, ?9)",
        )?
        .execute(params![
            id,
            workflow,
            name,
            definition,
            mano_asl::ENGINE_VERSION,
            seed.as_slice(),
            started,
            input,
            AWAKE
        ])
        .map(drop)
    }

    fn end(&self, db: &Connection, ending: &Ending) -> rusqlite::Result<()> {
        let untold = (ending.status != Status::Succeeded).then_some(0);
        let Ending { status, output, error, cause } = ending;
        db.prepare_cached(
            "UPDATE execution SET status = ?2, stopped = ?3, output = ?4, error = ?5, cause = ?6,
             told = ?7, wake = NULL, snapshot = NULL WHERE id = ?1",
        )?
        .execute(params![
            self.about.id,
            status_name(*status),
            self.at,
            output.as_deref(),
            error,
            cause,
            untold
        ])?;
        db.prepare_cached("DELETE FROM token WHERE execution = ?1")?
            .execute([self.about.id])
            .map(drop)
    }
}

/// Writes that an execution sleeps: until when, and which tokens wake it.
pub(super) fn sleep(
    db: &Connection,
    id: i64,
    wake: i64,
    tokens: &[String],
) -> rusqlite::Result<()> {
    let sql = "UPDATE execution SET wake = ?2 WHERE id = ?1 AND wake IS NOT NULL";
    db.prepare_cached(sql)?.execute([id, wake])?;
    let sql = "INSERT OR IGNORE INTO token (token, execution) VALUES (?1, ?2)";
    for token in tokens {
        db.prepare_cached(sql)?.execute(params![token, id])?;
    }
    Ok(())
}

/// Writes that an execution's end was told to whoever is interested.
pub(super) fn told(db: &Connection, id: i64) -> rusqlite::Result<()> {
    let sql = "UPDATE execution SET told = 1 WHERE id = ?1";
    db.prepare_cached(sql)?.execute([id]).map(drop)
}

/// Forgets executions with all their turns.
pub(super) fn forget(db: &Connection, ids: &[i64]) -> rusqlite::Result<()> {
    for id in ids {
        let sql = "DELETE FROM turn WHERE place >= ?1 AND place < ?2";
        db.prepare_cached(sql)?.execute([id * TURNS, (id + 1) * TURNS])?;
        db.prepare_cached("DELETE FROM execution WHERE id = ?1")?.execute([id])?;
    }
    Ok(())
}

/// `RUNNING` and its kind.
pub(super) const fn status_name(status: Status) -> &'static str {
    match status {
        Status::Running => "RUNNING",
        Status::Succeeded => "SUCCEEDED",
        Status::Failed => "FAILED",
        Status::TimedOut => "TIMED_OUT",
        Status::Aborted => "ABORTED",
    }
}

const KEPT: &str = "SELECT workflow, name, definition, seed, started, input, engine,
    status = 'RUNNING', wake, snapshot, snapshot_turn FROM execution WHERE id = ?1";

const RUN: &str = "SELECT id, workflow, name, status, started, stopped, input, output, error, cause
    FROM execution";

/// An execution with the turns it must take again.
pub(super) fn load(store: &SqliteStore, id: i64) -> Result<Option<Kept>, Error> {
    store.read(|db| {
        let Some(mut kept) =
            db.prepare_cached(KEPT)?.query_row([id], |row| kept(id, row)).optional()?
        else {
            return Ok(None);
        };
        let sql =
            "SELECT at, event, last FROM turn WHERE place >= ?1 AND place < ?2 ORDER BY place";
        let mut statement = db.prepare_cached(sql)?;
        let from = id * TURNS + i64::from(kept.snapshot_turn);
        let mut rows = statement.query([from, (id + 1) * TURNS])?;
        while let Some(row) = rows.next()? {
            kept.turns.push(Told { at: row.get(0)?, event: row.get(1)? });
            kept.last = row.get::<_, i64>(2)?.cast_unsigned();
        }
        Ok(Some(kept))
    })
}

fn kept(id: i64, row: &Row<'_>) -> rusqlite::Result<Kept> {
    Ok(Kept {
        about: About {
            id,
            workflow: row.get(0)?,
            name: row.get(1)?,
            definition: row.get(2)?,
            seed: row.get(3)?,
            started: row.get(4)?,
            input: row.get(5)?,
        },
        engine: row.get(6)?,
        running: row.get(7)?,
        wake: row.get(8)?,
        snapshot: row.get(9)?,
        snapshot_turn: row.get(10)?,
        turns: Vec::new(),
        last: 0,
    })
}

/// A number the query of one row gives, if there is one.
fn number(
    store: &SqliteStore,
    sql: &str,
    arguments: &[&dyn rusqlite::ToSql],
) -> Result<Option<i64>, Error> {
    store.read(|db| db.prepare_cached(sql)?.query_row(arguments, |row| row.get(0)).optional())
}

/// The execution of this name, ended or not.
pub(super) fn find(store: &SqliteStore, workflow: &str, run: &str) -> Result<Option<i64>, Error> {
    let sql = "SELECT id FROM execution WHERE workflow = ?1 AND name = ?2";
    number(store, sql, &[&workflow, &run])
}

/// The sleeping execution that waits for a token.
pub(super) fn waiter(store: &SqliteStore, token: &str) -> Result<Option<i64>, Error> {
    number(store, "SELECT execution FROM token WHERE token = ?1", &[&token])
}

/// The highest id used so far.
pub(super) fn last_id(store: &SqliteStore) -> Result<i64, Error> {
    Ok(number(store, "SELECT max(id) FROM execution HAVING max(id) IS NOT NULL", &[])?.unwrap_or(0))
}

/// When the first sleeper after `(wake, id)` wakes.
pub(super) fn next_wake(store: &SqliteStore, after: (i64, i64)) -> Result<Option<i64>, Error> {
    let sql = "SELECT wake FROM execution WHERE wake > 0 AND (wake, id) > (?1, ?2)
               ORDER BY wake, id LIMIT 1";
    Ok(number(store, sql, &[&after.0, &after.1])?.filter(|wake| *wake != NEVER))
}

/// At most `limit` sleepers after `(wake, id)` that wake up to `now`, in order.
pub(super) fn wakers(
    store: &SqliteStore,
    after: (i64, i64),
    now: i64,
    limit: i64,
) -> Result<Vec<(i64, i64)>, Error> {
    store.read(|db| {
        let sql = "SELECT wake, id FROM execution WHERE wake > 0 AND wake <= ?3
                   AND (wake, id) > (?1, ?2) ORDER BY wake, id LIMIT ?4";
        let mut statement = db.prepare_cached(sql)?;
        let found = statement
            .query_map([after.0, after.1, now, limit], |row| Ok((row.get(0)?, row.get(1)?)))?;
        found.collect()
    })
}

/// Among the next `limit` executions after the one numbered `after`: those that ended before an
/// instant; and where to look next, if there are more.
pub(super) fn ended_before(
    store: &SqliteStore,
    after: i64,
    instant: i64,
    limit: i64,
) -> Result<(Vec<i64>, Option<i64>), Error> {
    let next: Vec<(i64, bool)> = store.read(|db| {
        let sql = "SELECT id, coalesce(stopped < ?2 AND told IS NOT 0, 0) FROM execution
                   WHERE id > ?1 ORDER BY id LIMIT ?3";
        let mut statement = db.prepare_cached(sql)?;
        let found =
            statement.query_map([after, instant, limit], |row| Ok((row.get(0)?, row.get(1)?)))?;
        found.collect()
    })?;
    let full = i64::try_from(next.len()) == Ok(limit);
    let last = next.last().map(|(id, _)| *id).filter(|_| full);
    Ok((next.into_iter().filter(|(_, old)| *old).map(|(id, _)| id).collect(), last))
}

/// The executions that were in memory when the process ended.
pub(super) fn awake(store: &SqliteStore) -> Result<Vec<i64>, Error> {
    column(store, "SELECT id FROM execution WHERE wake = 0 ORDER BY id")
}

/// The executions whose end was not told yet.
pub(super) fn untold(store: &SqliteStore) -> Result<Vec<i64>, Error> {
    column(store, "SELECT id FROM execution WHERE told = 0 ORDER BY id")
}

fn column(store: &SqliteStore, sql: &str) -> Result<Vec<i64>, Error> {
    store.read(|db| db.prepare_cached(sql)?.query_map([], |row| row.get(0))?.collect())
}

/// An execution as `DescribeExecution` tells it.
pub(super) fn run(store: &SqliteStore, id: i64) -> Result<Run, Error> {
    let sql = format!("{RUN} WHERE id = ?1");
    store.read(|db| db.prepare_cached(&sql)?.query_row([id], |row| Ok(run_row(row)?.1)))
}

/// The executions of a workflow, newest first.
pub(super) fn runs(
    store: &SqliteStore,
    workflow: &str,
    before: i64,
    limit: usize,
) -> Result<Listing<Run>, Error> {
    let sql = format!("{RUN} WHERE workflow = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3");
    let more = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    let mut found: Vec<(i64, Run)> = store.read(|db| {
        let mut statement = db.prepare_cached(&sql)?;
        statement.query_map(params![workflow, before, more], run_row)?.collect()
    })?;
    let next = (found.len() > limit).then(|| found.truncate(limit));
    let next = next.and_then(|()| found.last().map(|(id, _)| id.to_string()));
    Ok(Listing { items: found.into_iter().map(|(_, run)| run).collect(), next })
}

fn run_row(row: &Row<'_>) -> rusqlite::Result<(i64, Run)> {
    let instant = |millis| jiff::Timestamp::from_millisecond(millis).unwrap_or_default();
    let value = |text: String| serde_json::from_str::<Value>(&text).unwrap_or_default();
    let run = Run {
        workflow: row.get(1)?,
        name: row.get(2)?,
        status: row.get(3)?,
        start_date: instant(row.get(4)?),
        stop_date: row.get::<_, Option<i64>>(5)?.map(instant),
        input: value(row.get(6)?),
        output: row.get::<_, Option<String>>(7)?.map(value),
        error: row.get(8)?,
        cause: row.get(9)?,
    };
    Ok((row.get(0)?, run))
}

/// History rows after the one numbered `after`, in order.
pub(super) fn history(
    store: &SqliteStore,
    id: i64,
    after: u64,
    limit: usize,
) -> Result<Listing<Value>, Error> {
    let mut items = store.read(|db| {
        let sql = "SELECT rows FROM turn WHERE place >= ?1 AND place < ?2 AND last > ?3
                   ORDER BY place";
        let mut statement = db.prepare_cached(sql)?;
        let mut rows = statement.query([id * TURNS, (id + 1) * TURNS, after.cast_signed()])?;
        let mut items: Vec<Value> = Vec::new();
        while items.len() <= limit
            && let Some(row) = rows.next()?
        {
            let turn: Vec<Value> =
                serde_json::from_str(row.get_ref(0)?.as_str()?).unwrap_or_default();
            items.extend(turn.into_iter().filter(|row| row["id"].as_u64() > Some(after)));
        }
        Ok(items)
    })?;
    let more = items.len() > limit;
    items.truncate(limit);
    let last = items.last().map(|row| row["id"].to_string());
    Ok(Listing { items, next: last.filter(|_| more) })
}
