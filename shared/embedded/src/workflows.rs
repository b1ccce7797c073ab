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
//!
//! What a task calls is a [`Service`]; a definition that asks for what no service offers is
//! refused when the engine is opened. A step that may take long is computed on a thread of its
//! own, so that a hostile definition holds up nobody; after a million steps of evaluation an
//! execution goes to the end of the queue.

mod activities;
mod api;
mod calls;
mod definitions;
mod drive;
mod ends;
mod family;
mod index;
mod live;
mod more;
mod pending;
mod recall;
mod rows;
mod services;
mod sleep;
#[cfg(test)]
mod tests;
mod weight;
mod wheel;

pub use activities::ActivityTask;
pub use definitions::{Machine, OpenError};
pub use more::RedriveError;

use crate::{dispatch::Dispatch, gate::Gate, store::SqliteStore};
use definitions::Definitions;
use index::Index;
use mano_asl::{Ending, Kind, host::Service};
use mano_ports::clock::Clock;
use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    runtime::Handle,
    sync::{Notify, Semaphore, oneshot, watch},
};
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
    /// Steps that may take long and are computed at the same time.
    heavy: Semaphore,
    /// Timers that may fire at the same time.
    firing: Arc<Semaphore>,
    services: Vec<Box<dyn Service>>,
    /// Executions that are still being read after the start.
    recalled: watch::Sender<usize>,
    /// There is new work for the workers of activities.
    errands: Notify,
    /// Work that is just being handed to a worker.
    claimed: Mutex<HashSet<i64>>,
    /// Who waits in this process for the end of an execution.
    listeners: Mutex<HashMap<i64, oneshot::Sender<Ending>>>,
    counters: Counters,
    world: OnceLock<World>,
}

impl Engine {
    /// An engine for these Standard workflows: name and text of each, and what [`Self::open_with`]
    /// says.
    ///
    /// # Errors
    /// A workflow is wrong, or the file cannot be used.
    pub async fn open(
        store: &Arc<SqliteStore>,
        clock: &Arc<dyn Clock>,
        workflows: impl IntoIterator<Item = (String, String)>,
        options: Options,
    ) -> Result<Arc<Self>, OpenError> {
        let machine = |(name, text)| Machine { name, text, kind: Kind::Standard };
        let machines = workflows.into_iter().map(machine);
        Self::open_with(store, clock, machines, Vec::new(), options).await
    }

    /// An engine for these workflows, with services of the caller's beside its own, and before
    /// them. `${ServiceManagement}`, `${Catalog}`, `${Inventory}` and `${Adapters}` become the
    /// names of those functions.
    ///
    /// # Errors
    /// A workflow is wrong or asks for what is not offered here, or the file cannot be used.
    pub async fn open_with(
        store: &Arc<SqliteStore>,
        clock: &Arc<dyn Clock>,
        machines: impl IntoIterator<Item = Machine>,
        services: Vec<Box<dyn Service>>,
        options: Options,
    ) -> Result<Arc<Self>, OpenError> {
        // What is offered does not hang on the engine, which is not there yet.
        let built_in = services::all(&Weak::new());
        let offers = services::offers(services.iter().chain(&built_in));
        let now = clock.now().as_millisecond();
        let definitions = Definitions::open(store, machines, &offers, now).await?;
        let next_id = AtomicI64::new(rows::last_id(store)? + 1);
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Ok(Arc::new_cyclic(|own| Self {
            own: Weak::clone(own),
            store: Arc::clone(store),
            clock: Arc::clone(clock),
            permits: Semaphore::new(options.at_once.max(1)),
            heavy: Semaphore::new(cores * 2),
            firing: Arc::new(Semaphore::new(sleep::AT_ONCE)),
            services: services.into_iter().chain(services::all(own)).collect(),
            options,
            definitions,
            index: Mutex::default(),
            wheel: Mutex::default(),
            next_id,
            next_sleeper: AtomicI64::new(0),
            rewind: Notify::new(),
            recalled: watch::Sender::new(0),
            errands: Notify::new(),
            claimed: Mutex::default(),
            listeners: Mutex::default(),
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

    fn listeners(&self) -> MutexGuard<'_, HashMap<i64, oneshot::Sender<Ending>>> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_id(&self) -> i64 {
        self.next_id.fetch_add(1, Relaxed)
    }

    fn now(&self) -> i64 {
        self.clock.now().as_millisecond()
    }
}
