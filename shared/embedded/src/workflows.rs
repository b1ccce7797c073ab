//! The engine's host: keeps executions in the store's file and does what they ask for.
//!
//! ```text
//!   start, resume, stop ─┐                    ┌─▶ turn: what came + the history it led to
//!   a call's answer ─────┼─▶ Execution::handle┤      (written behind, in the store's FIFO)
//!   a timer ─────────────┘    (pure)          └─▶ calls, timers, the end
//! ```
//!
//! Turns are written behind their effects: a crash loses a suffix of what happened, never
//! something in between, and the calls of what was lost are made again. So a call is made at
//! least once, and whoever is called must recognise a second time. [`Options::strict`] awaits
//! the disk before every effect instead. Either way `start`, `resume` and `stop` answer once
//! what they did is on the disk.
//!
//! Executions that wait long for a timer or a token leave memory; their row says when to wake.

mod calls;
mod definitions;
mod drive;
mod index;
mod live;
mod rows;
mod sleep;
#[cfg(test)]
mod tests;
mod wheel;

pub use definitions::OpenError;

use crate::{dispatch::Dispatch, gate::Gate, store::SqliteStore};
use async_trait::async_trait;
use definitions::Definitions;
use index::{Entry, Index, State};
use live::Live;
use mano_asl::Event;
use mano_ports::{
    clock::Clock,
    store,
    workflows::{Error, Listing, Outcome, Run, Workflows},
};
use rows::About;
use serde_json::Value;
use std::{
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    runtime::Handle,
    sync::{Notify, Semaphore},
};
use uuid::Uuid;
use wheel::Wheel;

/// How the engine runs.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Awaits the disk before every effect, instead of writing behind.
    pub strict: bool,
    /// Calls made at the same time.
    pub at_once: usize,
    /// How long an execution that has ended is remembered.
    pub keep: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { strict: false, at_once: 8192, keep: Duration::from_secs(90 * 24 * 3600) }
    }
}

/// What the engine did since it was opened.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Executions started.
    pub started: u64,
    /// Executions that ended.
    pub ended: u64,
    /// Things that came from outside and changed something.
    pub turns: u64,
    /// Executions in memory now.
    pub in_memory: u64,
}

#[derive(Default)]
struct Counters {
    started: AtomicU64,
    ended: AtomicU64,
    turns: AtomicU64,
}

/// What the engine calls, once there is a host.
struct World {
    dispatch: Weak<Dispatch>,
    gate: Gate,
    runtime: Handle,
}

/// The engine of one process.
pub struct Engine {
    own: Weak<Self>,
    store: Arc<SqliteStore>,
    clock: Arc<dyn Clock>,
    options: Options,
    definitions: Definitions,
    index: Mutex<Index>,
    wheel: Mutex<Wheel>,
    next_id: AtomicI64,
    /// When the first execution outside memory wakes.
    next_sleeper: AtomicI64,
    /// The timers changed.
    rewind: Notify,
    permits: Semaphore,
    counters: Counters,
    world: OnceLock<World>,
}

impl Engine {
    /// An engine for these workflows: name and text of each. `${ServiceManagement}`,
    /// `${Catalog}`, `${Inventory}` and `${Adapters}` become the names of those functions.
    ///
    /// # Errors
    /// A workflow is wrong, or the file cannot be used.
    pub async fn open(
        store: &Arc<SqliteStore>,
        clock: &Arc<dyn Clock>,
        workflows: impl IntoIterator<Item = (String, String)>,
        options: Options,
    ) -> Result<Arc<Self>, OpenError> {
        let definitions = Definitions::open(store, workflows).await?;
        let next_id = AtomicI64::new(rows::last_id(store)? + 1);
        Ok(Arc::new_cyclic(|own| Self {
            own: Weak::clone(own),
            store: Arc::clone(store),
            clock: Arc::clone(clock),
            permits: Semaphore::new(options.at_once.max(1)),
            options,
            definitions,
            index: Mutex::default(),
            wheel: Mutex::default(),
            next_id,
            next_sleeper: AtomicI64::new(0),
            rewind: Notify::new(),
            counters: Counters::default(),
            world: OnceLock::new(),
        }))
    }

    /// What the engine did since it was opened.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            started: self.counters.started.load(Relaxed),
            ended: self.counters.ended.load(Relaxed),
            turns: self.counters.turns.load(Relaxed),
            in_memory: self.index().len() as u64,
        }
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wheel(&self) -> MutexGuard<'_, Wheel> {
        self.wheel.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> i64 {
        self.clock.now().as_millisecond()
    }

    /// The execution of this name, with everything that happened to it written.
    async fn settled(&self, workflow: &str, run: &str) -> Result<i64, Error> {
        self.definitions.file(workflow).map(drop).or_else(|absent| {
            let known = rows::find(&self.store, workflow, run).map_err(unavailable)?;
            known.map(drop).ok_or(absent)
        })?;
        if self.index().named(workflow, run).is_some() {
            self.store.write(|_| Ok(())).await.map_err(unavailable)?;
        }
        let found = rows::find(&self.store, workflow, run).map_err(unavailable)?;
        found.ok_or_else(|| Error::Absent(run.into()))
    }

    /// Makes the execution, unless there is one of this name.
    fn begin(&self, workflow: &str, run: &str, input: &Value) -> Result<Option<Begun>, Error> {
        let file = self.definitions.file(workflow)?;
        if self.index().named(workflow, run).is_some() {
            return Ok(None);
        }
        let id = self.next_id.fetch_add(1, Relaxed);
        let about = About {
            id,
            workflow: workflow.into(),
            name: run.into(),
            definition: file.id,
            seed: seed(),
            started: self.now(),
            input: input.to_string(),
        };
        let (live, turn, todo) = Live::start(about, file.definition.clone())
            .map_err(|error| Error::Unavailable(Box::new(error)))?;
        let entry = Entry::new(id, State::Live(Box::new(live)));
        // Nobody else has the entry yet, so its lock may be held while the index is locked.
        let _held = entry.state();
        {
            let mut index = self.index();
            let known = index.named(workflow, run).is_some()
                || rows::find(&self.store, workflow, run).map_err(unavailable)?.is_some();
            if known {
                return Ok(None);
            }
            index.insert(&entry, workflow, run);
        }
        self.counters.started.fetch_add(1, Relaxed);
        Ok(Some((id, self.write_turn(id, turn, todo, true))))
    }
}

type Begun = (i64, drive::Next);

/// A secret that nobody can guess: 244 random bits.
fn seed() -> [u8; 32] {
    let mut seed = [0; 32];
    let (left, right) = seed.split_at_mut(16);
    left.copy_from_slice(Uuid::new_v4().as_bytes());
    right.copy_from_slice(Uuid::new_v4().as_bytes());
    seed
}

fn unavailable(error: store::Error) -> Error {
    Error::Unavailable(Box::new(error))
}

#[async_trait]
impl Workflows for Engine {
    async fn start(&self, workflow: &str, run: &str, input: Value) -> Result<(), Error> {
        if let Some((id, next)) = self.begin(workflow, run, &input)? {
            self.carry_out(id, next).await.map_err(unavailable)?;
        }
        Ok(())
    }

    async fn resume(&self, token: &str, outcome: Outcome) -> Result<(), Error> {
        let here = self.index().waiter(token);
        let waiter = match here {
            Some(id) => Some(id),
            None => rows::waiter(&self.store, token).map_err(unavailable)?,
        };
        let Some(id) = waiter else { return Ok(()) };
        let token = token.to_owned();
        let event = match outcome {
            Outcome::Success(output) => Event::TokenSucceeded { token, output: output.to_string() },
            Outcome::Failure { error, cause } => {
                Event::TokenFailed { token, error: Some(error), cause: Some(cause) }
            }
        };
        self.event(id, event).await.map_err(unavailable)
    }

    async fn stop(&self, workflow: &str, run: &str, cause: &str) -> Result<(), Error> {
        let id = self.settled(workflow, run).await?;
        let event = Event::Stop { error: None, cause: Some(cause.into()) };
        self.event(id, event).await.map_err(unavailable)
    }

    async fn workflows(&self) -> Result<Vec<String>, Error> {
        Ok(self.definitions.names())
    }

    async fn definition(&self, workflow: &str) -> Result<String, Error> {
        Ok(self.definitions.file(workflow)?.text.clone())
    }

    async fn runs(
        &self,
        workflow: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Listing<Run>, Error> {
        self.definitions.file(workflow)?;
        self.store.write(|_| Ok(())).await.map_err(unavailable)?;
        let before = after.map_or(i64::MAX, |after| after.parse().unwrap_or(0));
        rows::runs(&self.store, workflow, before, limit.max(1)).map_err(unavailable)
    }

    async fn describe(&self, workflow: &str, run: &str) -> Result<Run, Error> {
        let id = self.settled(workflow, run).await?;
        rows::run(&self.store, id).map_err(unavailable)
    }

    async fn history(
        &self,
        workflow: &str,
        run: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Listing<Value>, Error> {
        let id = self.settled(workflow, run).await?;
        let after = after.map_or(0, |after| after.parse().unwrap_or(u64::MAX));
        rows::history(&self.store, id, after, limit.max(1)).map_err(unavailable)
    }
}
