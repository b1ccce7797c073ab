//! Hands committed facts to whoever listens: in order per document, at least once, for ever.
//!
//! ```text
//!   commit ─▶ take ─▶ lane of its document ─▶ listeners ─▶ mark ─▶ next of the lane
//!                └─(too many in hand)─▶ left in the table, read again when there is room
//!   a lane whose fact fails again and again is parked: the minute's sweep opens it
//! ```
//!
//! The table is the truth: whatever is forgotten here is still due there.

use crate::{
    gate::Gate,
    store::{Due, SqliteStore},
};
use futures_util::{FutureExt, future::join_all};
use mano_model::plan::{Announced, Key};
use mano_ports::{Cx, Error, function::Listener};
use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};
use tokio::{runtime::Handle, sync::Semaphore};
use tracing::Instrument;

/// Facts in memory; the rest waits in the table.
const IN_HAND: usize = 10_000;

/// Facts whose listeners work at the same time.
const AT_ONCE: usize = 256;

/// Rows read from the table at a time.
const CHUNK: usize = 256;

/// Pauses between the attempts at one fact, before its lane is parked.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(50),
    Duration::from_millis(250),
    Duration::from_secs(1),
    Duration::from_secs(5),
];

/// What was due for so long was forgotten.
const FORGOTTEN: Duration = Duration::from_secs(30);

/// The facts of one document that are in hand.
#[derive(Default)]
struct Lane {
    facts: VecDeque<Due>,
    /// The place of the last fact delivered.
    done: i64,
    /// Its first fact failed too often: its facts stay in the table until the sweep.
    parked: bool,
    /// More of them lie in the table than were read.
    more: bool,
}

#[derive(Default)]
struct Lanes {
    lanes: HashMap<Key, Lane>,
    in_hand: usize,
    /// Every fact up to this place was put into a lane or left to the sweep.
    cursor: i64,
    /// Facts beyond the cursor lie in the table.
    behind: bool,
}

/// The relay of one host.
pub(crate) struct Relay {
    store: Arc<SqliteStore>,
    cx: Cx,
    listeners: Vec<&'static Listener>,
    lanes: Mutex<Lanes>,
    permits: Semaphore,
    gate: Gate,
    runtime: Handle,
}

impl Relay {
    /// Listens to the store and begins with what is due.
    pub(crate) fn start(
        store: &Arc<SqliteStore>,
        cx: Cx,
        listeners: Vec<&'static Listener>,
        gate: Gate,
    ) -> Arc<Self> {
        let relay = Arc::new(Self {
            store: Arc::clone(store),
            cx,
            listeners,
            lanes: Mutex::new(Lanes { behind: true, ..Lanes::default() }),
            permits: Semaphore::new(AT_ONCE),
            gate,
            runtime: Handle::current(),
        });
        let ear: Weak<Self> = Arc::downgrade(&relay);
        store.on_facts(move |facts| {
            if let Some(relay) = ear.upgrade() {
                relay.take(facts);
            }
        });
        relay.catch_up();
        relay
    }

    /// Facts of a commit that just happened; called by the writing thread.
    fn take(self: &Arc<Self>, facts: Vec<Due>) {
        let mut lanes = self.lanes();
        for due in facts {
            lanes.behind |= lanes.in_hand >= IN_HAND;
            if !lanes.behind && due.place > lanes.cursor {
                self.put(&mut lanes, due);
            }
        }
    }

    /// Reads from the table what there was no room for.
    fn catch_up(self: &Arc<Self>) {
        let mut lanes = self.lanes();
        while lanes.behind && lanes.in_hand < IN_HAND {
            // The lock is held, so that no commit's facts overtake those being read.
            match self.store.due(lanes.cursor, CHUNK) {
                Ok(facts) => {
                    lanes.behind = facts.len() == CHUNK;
                    facts.into_iter().for_each(|due| self.put(&mut lanes, due));
                }
                Err(error) => {
                    tracing::error!(%error, "the due facts cannot be read; trying again soon");
                    return;
                }
            }
        }
    }

    /// Opens parked lanes and looks for what was forgotten; once a minute.
    pub(crate) fn sweep(self: &Arc<Self>) {
        self.catch_up();
        let mut lanes = self.lanes();
        let parked: Vec<Key> = lanes
            .lanes
            .iter()
            .filter(|(_, lane)| lane.parked)
            .map(|(key, _)| key.clone())
            .collect();
        for key in parked {
            self.reload(&mut lanes, &key);
        }
        let now = self.cx.clock.now().as_millisecond();
        let before = now.saturating_sub(i64::try_from(FORGOTTEN.as_millis()).unwrap_or(i64::MAX));
        match self.store.due_since(before, lanes.cursor, CHUNK) {
            Ok(forgotten) => {
                for due in forgotten {
                    if !lanes.lanes.contains_key(&due.fact.fact.about) {
                        tracing::warn!(fact = due.fact.fact.name, "a fact was due for long");
                        let about = due.fact.fact.about.clone();
                        lanes.lanes.insert(about.clone(), Lane { parked: true, ..Lane::default() });
                        self.reload(&mut lanes, &about);
                    }
                }
            }
            Err(error) => tracing::error!(%error, "the due facts cannot be read"),
        }
    }

    /// Fills an idle lane from the table and sets it going.
    fn reload(self: &Arc<Self>, lanes: &mut Lanes, about: &Key) {
        let cursor = lanes.cursor;
        let Some(lane) = lanes.lanes.get_mut(about) else { return };
        let facts = match self.store.due_about(about, lane.done, CHUNK) {
            Ok(facts) => facts,
            Err(error) => {
                tracing::error!(%error, "the due facts cannot be read; trying again soon");
                lane.parked = true;
                return;
            }
        };
        lane.parked = false;
        lane.more = facts.len() == CHUNK;
        // What lies beyond the cursor comes to the lane by itself.
        lane.facts = facts.into_iter().filter(|due| due.place <= cursor).collect();
        lanes.in_hand += lane.facts.len();
        self.go(about.clone());
    }

    /// Puts a fact into its lane.
    fn put(self: &Arc<Self>, lanes: &mut Lanes, due: Due) {
        lanes.cursor = due.place;
        let about = due.fact.fact.about.clone();
        match lanes.lanes.entry(about.clone()) {
            Entry::Occupied(mut lane) => {
                let lane = lane.get_mut();
                if lane.parked || lane.more {
                    return;
                }
                lane.facts.push_back(due);
            }
            Entry::Vacant(place) => {
                let facts = VecDeque::from([due]);
                place.insert(Lane { facts, ..Lane::default() });
                self.go(about);
            }
        }
        lanes.in_hand += 1;
    }

    fn go(self: &Arc<Self>, about: Key) {
        let relay = Arc::clone(self);
        self.runtime.spawn(async move { relay.run(about).await });
    }

    /// Delivers the facts of one lane until it is empty or stuck.
    async fn run(self: Arc<Self>, about: Key) {
        loop {
            let Some(_inside) = self.gate.enter() else { return };
            let Some(due) = self.next(&about) else { break };
            let heard = self.deliver(&due.fact).await;
            if heard {
                self.store.relayed(due.place);
            }
            if !self.delivered(&about, due.place, heard) {
                break;
            }
        }
        if self.lanes().behind {
            self.catch_up();
        }
    }

    /// The first fact of a lane; an empty lane is read again or given up.
    fn next(self: &Arc<Self>, about: &Key) -> Option<Due> {
        let mut lanes = self.lanes();
        let lane = lanes.lanes.get(about)?;
        if let Some(due) = lane.facts.front() {
            return Some(due.clone());
        }
        if lane.more {
            self.reload(&mut lanes, about);
        } else {
            lanes.lanes.remove(about);
        }
        None
    }

    /// Takes the fact off its lane; false: the lane is parked.
    fn delivered(&self, about: &Key, place: i64, heard: bool) -> bool {
        let mut lanes = self.lanes();
        let Some(lane) = lanes.lanes.get_mut(about) else { return false };
        let gone = if heard {
            lane.done = place;
            lane.facts.pop_front();
            1
        } else {
            lane.parked = true;
            std::mem::take(&mut lane.facts).len()
        };
        lanes.in_hand -= gone;
        heard
    }

    /// Calls every listener until each has succeeded; false: some fail again and again.
    async fn deliver(&self, fact: &Announced) -> bool {
        let mut left: Vec<_> =
            self.listeners.iter().filter(|row| row.hears(&fact.fact.name)).collect();
        for pause in PAUSES.into_iter().map(Some).chain([None]) {
            left = self.attempt(fact, left).await;
            let Some(pause) = pause.filter(|_| !left.is_empty()) else { break };
            self.cx.clock.sleep(pause).await;
        }
        left.is_empty()
    }

    /// Calls the listeners at the same time; those that failed.
    async fn attempt<'a>(
        &self,
        fact: &Announced,
        listeners: Vec<&'a &'static Listener>,
    ) -> Vec<&'a &'static Listener> {
        let Ok(_permit) = self.permits.acquire().await else { return listeners };
        let calls = listeners.into_iter().map(|row| async move {
            let heard = self.call(fact, row).await;
            heard.is_err().then_some(row)
        });
        join_all(calls).await.into_iter().flatten().collect()
    }

    async fn call(&self, fact: &Announced, row: &'static Listener) -> Result<(), Error> {
        let span = tracing::info_span!(
            "listener",
            name = row.name,
            fact = fact.fact.name,
            tenant = fact.fact.about.tenant.as_str(),
            op = fact.fact.about.id,
            traceparent = fact.origin.trace,
        );
        let call = AssertUnwindSafe((row.handler)(&self.cx, fact)).catch_unwind();
        let heard = call.instrument(span.clone()).await;
        let heard = heard.unwrap_or_else(|_| Err(Error::Bug("a listener panicked".into())));
        if let Err(error) = &heard {
            let _in = span.enter();
            tracing::warn!(error = error.chain(), "a listener failed; it is called again");
        }
        heard
    }

    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
