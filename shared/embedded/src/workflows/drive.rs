//! Moving executions: an event goes in, the turn is written, its effects are carried out.

use super::{
    Engine, World, calls,
    index::State,
    live::{Live, LoadError, ToDo, Work},
    rows::{self, Kept, Turn},
};
use crate::{dispatch::Dispatch, gate::Gate};
use mano_asl::{ChildId, Ending, Event, Status};
use mano_ports::{function, store::Error};
use serde_json::json;
use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};
use tokio::{runtime::Handle, sync::oneshot};

/// How long a turn may wait for others to share its transaction.
const BEHIND: Duration = Duration::from_millis(2);

/// What a turn leaves to do outside the execution's lock.
pub(super) struct Next {
    calls: Vec<Work>,
    children: Vec<ChildId>,
    /// Resolves when the turn is durable.
    durable: oneshot::Receiver<()>,
}

impl Engine {
    /// Begins to work for a host: what ran when the process ended goes on.
    pub(crate) fn drive(&self, dispatch: &Arc<Dispatch>, gate: &Gate) {
        let world = World {
            dispatch: Arc::downgrade(dispatch),
            gate: gate.clone(),
            runtime: Handle::current(),
        };
        if self.world.set(world).is_err() {
            tracing::error!("an engine works for one host only");
            return;
        }
        if let Err(error) = self.recover() {
            tracing::error!(%error, "the running executions cannot be read");
        }
        self.until_closed(|engine| async move { engine.turn_wheel().await });
        self.until_closed(|engine| async move { engine.put_to_sleep().await });
    }

    fn recover(&self) -> Result<(), Error> {
        for id in rows::awake(&self.store)? {
            self.with(id, |_| ())?;
        }
        for id in rows::untold(&self.store)? {
            self.tell(id);
        }
        Ok(())
    }

    /// Runs a task beside everything else, for as long as the engine is there.
    pub(super) fn spawn<F: Future<Output = ()> + Send + 'static>(
        &self,
        task: impl FnOnce(Arc<Self>) -> F,
    ) {
        if let (Some(world), Some(engine)) = (self.world.get(), self.own.upgrade()) {
            world.runtime.spawn(task(engine));
        }
    }

    /// Runs a loop until the host stops.
    fn until_closed<F: Future<Output = ()> + Send + 'static>(
        &self,
        task: impl FnOnce(Arc<Self>) -> F,
    ) {
        let Some(gate) = self.world.get().map(|world| world.gate.clone()) else { return };
        self.spawn(|engine| {
            let task = task(engine);
            async move {
                tokio::select! {
                    () = task => {}
                    () = gate.closing() => {}
                }
            }
        });
    }

    /// Tells an execution what happened; an execution that is over, or none, is not disturbed.
    pub(super) async fn event(&self, id: i64, event: Event) -> Result<(), Error> {
        match self.happen(id, event, true)? {
            Some(next) => self.carry_out(id, next).await,
            None => Ok(()),
        }
    }

    fn happen(&self, id: i64, event: Event, waited: bool) -> Result<Option<Next>, Error> {
        let now = self.now();
        let happened = self.with(id, |live| {
            let (turn, todo) = live.happen(event, now)?;
            Some(self.write_turn(id, turn, todo, waited))
        })?;
        Ok(happened.flatten())
    }

    /// Looks at an execution under its lock, loading it if it is not in memory.
    pub(super) fn with<R>(
        &self,
        id: i64,
        look: impl FnOnce(&mut Live) -> R,
    ) -> Result<Option<R>, Error> {
        loop {
            let entry = self.index().enter(id);
            let mut state = entry.state();
            if let State::Unloaded = &*state {
                match self.load(id) {
                    Ok(Some(live)) => *state = State::Live(Box::new(live)),
                    Ok(None) => {
                        *state = State::Gone;
                        self.index().forget(id);
                        return Ok(None);
                    }
                    Err(error) => {
                        *state = State::Gone;
                        self.index().forget(id);
                        return Err(error);
                    }
                }
            }
            match &mut *state {
                State::Live(live) => return Ok(Some(look(live))),
                State::Unloaded | State::Gone => {}
            }
        }
    }

    /// Reads an execution that still runs, and sets going what it waits for.
    fn load(&self, id: i64) -> Result<Option<Live>, Error> {
        let Some(kept) = rows::load(&self.store, id)?.filter(|kept| kept.running) else {
            return Ok(None);
        };
        let definition = self.definitions.by_id(&self.store, kept.about.definition)?;
        let turn = condemned(&kept, self.now());
        match Live::load(kept, definition) {
            Ok(live) => {
                let mut todo = live.todo();
                self.index().name(&live.about.workflow, &live.about.name, id);
                self.attend(id, &mut todo);
                for work in todo.calls {
                    self.spawn_call(id, work);
                }
                self.spawn_children(id, todo.children);
                Ok(Some(live))
            }
            Err(error) => {
                self.condemn(turn, &error);
                Ok(None)
            }
        }
    }

    /// Ends an execution that cannot go on, so that it is not stuck.
    fn condemn(&self, mut turn: Turn, error: &LoadError) {
        let (id, run) = (turn.about.id, &turn.about.name);
        tracing::error!(run, %error, "an execution cannot go on; it ends as FAILED");
        let cause = Some(format!("the engine cannot continue this run: {error}"));
        let error = Some("States.Runtime".into());
        turn.ending = Some(Ending { status: Status::Failed, output: None, error, cause });
        let todo = ToDo { ended: Some(Status::Failed), ..ToDo::default() };
        self.write_turn(id, turn, todo, false);
    }

    /// Registers tokens and timers; to be called under the execution's lock.
    fn attend(&self, id: i64, todo: &mut ToDo) {
        if !todo.tokens.is_empty() || !todo.gone.is_empty() {
            let mut index = self.index();
            index.wait(std::mem::take(&mut todo.tokens), id);
            index.wait_no_more(&todo.gone);
        }
        if !todo.timers.is_empty() {
            let mut wheel = self.wheel();
            let before = wheel.first();
            for (timer, at) in todo.timers.drain(..) {
                match at {
                    Some(at) => wheel.set(id, timer, at),
                    None => wheel.cancel(id, timer),
                }
            }
            let first = wheel.first();
            if first.is_some() && (before.is_none() || first < before) {
                self.rewind.notify_one();
            }
        }
    }

    /// Gives a turn its place in the store's FIFO; to be called under the execution's lock, so
    /// that the turns of an execution lie there in their order.
    pub(super) fn write_turn(&self, id: i64, turn: Turn, mut todo: ToDo, waited: bool) -> Next {
        self.counters.turns.fetch_add(1, Relaxed);
        self.attend(id, &mut todo);
        let (written, durable) = oneshot::channel();
        let engine = self.own.clone();
        let patience = if waited || self.options.strict { Duration::ZERO } else { BEHIND };
        let ended = todo.ended.inspect(|_| {
            self.counters.ended.fetch_add(1, Relaxed);
        });
        let then = move || {
            if let (Some(status), Some(engine)) = (ended, engine.upgrade()) {
                engine.ended(id, status);
            }
            // Most often nobody waits.
            let _ = written.send(());
        };
        // A record is never dropped, however long the disk is full: a journal has no gaps.
        self.store.record_then(patience, move |db| turn.write(db), then);
        Next { calls: todo.calls, children: todo.children, durable }
    }

    /// Does what a turn asks for, in strict mode once it is durable; resolves when it is durable.
    pub(super) async fn carry_out(&self, id: i64, next: Next) -> Result<(), Error> {
        let closed = |_| Error::Unavailable("the store is closed".into());
        let Next { calls, children, mut durable } = next;
        if self.options.strict {
            (&mut durable).await.map_err(closed)?;
        }
        for work in calls {
            self.spawn_call(id, work);
        }
        self.spawn_children(id, children);
        if self.options.strict { Ok(()) } else { durable.await.map_err(closed) }
    }

    /// Makes a call, and the calls it leads to, one after the other on one task.
    fn spawn_call(&self, id: i64, work: Work) {
        self.spawn(|engine| async move {
            let mut next = Some(work);
            while let Some(work) = next {
                next = engine.perform(id, work).await;
            }
        });
    }

    /// Makes one call; the last of the calls it leads to, while the others go their own way.
    async fn perform(&self, id: i64, work: Work) -> Option<Work> {
        let world = self.world.get()?;
        let _inside = world.gate.enter()?;
        let _permit = self.permits.acquire().await.ok()?;
        let dispatch = world.dispatch.upgrade()?;
        let event = match work.timeout_seconds {
            None => calls::call(&dispatch, &work).await,
            // The engine's own timer tells the execution; a call that hangs is given up here.
            Some(seconds) => tokio::select! {
                event = calls::call(&dispatch, &work) => event,
                () = self.clock.sleep(Duration::from_secs(seconds.unsigned_abs())) => return None,
            },
        };
        let next = match self.happen(id, event, false) {
            Ok(next) => next?,
            Err(error) => {
                tracing::error!(%error, id, "an execution cannot be read; its call is lost");
                return None;
            }
        };
        self.go_on(id, next).await
    }

    /// Does what a turn asks for, and returns the last call for the own task to make.
    async fn go_on(&self, id: i64, next: Next) -> Option<Work> {
        let Next { mut calls, children, durable } = next;
        if self.options.strict && durable.await.is_err() {
            // Nothing follows from what is not durable; the next start goes on.
            return None;
        }
        let own = calls.pop();
        for work in calls {
            self.spawn_call(id, work);
        }
        self.spawn_children(id, children);
        own
    }

    /// This engine runs no children: it says so to the Map that wants them.
    fn spawn_children(&self, id: i64, children: Vec<ChildId>) {
        for child in children {
            self.spawn(|engine| async move {
                let cause = "this engine does not run distributed Maps; use ProcessorConfig INLINE";
                let ending = Ending {
                    status: Status::Failed,
                    output: None,
                    error: Some("States.Runtime".into()),
                    cause: Some(cause.into()),
                };
                let told = engine.event(id, Event::ChildFinished { child, ending }).await;
                if let Err(error) = told {
                    tracing::error!(%error, id, "an execution cannot be read");
                }
            });
        }
    }

    /// The end of an execution is durable; called by the store's writing thread.
    fn ended(&self, id: i64, status: Status) {
        let entry = self.index().get(id);
        if let Some(entry) = entry {
            let mut state = entry.state();
            match &*state {
                State::Live(live) => self.index().let_go(live),
                State::Unloaded | State::Gone => self.index().forget(id),
            }
            *state = State::Gone;
        }
        self.wheel().forget(id);
        if status != Status::Succeeded {
            self.tell(id);
        }
    }

    /// Tells of an end that was no success, until everybody interested has heard it.
    fn tell(&self, id: i64) {
        self.spawn(|engine| async move {
            let mut pause = Duration::from_millis(100);
            while let Some(world) = engine.world.get() {
                let Some(_inside) = world.gate.enter() else { return };
                let Some(dispatch) = world.dispatch.upgrade() else { return };
                let heard = match engine.change(id) {
                    Ok(event) => dispatch.event(&event).await.is_ok(),
                    Err(error) => {
                        tracing::error!(%error, id, "an execution cannot be read");
                        false
                    }
                };
                if heard {
                    engine.store.record(Duration::from_secs(1), move |db| rows::told(db, id));
                    return;
                }
                drop((_inside, dispatch));
                tokio::select! {
                    () = engine.clock.sleep(pause) => {}
                    () = world.gate.closing() => return,
                }
                pause = (pause * 2).min(Duration::from_secs(60));
            }
        });
    }

    /// The status-change event of an execution, as EventBridge brings it.
    fn change(&self, id: i64) -> Result<function::Event, Error> {
        let run = rows::run(&self.store, id)?;
        let arn = super::live::execution_arn(&run.workflow, &run.name);
        let mut detail = json!({
            "executionArn": arn,
            "stateMachineArn": super::live::machine_arn(&run.workflow),
            "stateMachineName": run.workflow,
            "name": run.name,
            "status": run.status,
            "startDate": run.start_date.as_millisecond(),
            "stopDate": run.stop_date.map(jiff::Timestamp::as_millisecond),
            "input": run.input.to_string(),
        });
        for (name, text) in [("error", run.error), ("cause", run.cause)] {
            if let Some(text) = text {
                detail[name] = text.into();
            }
        }
        Ok(function::Event {
            id: format!("{arn}#{}", run.status),
            source: "aws.states".into(),
            detail_type: "Step Functions Execution Status Change".into(),
            detail,
        })
    }
}

/// The turn that would end an execution which cannot be loaded.
fn condemned(kept: &Kept, at: i64) -> Turn {
    let last = kept.last + 1;
    let row = json!([{ "id": last, "previousEventId": kept.last, "type": "ExecutionFailed",
        "timestamp": jiff::Timestamp::from_millisecond(at).unwrap_or_default().to_string() }]);
    let taken = u32::try_from(kept.turns.len()).unwrap_or(u32::MAX);
    Turn {
        about: Arc::new(kept.about.clone()),
        first: false,
        n: kept.snapshot_turn.saturating_add(taken),
        at,
        event: String::new(),
        last,
        rows: row.to_string(),
        wakes: false,
        ending: None,
        snapshot: None,
    }
}
