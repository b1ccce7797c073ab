//! Work for later, as a table of the store's file, and the loop that hands it to consumers.
//!
//! ```text
//!   send ─▶ message (due, attempts) ─▶ first of its group, due ─▶ consumer ─▶ gone
//!                 ▲                                                  │ failed
//!                 └────────── later, attempts + 1 ◀──────────────────┤
//!                                             dead (reason) ◀────────┘ after the last
//! ```

use crate::{
    gate::{Gate, Inside},
    store::SqliteStore,
};
use async_trait::async_trait;
use jiff::Timestamp;
use mano_ports::{
    Cx, Error as Failure,
    clock::Clock,
    function::Consumer,
    queue::{DeadLetter, Error, Message, Queue},
    store,
};
use rusqlite::{OptionalExtension, params};
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::Notify;

/// The same id within so many milliseconds is one message.
const DEDUP: i64 = 5 * 60 * 1000;

/// Messages handled at the same time.
const AT_ONCE: usize = 128;

/// After so many failures a message is dead.
pub(crate) const ATTEMPTS: u32 = 8;

/// The queue as a table.
pub struct SqliteQueue {
    store: Arc<SqliteStore>,
    clock: Arc<dyn Clock>,
    sent: Arc<Notify>,
}

/// A message to handle.
#[derive(Debug, Clone)]
struct Waiting {
    place: i64,
    queue: String,
    group: String,
    /// Milliseconds since 1970.
    due: i64,
    attempts: u32,
    body: String,
}

impl SqliteQueue {
    pub(crate) fn new(store: &Arc<SqliteStore>, clock: &Arc<dyn Clock>) -> Self {
        Self { store: Arc::clone(store), clock: Arc::clone(clock), sent: Arc::new(Notify::new()) }
    }

    /// The messages that nobody could handle, oldest first, at most `limit`.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn dead(&self, limit: usize) -> Result<Vec<DeadLetter>, store::Error> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.store.read(|db| {
            let sql =
                "SELECT place, queue, grp, at, reason, body FROM dead ORDER BY place LIMIT ?1";
            let mut statement = db.prepare_cached(sql)?;
            let dead = statement.query_map([limit], |row| {
                Ok(DeadLetter {
                    id: row.get::<_, i64>(0)?.unsigned_abs(),
                    queue: row.get(1)?,
                    group: row.get(2)?,
                    at: Timestamp::from_millisecond(row.get(3)?).unwrap_or_default(),
                    reason: row.get(4)?,
                    body: serde_json::from_str(&row.get::<_, String>(5)?).unwrap_or_default(),
                })
            })?;
            dead.collect()
        })
    }

    /// The first message of each group, the earliest due first.
    fn heads(&self, limit: usize) -> Result<Vec<Waiting>, store::Error> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.store.read(|db| {
            let mut statement = db.prepare_cached(
                "SELECT place, queue, grp, due, attempts, body FROM message m
                 WHERE NOT EXISTS (SELECT 1 FROM message e WHERE e.queue = m.queue
                   AND e.grp = m.grp AND e.place < m.place)
                 ORDER BY due LIMIT ?1",
            )?;
            let heads = statement.query_map([limit], |row| {
                Ok(Waiting {
                    place: row.get(0)?,
                    queue: row.get(1)?,
                    group: row.get(2)?,
                    due: row.get(3)?,
                    attempts: row.get(4)?,
                    body: row.get(5)?,
                })
            })?;
            heads.collect()
        })
    }

    fn now(&self) -> i64 {
        self.clock.now().as_millisecond()
    }

    async fn remove(&self, place: i64) -> Result<(), store::Error> {
        let write = self.store.write(move |db| {
            db.prepare_cached("DELETE FROM message WHERE place = ?1")?.execute([place])?;
            Ok(())
        });
        write.await
    }

    /// Sends the message again later, or lays it among the dead.
    async fn failed(&self, message: &Waiting, reason: String) -> Result<(), store::Error> {
        let attempts = message.attempts + 1;
        let (place, now) = (message.place, self.now());
        let last = attempts >= ATTEMPTS;
        tracing::warn!(queue = message.queue, attempts, last, reason, "a message was not handled");
        let write = self.store.write(move |db| {
            if last {
                db.prepare_cached(
                    "INSERT OR REPLACE INTO dead (place, queue, grp, at, reason, body)
                     SELECT place, queue, grp, ?2, ?3, body FROM message WHERE place = ?1",
                )?
                .execute(params![place, now, reason])?;
                db.prepare_cached("DELETE FROM message WHERE place = ?1")?.execute([place])?;
            } else {
                let due = now.saturating_add(pause(attempts));
                let sql = "UPDATE message SET due = ?2, attempts = ?3 WHERE place = ?1";
                db.prepare_cached(sql)?.execute(params![place, due, attempts])?;
            }
            Ok(())
        });
        write.await
    }
}

/// Milliseconds to wait after so many failures: 1 s, 2 s, 4 s … 5 min.
fn pause(attempts: u32) -> i64 {
    let doubled = 1000_i64.checked_shl(attempts.saturating_sub(1)).unwrap_or(i64::MAX);
    doubled.clamp(1000, 300_000)
}

#[async_trait]
impl Queue for SqliteQueue {
    async fn send(&self, message: Message) -> Result<(), Error> {
        let now = self.now();
        let delay = i64::try_from(message.delay.as_millis()).unwrap_or(i64::MAX);
        let due = now.saturating_add(delay);
        let body = message.body.to_string();
        let Message { queue, group, dedup, .. } = message;
        let write = self.store.write(move |db| {
            db.prepare_cached("DELETE FROM sent WHERE at <= ?1")?.execute([now - DEDUP])?;
            let first = db
                .prepare_cached(
                    "INSERT OR IGNORE INTO sent (queue, dedup, at) VALUES (?1, ?2, ?3)",
                )?
                .execute(params![queue, dedup, now])?;
            if first == 1 {
                let sql = "INSERT INTO message (queue, grp, due, attempts, body)
                           VALUES (?1, ?2, ?3, 0, ?4)";
                db.prepare_cached(sql)?.execute(params![queue, group, due, body])?;
            }
            Ok(())
        });
        write.await.map_err(|error| Error::Unavailable(Box::new(error)))?;
        self.sent.notify_one();
        Ok(())
    }

    async fn dead_letters(&self, limit: usize) -> Result<Vec<DeadLetter>, Error> {
        self.dead(limit).map_err(|error| Error::Unavailable(Box::new(error)))
    }

    async fn redrive(&self, id: u64) -> Result<(), Error> {
        let (place, now) = (i64::try_from(id).unwrap_or(i64::MAX), self.now());
        let write = self.store.write(move |db| {
            db.prepare_cached(
                "INSERT INTO message (queue, grp, due, attempts, body)
                 SELECT queue, grp, ?2, 0, body FROM dead WHERE place = ?1",
            )?
            .execute([place, now])?;
            db.prepare_cached("DELETE FROM dead WHERE place = ?1")?.execute([place])?;
            Ok(())
        });
        write.await.map_err(|error| Error::Unavailable(Box::new(error)))?;
        self.sent.notify_one();
        Ok(())
    }
}

/// Hands messages to the consumers of a host.
pub(crate) struct Receiver {
    queue: Arc<SqliteQueue>,
    cx: Cx,
    consumers: Vec<&'static Consumer>,
    gate: Gate,
    /// Groups whose message is with its consumer.
    busy: Mutex<HashSet<(String, String)>>,
}

impl Receiver {
    pub(crate) fn new(
        queue: &Arc<SqliteQueue>,
        cx: Cx,
        consumers: Vec<&'static Consumer>,
        gate: Gate,
    ) -> Arc<Self> {
        let busy = Mutex::default();
        Arc::new(Self { queue: Arc::clone(queue), cx, consumers, gate, busy })
    }

    /// Receives until the gate closes.
    pub(crate) async fn run(self: Arc<Self>) {
        loop {
            let pause = self.begin_due();
            let Some(pause) = pause else { return };
            tokio::select! {
                () = self.cx.clock.sleep(pause) => {}
                () = self.queue.sent.notified() => {}
            }
        }
    }

    /// Begins what is due; how long until more is, or `None` when the gate is closed.
    fn begin_due(self: &Arc<Self>) -> Option<Duration> {
        const LOOK: Duration = Duration::from_secs(60);
        // A group that was busy before the rows were read may have moved since: its message is
        // looked at again when its handler is done.
        let busy = self.busy().clone();
        let room = AT_ONCE.saturating_sub(busy.len());
        let heads = match self.queue.heads(AT_ONCE * 2) {
            Ok(heads) => heads,
            Err(error) => {
                tracing::error!(%error, "the queue cannot be read; trying again soon");
                return Some(Duration::from_secs(1));
            }
        };
        let now = self.queue.now();
        let mut begun = 0;
        for message in heads {
            let group = (message.queue.clone(), message.group.clone());
            if message.due > now {
                let pause = Duration::from_millis(message.due.abs_diff(now));
                return self.gate.enter().map(|_| pause.min(LOOK));
            }
            // Whoever finishes wakes the loop again.
            if begun < room && !busy.contains(&group) && self.busy().insert(group) {
                let inside = self.gate.enter()?;
                begun += 1;
                tokio::spawn(Arc::clone(self).handle(message, inside));
            }
        }
        self.gate.enter().map(|_| LOOK)
    }

    async fn handle(self: Arc<Self>, message: Waiting, _inside: Inside) {
        let done = match self.call(&message).await {
            Ok(()) => self.queue.remove(message.place).await,
            Err(error) => self.queue.failed(&message, error.chain()).await,
        };
        if let Err(error) = done {
            tracing::error!(%error, "a message's end was not written; it comes again");
        }
        self.busy().remove(&(message.queue, message.group));
        self.queue.sent.notify_one();
    }

    async fn call(&self, message: &Waiting) -> Result<(), Failure> {
        let nobody = || Failure::Bug(format!("no function consumes queue '{}'", message.queue));
        let row = self.consumers.iter().find(|row| row.queue == message.queue);
        let row = row.ok_or_else(nobody)?;
        row.call(&self.cx, &message.body).await
    }

    fn busy(&self) -> std::sync::MutexGuard<'_, HashSet<(String, String)>> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SqliteQueue {
    /// How many messages wait.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn waiting(&self) -> Result<u64, store::Error> {
        let count: Option<i64> = self.store.read(|db| {
            let sql = "SELECT count(*) FROM message";
            db.prepare_cached(sql)?.query_row([], |row| row.get(0)).optional()
        })?;
        Ok(u64::try_from(count.unwrap_or_default()).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, log, until};
    use mano_ports::contract::queue::Fresh;

    async fn fresh() -> Fresh {
        let world = World::new().await;
        let clock = Arc::clone(&world.clock);
        Fresh {
            queue: Arc::clone(world.host.queue()) as _,
            store: Arc::clone(world.host.store()) as _,
            pass: Box::new(move |time| clock.advance(time)),
            keep: Box::new(world),
        }
    }

    mano_ports::queue_contract!(fresh().await);

    fn message(tag: &str, text: &str, fail: u64) -> Message {
        Message {
            queue: "trial",
            group: "g".into(),
            dedup: text.into(),
            delay: Duration::ZERO,
            body: serde_json::json!({ "tag": tag, "text": text, "fail": fail }),
        }
    }

    const LONG: Option<Duration> = Some(Duration::from_secs(300));

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn after_its_last_attempt_a_message_lies_among_the_dead_with_the_reason() {
        let world = World::new().await;
        let queue = world.host.queue();
        queue.send(message("dead", "never", u64::MAX)).await.expect("sent");
        queue.send(message("dead", "next", 0)).await.expect("sent");
        until(&world.clock, LONG, || log("dead").contains(&"next".into()).then_some(())).await;
        assert_eq!(log("dead").iter().filter(|line| *line == "never").count(), ATTEMPTS as usize);
        let dead = queue.dead(10).expect("read");
        let dead: Vec<_> = dead.iter().map(|dead| (&*dead.queue, &*dead.reason)).collect();
        assert_eq!(dead, [("trial", "no")]);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_dead_letter_that_is_sent_once_more_begins_anew() {
        let world = World::new().await;
        let queue = world.host.queue();
        queue.send(message("redriven", "x", u64::from(ATTEMPTS))).await.expect("sent");
        let dead = || queue.dead(1).expect("read").pop();
        let dead = until(&world.clock, LONG, dead).await;
        assert_eq!(dead.body["text"], "x");
        queue.redrive(dead.id).await.expect("sent");
        queue.redrive(dead.id).await.expect("sent before");
        let gone = || (queue.waiting().ok()? == 0).then_some(());
        until(&world.clock, LONG, gone).await;
        assert_eq!(log("redriven").len(), ATTEMPTS as usize + 1);
        assert!(queue.dead(1).expect("read").is_empty());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_message_nobody_consumes_says_so_when_it_is_dead() {
        let world = World::new().await;
        let lost = Message { queue: "nobody's", ..message("lost", "x", 0) };
        world.host.queue().send(lost).await.expect("sent");
        let dead = || world.host.queue().dead(1).expect("read").pop();
        let dead = until(&world.clock, LONG, dead).await;
        assert_eq!(dead.reason, "no function consumes queue 'nobody's'");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_message_that_waits_outlives_the_process() {
        let world = World::new().await;
        let later = Message { delay: Duration::from_secs(30), ..message("later", "x", 0) };
        world.host.queue().send(later).await.expect("sent");
        let next = world.crashed().await;
        assert!(log("later").is_empty());
        until(&next.clock, LONG, || (!log("later").is_empty()).then_some(())).await;
        assert!(next.clock.now().as_second() >= 30);
        until(&next.clock, None, || (next.host.queue().waiting().ok()? == 0).then_some(())).await;
    }
}
