//! One process that serves every function: fills in the ports, reads the tables, calls the rows.
//!
//! ```text
//!   Host ─┬─ relay     committed facts   ─▶ listeners
//!         ├─ receiver  due messages      ─▶ consumers
//!         ├─ engine    workflow tasks    ─▶ steps
//!         └─ minute    the scheduled event ─▶ requests, and the relay's sweep
//! ```

use crate::{
    bus::LocalBus,
    dispatch::{Dispatch, StepFailure},
    gate::Gate,
    queue::{Receiver, SqliteQueue},
    relay::Relay,
    store::SqliteStore,
    workflows::Engine,
};
use mano_ports::{
    Cx, Error,
    blobs::Blobs,
    clock::{Clock, Ids},
    function::{Event, Function},
    vim::Vims,
};
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::task::JoinHandle;

/// How often the scheduled event comes.
const MINUTE: Duration = Duration::from_secs(60);

/// What a host is made of.
pub struct Parts {
    /// The memory.
    pub store: Arc<SqliteStore>,
    /// The engine, opened on the same memory.
    pub engine: Arc<Engine>,
    /// Large content.
    pub blobs: Arc<dyn Blobs>,
    /// The drivers of VIMs.
    pub vims: Arc<dyn Vims>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Fresh identities.
    pub ids: Arc<dyn Ids>,
}

/// A running host. Stop it before dropping it.
pub struct Host {
    dispatch: Arc<Dispatch>,
    store: Arc<SqliteStore>,
    engine: Arc<Engine>,
    queue: Arc<SqliteQueue>,
    bus: Arc<LocalBus>,
    _relay: Arc<Relay>,
    gate: Gate,
    loops: Mutex<Vec<JoinHandle<()>>>,
}

impl Host {
    /// Fills in the ports and begins to work: due facts, due messages and running workflows go
    /// on where they stood.
    ///
    /// Call it inside a tokio runtime.
    #[must_use]
    pub fn start(functions: &'static [&'static Function], parts: Parts) -> Arc<Self> {
        let Parts { store, engine, blobs, vims, clock, ids } = parts;
        let bus = Arc::new(LocalBus::default());
        let queue = Arc::new(SqliteQueue::new(&store, &clock));
        let cx = Cx {
            store: Arc::clone(&store) as _,
            workflows: Arc::clone(&engine) as _,
            bus: Arc::clone(&bus) as _,
            queue: Arc::clone(&queue) as _,
            blobs,
            vims,
            clock,
            ids,
        };
        let gate = Gate::new();
        let dispatch = Arc::new(Dispatch { cx: cx.clone(), functions });
        engine.drive(&dispatch, &gate);
        let listeners = functions.iter().flat_map(|function| function.listeners).collect();
        let consumers = functions.iter().flat_map(|function| function.consumers).collect();
        let relay = Relay::start(&store, cx.clone(), listeners, gate.clone());
        let receiver = Receiver::new(&queue, cx, consumers, gate.clone());
        let loops = vec![
            tokio::spawn(receiver.run()),
            tokio::spawn(minutes(Arc::clone(&dispatch), Arc::clone(&relay), gate.clone())),
        ];
        let loops = Mutex::new(loops);
        Arc::new(Self { dispatch, store, engine, queue, bus, _relay: relay, gate, loops })
    }

    /// The ports.
    #[must_use]
    pub fn cx(&self) -> &Cx {
        &self.dispatch.cx
    }

    /// The tables.
    #[must_use]
    pub fn functions(&self) -> &'static [&'static Function] {
        self.dispatch.functions
    }

    /// The memory, with its counters.
    #[must_use]
    pub const fn store(&self) -> &Arc<SqliteStore> {
        &self.store
    }

    /// The engine, with its counters.
    #[must_use]
    pub const fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// The queue, with its dead letters.
    #[must_use]
    pub const fn queue(&self) -> &Arc<SqliteQueue> {
        &self.queue
    }

    /// The bus, to subscribe to.
    #[must_use]
    pub const fn bus(&self) -> &Arc<LocalBus> {
        &self.bus
    }

    /// How many steps, listeners, messages and events are being handled just now.
    #[must_use]
    pub fn at_work(&self) -> usize {
        self.gate.inside()
    }

    /// Calls a step as a workflow does: by the function's name and `payload.step`.
    ///
    /// # Errors
    /// What the step failed with, in Lambda's words.
    pub async fn call_step(&self, function: &str, payload: Value) -> Result<Value, StepFailure> {
        self.dispatch.step(function, payload).await
    }

    /// Hands an event from outside to every row that is interested in it.
    ///
    /// # Errors
    /// The first failure; the other rows were called nevertheless.
    pub async fn event(&self, event: &Event) -> Result<(), Error> {
        self.dispatch.event(event).await
    }

    /// Begins nothing new, returns when everything that ran has finished and is written. The
    /// store is closed then, and its file free for another process.
    pub async fn stop(&self) {
        let loops = std::mem::take(&mut *self.loops.lock().unwrap_or_else(PoisonError::into_inner));
        for task in loops {
            task.abort();
            // Aborted, as it was asked to be.
            let _ = task.await;
        }
        self.gate.close().await;
        self.store.close();
    }
}

/// Every minute: the scheduled event, and the relay's sweep.
async fn minutes(dispatch: Arc<Dispatch>, relay: Arc<Relay>, gate: Gate) {
    let clock = Arc::clone(&dispatch.cx.clock);
    loop {
        clock.sleep(MINUTE).await;
        let Some(_inside) = gate.enter() else { return };
        relay.sweep().await;
        let event = Event {
            id: format!("scheduled-{}", clock.now().as_second()),
            source: "aws.events".into(),
            detail_type: "Scheduled Event".into(),
            detail: json!({}),
            principal: None,
        };
        // Its failures are logged; the next minute brings the next one.
        let _ = dispatch.event(&event).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, log, until};

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_scheduled_event_comes_every_minute() {
        let world = World::new().await;
        until(&world.clock, Some(MINUTE), || (log("minute").len() >= 3).then_some(())).await;
        assert_eq!(log("minute")[0], "aws.events");
        assert!(world.clock.now().as_second() >= 180);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_step_is_found_by_function_and_name_or_its_absence_told() {
        let world = World::new().await;
        let call = |step: &str| json!({ "step": step, "tenant": "contract", "op": "o", "run": 0, "text": "hi" });
        let said = world.host.call_step("contract", call("contract.call")).await;
        assert_eq!(said, Ok(json!({ "said": "hi" })));
        let names = async |function, step| {
            world.host.call_step(function, call(step)).await.expect_err("absent").error
        };
        assert_eq!(names("nobody", "contract.call").await, "Lambda.ResourceNotFoundException");
        assert_eq!(names("contract", "contract.nothing").await, "Mano.Bug");
        let failed = world.host.call_step("contract", json!({ "step": "contract.call" })).await;
        assert_eq!(failed.expect_err("not a step call").error, "Mano.Bug");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_step_that_never_ends_is_given_up_long_before_its_token_and_may_be_tried_again() {
        let world = World::new().await;
        let call = json!({
            "step": "trial.hang", "tenant": "trial", "op": "o", "run": 0, "token": "t"
        });
        let host = Arc::clone(&world.host);
        let given_up = tokio::spawn(async move { host.call_step("trials", call).await });
        until(&world.clock, Some(MINUTE), || given_up.is_finished().then_some(())).await;
        let failure = given_up.await.expect("no panic").expect_err("given up");
        assert_eq!(failure.error, "Mano.Transient");
        assert!(failure.cause.contains("60 s"), "{}", failure.cause);
        assert!(world.clock.now().as_second() >= 60);
    }
}
