//! Time for executions: timers of those in memory, and the long sleep of those that are not.

use super::{
    Engine,
    index::{Entry, State},
    live::{LONG, Live},
    rows::{self, AWAKE, NEVER},
};
use mano_asl::{Event, TimerId};
use std::{
    sync::{Arc, atomic::Ordering::SeqCst},
    time::Duration,
};

/// How often executions in memory are looked at.
const LOOK: Duration = Duration::from_secs(60);

/// An execution that nothing moved for so long may leave memory (milliseconds) …
const IDLE: i64 = 10_000;

/// Executions looked at at a time for their age.
const OLD: i64 = 10_000;

/// Sleepers read at a time.
const CHUNK: i64 = 256;

/// Timers that fire at the same time.
pub(super) const AT_ONCE: usize = 1024;

impl Engine {
    /// Fires timers and wakes sleepers, until the host stops.
    pub(super) async fn turn_wheel(self: Arc<Self>) {
        // Sleepers up to here were woken: their `wake` and id.
        let mut woken = (0, i64::MAX);
        loop {
            let Some(world) = self.world.get() else { return };
            let Some(inside) = world.gate.enter() else { return };
            let now = self.now();
            let due = self.wheel().due(now);
            if let Some((id, timer)) = due {
                self.fire(id, timer).await;
                continue;
            }
            self.wake_sleepers(&mut woken, now).await;
            drop(inside);
            let first = self.wheel().first().unwrap_or(NEVER).min(self.next_sleeper.load(SeqCst));
            // A machine that was suspended looks at the time again at least every hour.
            let first = first.min(now.saturating_add(3_600_000));
            let first = jiff::Timestamp::from_millisecond(first).unwrap_or(jiff::Timestamp::MAX);
            tokio::select! {
                () = self.clock.sleep_until(first) => {}
                () = self.rewind.notified() => {}
            }
        }
    }

    /// Fires a timer beside the wheel: an execution may be busy for long. There are at most
    /// [`AT_ONCE`] under way, so that a crowd of sleepers does not fill the memory.
    async fn fire(&self, id: i64, timer: TimerId) {
        let Ok(permit) = Arc::clone(&self.firing).acquire_owned().await else { return };
        self.spawn(move |engine| async move {
            let Some(_inside) = engine.world.get().and_then(|world| world.gate.enter()) else {
                return;
            };
            if let Err(error) = engine.event(id, Event::TimerFired { timer }).await {
                tracing::error!(%error, id, "a timer found no execution; it fires in a second");
                let later = engine.now().saturating_add(1000);
                engine.wheel().set(id, timer, later);
                engine.rewind.notify_one();
            }
            drop(permit);
        });
    }

    /// Loads the sleepers that are due; their timers then lie on the wheel.
    async fn wake_sleepers(&self, woken: &mut (i64, i64), now: i64) {
        if self.next_sleeper.load(SeqCst) > now {
            return;
        }
        self.next_sleeper.store(NEVER, SeqCst);
        let next = self.wake_due(woken, now).await;
        match next {
            Ok(next) => {
                self.next_sleeper.fetch_min(next.unwrap_or(NEVER), SeqCst);
            }
            Err(error) => {
                tracing::error!(%error, "the sleeping executions cannot be read");
                self.next_sleeper.fetch_min(now.saturating_add(1000), SeqCst);
            }
        }
    }

    async fn wake_due(
        &self,
        woken: &mut (i64, i64),
        now: i64,
    ) -> Result<Option<i64>, mano_ports::store::Error> {
        let due = rows::wakers(&self.store, *woken, now, CHUNK)?;
        for place in due {
            if self.is_heavy(place.1)? {
                self.spawn(move |engine| async move {
                    if let Err(error) = engine.with(place.1, |_| ()).await {
                        tracing::error!(%error, id = place.1, "an execution cannot be read");
                    }
                });
            } else {
                self.with(place.1, |_| ()).await?;
            }
            *woken = place;
        }
        // More of them: the wheel turns first, so that memory holds one chunk.
        rows::next_wake(&self.store, *woken)
    }

    /// Whether an execution's steps may take long.
    fn is_heavy(&self, id: i64) -> Result<bool, mano_ports::store::Error> {
        let Some(definition) = rows::definition(&self.store, id)? else { return Ok(false) };
        Ok(self.definitions.by_id(&self.store, definition)?.heavy)
    }

    /// Lets go of executions that will not move for long, until the host stops.
    pub(super) async fn put_to_sleep(self: Arc<Self>) {
        let mut looked = 0;
        loop {
            self.clock.sleep(LOOK).await;
            let Some(world) = self.world.get() else { return };
            let Some(_inside) = world.gate.enter() else { return };
            let now = self.now();
            let all = self.index().all();
            for entry in all {
                self.may_sleep(&entry, now);
            }
            self.forget_old(&mut looked, now);
        }
    }

    /// Forgets executions that ended long ago, some at a time: `looked` goes round through all.
    fn forget_old(&self, looked: &mut i64, now: i64) {
        let keep = i64::try_from(self.options.keep.as_millis()).unwrap_or(i64::MAX);
        match rows::ended_before(&self.store, *looked, now.saturating_sub(keep), OLD) {
            Ok((old, last)) => {
                *looked = last.unwrap_or(0);
                if !old.is_empty() {
                    self.store.record(Duration::from_secs(1), move |db| rows::forget(db, &old));
                }
            }
            Err(error) => tracing::error!(%error, "the executions cannot be read"),
        }
    }

    /// Writes that an idle execution sleeps; it leaves memory once that is durable.
    fn may_sleep(&self, entry: &Entry, now: i64) {
        // One that is busy does not sleep.
        let Some(mut state) = entry.try_own() else { return };
        let State::Live(live) = &mut *state else { return };
        let wake = live.wake();
        let idle = live.is_idle()
            && now.saturating_sub(live.touched) >= IDLE
            && wake.saturating_sub(now) >= LONG;
        if !idle {
            return;
        }
        let (id, turns) = (entry.id, live.turns);
        let unmoved = move |live: &Live| live.turns == turns && live.sleeps == wake;
        // What its row says may not be durable yet, so it is said again even if it is the same.
        live.sleeps = wake;
        let tokens: Vec<String> = live.pending.tokens.keys().cloned().collect();
        let engine = self.own.clone();
        // Under the lock, so that it lies in the FIFO behind the turns it follows from.
        self.store.record_then(
            Duration::from_millis(2),
            move |db| rows::sleep(db, id, wake, &tokens),
            move || {
                if let Some(engine) = engine.upgrade() {
                    engine.let_go(id, unmoved);
                }
            },
        );
    }

    /// Lets an execution leave memory, if nothing happened to it since it was put to sleep.
    /// Called by the store's writing thread, so it waits for nothing.
    pub(super) fn let_go(&self, id: i64, unmoved: impl Fn(&Live) -> bool + Send + 'static) {
        let Some(entry) = self.index().get(id) else { return };
        match entry.try_own() {
            Some(mut state) => self.forget_sleeper(id, &mut state, unmoved),
            None => self.spawn(move |engine| async move {
                let mut state = entry.own().await;
                engine.forget_sleeper(id, &mut state, unmoved);
            }),
        }
    }

    fn forget_sleeper(&self, id: i64, state: &mut State, unmoved: impl Fn(&Live) -> bool) {
        match &*state {
            // Whoever wakes the sleepers may have passed one that is due; its timer stays.
            State::Live(live) if unmoved(live) && live.sleeps > self.now() => {
                debug_assert_ne!(live.sleeps, AWAKE);
                let wake = live.sleeps;
                self.index().let_go(live);
                self.wheel().forget(id);
                *state = State::Gone;
                if self.next_sleeper.fetch_min(wake, SeqCst) > wake {
                    self.rewind.notify_one();
                }
            }
            State::Live(_) | State::Unloaded | State::Gone => {}
        }
    }
}
