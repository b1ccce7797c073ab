//! Moving executions: an event goes in, the turn is written, its effects are carried out.

use super::{
    Engine, World,
    definitions::Known,
    index::{Entry, Own, State},
    live::Live,
    pending::{ToDo, Work},
    rows::{self, About, Turn},
};
use crate::{dispatch::Dispatch, gate::Gate};
use mano_asl::{ChildId, Event, Start};
use mano_ports::store::Error;
use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};
use tokio::{runtime::Handle, sync::oneshot};

/// How long a turn may wait for others to share its transaction.
const BEHIND: Duration = Duration::from_millis(2);

/// What a turn leaves to do outside the execution's lock.
pub(super) struct Next {
    works: Vec<Arc<Work>>,
    offspring: Vec<(ChildId, Start)>,
    orphans: Vec<(String, String)>,
    about: Arc<About>,
    /// Resolves when the turn is durable; nothing, if it is not written.
    durable: Option<oneshot::Receiver<()>>,
}

/// An execution's id, and what follows from its first turn.
pub(super) type Begun = (i64, Next);

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

    /// Makes an execution, unless there is one of its name; `waited`: somebody waits until it is
    /// durable.
    pub(super) async fn launch(
        &self,
        about: About,
        known: Known,
        waited: bool,
    ) -> Result<Option<Begun>, Error> {
        let (id, replaces) = (about.id, about.link.replaces);
        let (workflow, run) = (about.workflow.clone(), about.name.clone());
        let (live, turn, todo) = self
            .apart(known.heavy, move || Live::start(about, known))
            .await?
            .map_err(|error| Error::Unavailable(Box::new(error)))?;
        let entry = Entry::new(id, State::Live(Box::new(live)));
        // Nobody else has the entry yet, so its lock may be held while the index is locked.
        let _held = entry.try_own();
        {
            let mut index = self.index();
            let taken = index.named(&workflow, &run).is_some()
                || rows::find(&self.store, &workflow, &run)?.is_some_and(|id| Some(id) != replaces);
            if taken {
                return Ok(None);
            }
            index.insert(&entry, &workflow, &run);
        }
        self.counters.started.fetch_add(1, Relaxed);
        Ok(Some((id, self.write_turn(id, turn, todo, waited))))
    }

    /// Tells an execution what happened, and returns when that is durable; an execution that is
    /// over, or none, is not disturbed.
    pub(super) async fn event(&self, id: i64, event: Event) -> Result<(), Error> {
        match self.happen(id, event, true).await? {
            Some(next) => self.carry_out(id, next).await,
            None => Ok(()),
        }
    }

    /// Tells an execution what happened; nobody waits until that is durable.
    pub(super) async fn event_behind(&self, id: i64, event: Event) -> Result<(), Error> {
        if let Some(next) = self.happen(id, event, false).await? {
            self.follow(id, next).await;
        }
        Ok(())
    }

    /// Tells an execution what happened; what is to be done then, if that changed anything.
    pub(super) async fn happen(
        &self,
        id: i64,
        event: Event,
        waited: bool,
    ) -> Result<Option<Next>, Error> {
        let Some(engine) = self.own.upgrade() else { return Ok(None) };
        let happened = self.with(id, move |live| {
            // The time at which it is its turn, not at which it began to wait for it.
            let (turn, todo) = live.happen(event, engine.now())?;
            Some(engine.write_turn(id, turn, todo, waited))
        });
        Ok(happened.await?.flatten())
    }

    /// Looks at a running execution under its lock, loading it if it is not in memory.
    pub(super) async fn with<R: Send + 'static>(
        &self,
        id: i64,
        look: impl FnOnce(&mut Live) -> R + Send + 'static,
    ) -> Result<Option<R>, Error> {
        loop {
            let entry = self.index().enter(id);
            let mut state = entry.own().await;
            if let State::Unloaded = &*state
                && !self.load(id, &mut state).await?
            {
                return Ok(None);
            }
            match &mut *state {
                State::Live(live) if live.known.heavy => {
                    return self.look_apart(entry, state, look).await.map(Some);
                }
                State::Live(live) => return Ok(Some(look(live))),
                State::Unloaded | State::Gone => {}
            }
        }
    }

    /// Looks at an execution on a thread that may be busy for long.
    async fn look_apart<R: Send + 'static>(
        &self,
        entry: Arc<Entry>,
        mut state: Own,
        look: impl FnOnce(&mut Live) -> R + Send + 'static,
    ) -> Result<R, Error> {
        let looked = self.apart(true, move || match &mut *state {
            State::Live(live) => Some(look(live)),
            State::Unloaded | State::Gone => None,
        });
        match looked.await {
            Ok(Some(looked)) => Ok(looked),
            Ok(None) => Err(Error::Unavailable("the execution was let go".into())),
            Err(error) => {
                // What it left half done is forgotten, once what it wrote can be read again.
                self.store.write(|_| Ok(())).await?;
                *entry.own().await = State::Unloaded;
                Err(error)
            }
        }
    }

    /// Computes where nobody else has to wait for it, if it may take long.
    pub(super) async fn apart<R: Send + 'static>(
        &self,
        heavy: bool,
        work: impl FnOnce() -> R + Send + 'static,
    ) -> Result<R, Error> {
        if !heavy {
            return Ok(work());
        }
        let _one = self.heavy.acquire().await.map_err(|error| Error::Unavailable(error.into()))?;
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(|error| Error::Unavailable(error.into()))
    }

    /// Registers tokens and timers; to be called under the execution's lock.
    pub(super) fn attend(&self, id: i64, todo: &mut ToDo) {
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
        if todo.ended.is_some() {
            self.counters.ended.fetch_add(1, Relaxed);
        }
        let about = Arc::clone(&turn.about);
        let durable = if turn.is_written() {
            Some(self.record(id, turn, &todo, waited))
        } else {
            if let Some(ending) = turn.ending {
                self.ended(&about, ending);
            }
            None
        };
        let ToDo { works, offspring, orphans, .. } = todo;
        Next { works, offspring, orphans, about, durable }
    }

    fn record(&self, id: i64, turn: Turn, todo: &ToDo, waited: bool) -> oneshot::Receiver<()> {
        let (written, durable) = oneshot::channel();
        let patience = if waited || self.options.strict { Duration::ZERO } else { BEHIND };
        let engine = self.own.clone();
        let about = Arc::clone(&turn.about);
        let (ending, sleeps, turns) = (turn.ending.clone(), turn.sleeps, turn.n + 1);
        let errands = !turn.errands.is_empty();
        debug_assert_eq!(todo.ended.is_some(), ending.is_some());
        let then = move || {
            if let Some(engine) = engine.upgrade() {
                if errands {
                    engine.errands.notify_waiters();
                }
                if let Some(ending) = ending {
                    engine.ended(&about, ending);
                } else if let Some(wake) = sleeps {
                    engine.let_go(id, move |live| live.turns == turns && live.sleeps == wake);
                }
            }
            // Most often nobody waits.
            let _ = written.send(());
        };
        // A record is never dropped, however long the disk is full: a journal has no gaps.
        self.store.record_then(patience, move |db| turn.write(db), then);
        durable
    }

    /// Does what a turn asks for, in strict mode once it is durable; resolves when it is durable.
    pub(super) async fn carry_out(&self, id: i64, mut next: Next) -> Result<(), Error> {
        let closed = |_| Error::Unavailable("the store is closed".into());
        if self.options.strict
            && let Some(durable) = next.durable.take()
        {
            durable.await.map_err(closed)?;
        }
        let durable = next.durable.take();
        for work in std::mem::take(&mut next.works) {
            self.spawn_work(id, work);
        }
        self.set_going(id, next);
        match durable {
            Some(durable) => durable.await.map_err(closed),
            None => Ok(()),
        }
    }

    /// Does what a turn asks for; nobody waits until it is durable.
    pub(super) async fn follow(&self, id: i64, next: Next) {
        if let Some(work) = self.go_on(id, next).await {
            self.spawn_work(id, work);
        }
    }

    /// Does what a turn asks for, and returns the last call for the own task to make.
    pub(super) async fn go_on(&self, id: i64, mut next: Next) -> Option<Arc<Work>> {
        if self.options.strict
            && let Some(durable) = next.durable.take()
            && durable.await.is_err()
        {
            // Nothing follows from what is not durable; the next start goes on.
            return None;
        }
        let own = next.works.pop();
        for work in std::mem::take(&mut next.works) {
            self.spawn_work(id, work);
        }
        self.set_going(id, next);
        own
    }

    fn set_going(&self, id: i64, next: Next) {
        let Next { offspring, orphans, about, .. } = next;
        self.raise_all(id, about.definition, offspring);
        self.stop_orphans(orphans);
    }

    pub(super) fn raise_all(&self, id: i64, definition: i64, offspring: Vec<(ChildId, Start)>) {
        if offspring.is_empty() {
            return;
        }
        self.spawn(move |engine| async move {
            for (child, start) in offspring {
                if let Err(error) = engine.raise(id, definition, child, start).await {
                    tracing::error!(%error, id, "a child cannot be started; the next start does");
                }
            }
        });
    }
}
