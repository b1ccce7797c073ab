//! The engine's rows: executions, their turns, and the tokens of those that sleep.
//!
//! A turn is one thing that came from outside, with its time, and the history it led to. Turns
//! are written when they happen and never again.

use super::family::{Keeps, Link};
use mano_asl::{Call, Ending, Status, TaskId};
use rusqlite::{Connection, params};
use std::sync::Arc;

mod read;

pub(super) use read::{
    awake, definition, ended_before, ending, find, history, last_id, link, load, next_wake, run,
    runs, untold, waiter, wakers,
};

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
    pub(super) link: Link,
}

impl About {
    /// What of it is written.
    pub(super) const fn keeps(&self) -> Keeps {
        self.link.keeps
    }
}

/// Work for a worker of an activity.
#[derive(Debug, Clone)]
pub(super) struct Errand {
    pub(super) activity: String,
    pub(super) task: TaskId,
    pub(super) token: String,
    pub(super) input: String,
}

impl Errand {
    pub(super) fn of(call: &Call) -> Self {
        Self {
            activity: super::activities::name(&call.resource).into(),
            task: call.task,
            token: call.token.clone().unwrap_or_default(),
            input: call.arguments.text().to_string(),
        }
    }
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
    /// From now on the row says that it sleeps, until then.
    pub(super) sleeps: Option<i64>,
    /// New work for workers.
    pub(super) errands: Vec<Errand>,
    /// Tasks whose work a worker took, or nobody wants any more.
    pub(super) taken: Vec<TaskId>,
    /// It had ended, and goes on.
    pub(super) revives: bool,
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
    /// When it ended, if it has.
    pub(super) stopped: Option<i64>,
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
    /// Whether anything of it is written.
    pub(super) fn is_written(&self) -> bool {
        match self.about.keeps() {
            Keeps::Everything => true,
            Keeps::Ends => self.first || self.ending.is_some(),
            Keeps::Nothing => false,
        }
    }

    /// Writes the turn, and what it changes about its execution.
    pub(super) fn write(&self, db: &Connection) -> rusqlite::Result<()> {
        match self.about.keeps() {
            Keeps::Nothing => return Ok(()),
            Keeps::Everything | Keeps::Ends if self.first => self.begin(db)?,
            Keeps::Everything | Keeps::Ends => {}
        }
        if self.about.keeps() == Keeps::Everything {
            self.journal(db)?;
        }
        match &self.ending {
            Some(ending) => self.end(db, ending),
            None => Ok(()),
        }
    }

    /// Writes what came, what it led to, and what it changes about the rest of the rows.
    fn journal(&self, db: &Connection) -> rusqlite::Result<()> {
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
        let wake = self.sleeps.filter(|_| !self.first).or(self.wakes.then_some(AWAKE));
        if let Some(wake) = wake {
            let sql = "UPDATE execution SET wake = ?2 WHERE id = ?1 AND wake IS NOT NULL";
            db.prepare_cached(sql)?.execute([self.about.id, wake])?;
        }
        if self.revives {
            db.prepare_cached(
                "UPDATE execution SET status = 'RUNNING', stopped = NULL, error = NULL,
                 cause = NULL, told = NULL, wake = ?2, link = ?3 WHERE id = ?1",
            )?
            .execute(params![
                self.about.id,
                self.sleeps.unwrap_or(AWAKE),
                self.about.link.text()
            ])?;
        }
        if let Some(snapshot) = &self.snapshot {
            let sql = "UPDATE execution SET snapshot = ?2, snapshot_turn = ?3 WHERE id = ?1";
            db.prepare_cached(sql)?.execute(params![self.about.id, snapshot, self.n + 1])?;
        }
        self.run_errands(db)
    }

    fn run_errands(&self, db: &Connection) -> rusqlite::Result<()> {
        for errand in &self.errands {
            let Errand { activity, task, token, input } = errand;
            let sql = "INSERT INTO errand (activity, execution, task, token, input)
                       VALUES (?1, ?2, ?3, ?4, ?5)";
            let task = task.0.cast_signed();
            db.prepare_cached(sql)?.execute(params![
                activity,
                self.about.id,
                task,
                token,
                input
            ])?;
        }
        for task in &self.taken {
            drop_errand(db, self.about.id, *task)?;
        }
        Ok(())
    }

    fn begin(&self, db: &Connection) -> rusqlite::Result<()> {
        let About { id, workflow, name, definition, seed, started, input, link } = &*self.about;
        if let Some(old) = link.replaces {
            forget(db, &[old])?;
        }
        db.prepare_cached(
            "INSERT OR IGNORE INTO execution
             (id, workflow, name, definition, engine, seed, status, started, input, wake, link)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'RUNNING', ?7, ?8, ?9, ?10)",
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
            self.sleeps.unwrap_or(AWAKE),
            link.text()
        ])
        .map(drop)
    }

    fn end(&self, db: &Connection, ending: &Ending) -> rusqlite::Result<()> {
        let untold = self.about.link.is_told(ending.status).then_some(0);
        let Ending { status, output, error, cause } = ending;
        db.prepare_cached(
            "UPDATE execution SET status = ?2, stopped = ?3, output = ?4, error = ?5, cause = ?6,
             told = ?7, wake = NULL, snapshot = iif(?2 = 'SUCCEEDED', NULL, snapshot)
             WHERE id = ?1",
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

/// Writes that nobody wants a worker's task any more.
pub(super) fn drop_errand(db: &Connection, id: i64, task: TaskId) -> rusqlite::Result<()> {
    let sql = "DELETE FROM errand WHERE execution = ?1 AND task = ?2";
    db.prepare_cached(sql)?.execute([id, task.0.cast_signed()]).map(drop)
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
        db.prepare_cached("DELETE FROM errand WHERE execution = ?1")?.execute([id])?;
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
