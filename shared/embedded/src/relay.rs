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
use futures_util::future::join_all;
use mano_model::plan::{Announced, Key};
use mano_ports::{Cx, function::Listener};
use std::{
    collections::{HashMap, HashSet, VecDeque, hash_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};
use tokio::{runtime::Handle, sync::Semaphore};

/// Facts in memory; the rest waits in the table.
const IN_HAND: usize = if cfg!(test) { 40 } else { 10_000 };

/// Facts whose listeners work at the same time.
const AT_ONCE: usize = 256;

/// Rows read from the table at a time.
const CHUNK: usize = if cfg!(test) { 16 } else { 256 };

/// Pauses between the attempts at one fact, before its lane is parked.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(50),
    Duration::from_millis(250),
    Duration::from_secs(1),
    Duration::from_secs(5),
];

/// What was due for so many milliseconds may have been forgotten.
const FORGOTTEN: i64 = 30_000;

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
    /// Facts that the last sweep found due and in no lane.
    suspects: HashSet<i64>,
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
        while self.catch_up_a_little() {}
    }

    /// Reads one chunk; whether there is more, and room for it.
    fn catch_up_a_little(self: &Arc<Self>) -> bool {
        // The lock is held, so that no commit's facts overtake those being read.
        let mut lanes = self.lanes();
        if !lanes.behind || lanes.in_hand >= IN_HAND {
            return false;
        }
        match self.store.due(lanes.cursor, CHUNK) {
            Ok(facts) => {
                lanes.behind = facts.len() == CHUNK;
                facts.into_iter().for_each(|due| self.put(&mut lanes, due));
                lanes.behind
            }
            Err(error) => {
                tracing::error!(%error, "the due facts cannot be read; trying again soon");
                false
            }
        }
    }

    /// Opens parked lanes and looks for what was forgotten; once a minute.
    pub(crate) async fn sweep(self: &Arc<Self>) {
        // Marks that are still on their way to the file must not look like facts still due.
        if let Err(error) = self.store.write(|_| Ok(())).await {
            tracing::error!(%error, "the sweep is put off");
            return;
        }
        self.catch_up();
        let mut lanes = self.lanes();
        let parked = lanes.lanes.iter().filter(|(_, lane)| lane.parked);
        let parked: Vec<Key> = parked.map(|(about, _)| about.clone()).collect();
        for about in parked {
            self.reload(&mut lanes, &about);
        }
        self.look_for_forgotten(&mut lanes);
    }

    /// Facts that are due, in no lane, and were so a sweep ago.
    ///
    /// There are none unless something here is wrong; a fact must not depend on that.
    fn look_for_forgotten(self: &Arc<Self>, lanes: &mut Lanes) {
        let now = self.cx.clock.now().as_millisecond();
        let before = now.saturating_sub(FORGOTTEN);
        let due = match self.store.due_since(before, lanes.cursor, CHUNK) {
            Ok(due) => due,
            Err(error) => {
                tracing::error!(%error, "the due facts cannot be read");
                return;
            }
        };
        let suspects = std::mem::take(&mut lanes.suspects);
        for due in due {
            let about = &due.fact.fact.about;
            if lanes.lanes.contains_key(about) {
                continue;
            }
            if suspects.contains(&due.place) {
                tracing::warn!(fact = due.fact.fact.name, about = about.id, "a fact was forgotten");
                lanes.lanes.insert(about.clone(), Lane { parked: true, ..Lane::default() });
                self.reload(lanes, about);
            } else {
                lanes.suspects.insert(due.place);
            }
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
            tokio::select! {
                () = self.cx.clock.sleep(pause) => {}
                () = self.gate.closing() => break,
            }
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
            let heard = row.call(&self.cx, fact).await;
            heard.is_err().then_some(row)
        });
        join_all(calls).await.into_iter().flatten().collect()
    }

    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, log, until};
    use mano_model::{TenantId, plan::Plan};
    use mano_ports::contract::Note;
    use serde_json::json;

    fn plan(world: &World) -> Plan {
        let tenant = TenantId::new("trials");
        let mut origin = world.host.cx().derived(&tenant, "trials", &[]);
        origin.id = uuid::Uuid::new_v4();
        Plan::new(origin)
    }

    /// Tells facts about documents, each failing so often.
    async fn tell(world: &World, tag: &str, facts: &[(&str, u64)]) {
        for chunk in facts.chunks(Plan::MAX_ROWS) {
            let plan = chunk.iter().fold(plan(world), |plan, (about, fail)| {
                plan.tell::<Note>(*about, "trial.told", json!({ "tag": tag, "fail": fail }))
            });
            world.store().commit(plan).await.expect("committed");
        }
    }

    const SHORT: Option<Duration> = Some(Duration::from_secs(10));

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_listener_that_failed_is_called_again_before_the_next_fact() {
        let world = World::new().await;
        tell(&world, "again", &[("a", 2), ("a", 0)]).await;
        until(&world.clock, SHORT, || (log("again").len() >= 4).then_some(())).await;
        assert_eq!(log("again"), ["a 1", "a 1", "a 1", "a 2"]);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_fact_that_fails_for_long_holds_up_its_own_document_only_and_is_never_given_up() {
        let world = World::new().await;
        tell(&world, "stuck", &[("a", 12), ("b", 0)]).await;
        until(&world.clock, SHORT, || log("stuck").contains(&"b 1".into()).then_some(())).await;
        tell(&world, "stuck", &[("a", 0), ("b", 0)]).await;
        let minutes = Some(Duration::from_secs(60));
        until(&world.clock, minutes, || log("stuck").contains(&"a 2".into()).then_some(())).await;
        let about = |about: &str| {
            log("stuck").into_iter().filter(|line| line.starts_with(about)).collect::<Vec<_>>()
        };
        assert_eq!(about("b"), ["b 1", "b 2"]);
        let mut expected = vec!["a 1"; 13];
        expected.push("a 2");
        assert_eq!(about("a"), expected);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_was_due_when_the_process_died_is_heard_by_the_next() {
        let world = World::new().await;
        tell(&world, "died", &[("a", 1), ("b", 1), ("a", 1)]).await;
        // Nobody's pause ends: the first attempts have failed, and the process dies.
        until(&world.clock, None, || (log("died").len() >= 2).then_some(())).await;
        let next = world.crashed().await;
        let all = ["a 1", "a 2", "b 1"].map(String::from);
        until(&next.clock, SHORT, || {
            all.iter().all(|line| log("died").contains(line)).then_some(())
        })
        .await;
        let gone = || next.host.store().due_count().expect("read") == 0;
        until(&next.clock, SHORT, || gone().then_some(())).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn more_facts_than_memory_holds_are_all_heard_in_order() {
        let world = World::new().await;
        let abouts: Vec<String> = (0..300).map(|n| format!("d{}", n % 7)).collect();
        let facts: Vec<(&str, u64)> = abouts.iter().map(|about| (&**about, 0)).collect();
        tell(&world, "many", &facts).await;
        until(&world.clock, SHORT, || (log("many").len() >= 300).then_some(())).await;
        for n in 0..7 {
            let about = format!("d{n} ");
            let heard: Vec<String> =
                log("many").into_iter().filter(|line| line.starts_with(&about)).collect();
            let expected: Vec<String> =
                (1..=heard.len()).map(|seq| format!("{about}{seq}")).collect();
            assert_eq!(heard, expected);
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_host_that_stopped_takes_nothing_new_and_loses_nothing() {
        let world = World::new().await;
        tell(&world, "stopped", &[("a", 1), ("a", 0)]).await;
        until(&world.clock, None, || (log("stopped") == ["a 1"]).then_some(())).await;
        let store = world.store();
        let world = world.restarted().await;
        let late = store.commit(plan(&world)).await;
        assert!(late.is_err(), "the old host's store is closed");
        until(&world.clock, None, || (log("stopped") == ["a 1", "a 1", "a 2"]).then_some(())).await;
    }
}
