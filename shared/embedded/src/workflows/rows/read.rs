//! What the engine's rows tell.

use super::{About, Kept, NEVER, TURNS, Told};
use crate::{
    store::SqliteStore,
    workflows::{family::Link, live::Live},
};
use mano_asl::{Ending, Status};
use mano_ports::{
    store::Error,
    workflows::{Listing, Run},
};
use rusqlite::{OptionalExtension, Row, params};
use serde_json::Value;

const KEPT: &str = "SELECT workflow, name, definition, seed, started, input, engine,
    status = 'RUNNING', wake, snapshot, snapshot_turn, link, stopped FROM execution WHERE id = ?1";

const RUN: &str = "SELECT id, workflow, name, status, started, stopped, input, output, error, cause
    FROM execution";

/// An execution with the turns it must take again.
pub(in crate::workflows) fn load(store: &SqliteStore, id: i64) -> Result<Option<Kept>, Error> {
    let Some(mut kept) = read(store, id, true)? else { return Ok(None) };
    if kept.snapshot.is_some() && !Live::has_snapshot(&kept) {
        // A snapshot of another form: it only saves time.
        let Some(whole) = read(store, id, false)? else { return Ok(None) };
        kept = whole;
    }
    Ok(Some(kept))
}

fn read(store: &SqliteStore, id: i64, snapshot: bool) -> Result<Option<Kept>, Error> {
    store.read(|db| {
        let Some(mut kept) =
            db.prepare_cached(KEPT)?.query_row([id], |row| kept(id, row)).optional()?
        else {
            return Ok(None);
        };
        if !snapshot {
            (kept.snapshot, kept.snapshot_turn) = (None, 0);
        }
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
            link: Link::read(row.get::<_, Option<String>>(11)?.as_deref()),
        },
        stopped: row.get(12)?,
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
pub(in crate::workflows) fn find(
    store: &SqliteStore,
    workflow: &str,
    run: &str,
) -> Result<Option<i64>, Error> {
    let sql = "SELECT id FROM execution WHERE workflow = ?1 AND name = ?2";
    number(store, sql, &[&workflow, &run])
}

/// How an execution stands to others, and whether it is over.
pub(in crate::workflows) fn link(
    store: &SqliteStore,
    id: i64,
) -> Result<Option<(Link, bool)>, Error> {
    let sql = "SELECT link, status != 'RUNNING' FROM execution WHERE id = ?1";
    store.read(|db| {
        let link = |row: &Row<'_>| {
            Ok((Link::read(row.get::<_, Option<String>>(0)?.as_deref()), row.get(1)?))
        };
        db.prepare_cached(sql)?.query_row([id], link).optional()
    })
}

/// The sleeping execution that waits for a token.
pub(in crate::workflows) fn waiter(store: &SqliteStore, token: &str) -> Result<Option<i64>, Error> {
    number(store, "SELECT execution FROM token WHERE token = ?1", &[&token])
}

/// The highest id used so far.
pub(in crate::workflows) fn last_id(store: &SqliteStore) -> Result<i64, Error> {
    Ok(number(store, "SELECT max(id) FROM execution HAVING max(id) IS NOT NULL", &[])?.unwrap_or(0))
}

/// The definition an execution runs.
pub(in crate::workflows) fn definition(store: &SqliteStore, id: i64) -> Result<Option<i64>, Error> {
    number(store, "SELECT definition FROM execution WHERE id = ?1", &[&id])
}

/// How an execution ended.
pub(in crate::workflows) fn ending(store: &SqliteStore, id: i64) -> Result<Ending, Error> {
    let sql = "SELECT status, output, error, cause FROM execution WHERE id = ?1";
    store.read(|db| {
        let ending = |row: &Row<'_>| {
            Ok(Ending {
                status: status(&row.get::<_, String>(0)?),
                output: row.get::<_, Option<String>>(1)?.map(Into::into),
                error: row.get(2)?,
                cause: row.get(3)?,
            })
        };
        db.prepare_cached(sql)?.query_row([id], ending)
    })
}

fn status(name: &str) -> Status {
    let all = [Status::Running, Status::Succeeded, Status::TimedOut, Status::Aborted];
    let known = all.into_iter().find(|status| super::status_name(*status) == name);
    known.unwrap_or(Status::Failed)
}

/// When the first sleeper after `(wake, id)` wakes.
pub(in crate::workflows) fn next_wake(
    store: &SqliteStore,
    after: (i64, i64),
) -> Result<Option<i64>, Error> {
    let sql = "SELECT wake FROM execution WHERE wake > 0 AND (wake, id) > (?1, ?2)
               ORDER BY wake, id LIMIT 1";
    Ok(number(store, sql, &[&after.0, &after.1])?.filter(|wake| *wake != NEVER))
}

/// At most `limit` sleepers after `(wake, id)` that wake up to `now`, in order.
pub(in crate::workflows) fn wakers(
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
pub(in crate::workflows) fn ended_before(
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
pub(in crate::workflows) fn awake(store: &SqliteStore) -> Result<Vec<i64>, Error> {
    column(store, "SELECT id FROM execution WHERE wake = 0 ORDER BY id")
}

/// The executions whose end was not told yet.
pub(in crate::workflows) fn untold(store: &SqliteStore) -> Result<Vec<i64>, Error> {
    column(store, "SELECT id FROM execution WHERE told = 0 ORDER BY id")
}

fn column(store: &SqliteStore, sql: &str) -> Result<Vec<i64>, Error> {
    store.read(|db| db.prepare_cached(sql)?.query_map([], |row| row.get(0))?.collect())
}

/// An execution as `DescribeExecution` tells it.
pub(in crate::workflows) fn run(store: &SqliteStore, id: i64) -> Result<Run, Error> {
    let sql = format!("{RUN} WHERE id = ?1");
    store.read(|db| db.prepare_cached(&sql)?.query_row([id], |row| Ok(run_row(row)?.1)))
}

/// The executions of a workflow, newest first.
pub(in crate::workflows) fn runs(
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
pub(in crate::workflows) fn history(
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
