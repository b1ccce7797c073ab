//! Activities: work that waits in the file until a worker asks for it.
//!
//! ```text
//!   turn ─▶ errand (durable) ─▶ activity_task (long poll) ─▶ TaskStarted ─▶ worker ─▶ its token
//! ```

use super::{Engine, api::unavailable, rows};
use mano_asl::{Event, TaskId};
use mano_ports::{store, workflows::Error};
use rusqlite::{OptionalExtension, params};
use std::{
    collections::HashSet,
    sync::{MutexGuard, PoisonError},
    time::Duration,
};

/// Work for a worker of an activity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivityTask {
    /// What the worker brings back with its result, by `resume`.
    pub token: String,
    /// JSON text.
    pub input: String,
}

/// A row of the table of errands.
struct Waiting {
    place: i64,
    execution: i64,
    task: TaskId,
    given: ActivityTask,
}

/// The name in an activity's ARN, or the name itself.
pub(super) fn name(arn: &str) -> &str {
    arn.split_once(":activity:").map_or(arn, |(_, name)| name)
}

/// Makes activities that are not there yet.
pub(super) async fn create(
    store: &crate::SqliteStore,
    names: Vec<String>,
    now: i64,
) -> Result<(), store::Error> {
    let made = store.write(move |db| {
        let sql = "INSERT OR IGNORE INTO activity (name, created) VALUES (?1, ?2)";
        for name in &names {
            db.prepare_cached(sql)?.execute(params![name, now])?;
        }
        Ok(())
    });
    made.await
}

impl Engine {
    /// Makes an activity; one that is there already is done. The activities that definitions name
    /// are made when the engine is opened. Returns its ARN.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn create_activity(&self, activity: &str) -> Result<String, Error> {
        let name = name(activity);
        create(&self.store, vec![name.into()], self.now()).await.map_err(unavailable)?;
        Ok(format!("arn:aws:states:local:000000000000:activity:{name}"))
    }

    /// `GetActivityTask`: the oldest task of an activity, by its name or ARN; waits for one at
    /// most so long. A task is handed out once; if the process dies first, once more.
    ///
    /// # Errors
    /// There is no such activity, or the file cannot be used.
    pub async fn activity_task(
        &self,
        activity: &str,
        worker: Option<&str>,
        wait: Duration,
    ) -> Result<Option<ActivityTask>, Error> {
        let name = name(activity);
        if !self.is_activity(name).map_err(unavailable)? {
            return Err(Error::Absent(name.into()));
        }
        let over = self.clock.sleep(wait);
        tokio::pin!(over);
        loop {
            let written = self.errands.notified();
            tokio::pin!(written);
            // From here on no errand is missed.
            written.as_mut().enable();
            while let Some(waiting) = self.claim(name).map_err(unavailable)? {
                let place = waiting.place;
                let given = self.hand_out(waiting, worker).await;
                self.claimed().remove(&place);
                if let Some(task) = given.map_err(unavailable)? {
                    return Ok(Some(task));
                }
            }
            tokio::select! {
                () = written => {}
                () = &mut over => return Ok(None),
            }
        }
    }

    /// `SendTaskHeartbeat`: whoever holds the token is alive; whether somebody waits for it.
    ///
    /// # Errors
    /// The file cannot be used.
    pub async fn heartbeat(&self, token: &str) -> Result<bool, Error> {
        let event = Event::TokenHeartbeat { token: token.into() };
        self.token(event, token).await.map_err(unavailable)
    }

    /// Tells the execution that a worker took its task; nothing, if nobody wants it any more.
    async fn hand_out(
        &self,
        waiting: Waiting,
        worker: Option<&str>,
    ) -> Result<Option<ActivityTask>, store::Error> {
        let Waiting { execution, task, given, .. } = waiting;
        let worker = worker.map(ToOwned::to_owned);
        let wanted = self.awaits_token(execution, given.token.clone()).await?;
        if !wanted {
            self.store.write(move |db| rows::drop_errand(db, execution, task)).await?;
            return Ok(None);
        }
        self.event(execution, Event::TaskStarted { task, worker }).await?;
        Ok(Some(given))
    }

    async fn awaits_token(&self, id: i64, token: String) -> Result<bool, store::Error> {
        let found = self.with(id, move |live| live.pending.tokens.contains_key(&token));
        Ok(found.await?.unwrap_or(false))
    }

    fn is_activity(&self, name: &str) -> Result<bool, store::Error> {
        let sql = "SELECT 1 FROM activity WHERE name = ?1";
        let found = self.store.read(|db| {
            db.prepare_cached(sql)?.query_row([name], |row| row.get::<_, i64>(0)).optional()
        })?;
        Ok(found.is_some())
    }

    /// The oldest task of an activity that no other worker is being given.
    fn claim(&self, name: &str) -> Result<Option<Waiting>, store::Error> {
        let mut claimed = self.claimed();
        let found = self.store.read(|db| {
            let sql = "SELECT place, execution, task, token, input FROM errand
                       WHERE activity = ?1 ORDER BY place";
            let mut statement = db.prepare_cached(sql)?;
            let mut rows = statement.query([name])?;
            while let Some(row) = rows.next()? {
                let place: i64 = row.get(0)?;
                if !claimed.contains(&place) {
                    return Ok(Some(Waiting {
                        place,
                        execution: row.get(1)?,
                        task: TaskId(row.get::<_, i64>(2)?.cast_unsigned()),
                        given: ActivityTask { token: row.get(3)?, input: row.get(4)? },
                    }));
                }
            }
            Ok(None)
        })?;
        if let Some(waiting) = &found {
            claimed.insert(waiting.place);
        }
        Ok(found)
    }

    fn claimed(&self) -> MutexGuard<'_, HashSet<i64>> {
        self.claimed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
