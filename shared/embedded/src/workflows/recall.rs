//! Bringing executions back into memory: after a start, and when something happens to a sleeper.

use super::{
    Engine,
    definitions::Known,
    family::Keeps,
    index::State,
    live::{Live, LoadError},
    pending::ToDo,
    rows::{self, Kept, Turn},
};
use mano_asl::{Ending, Status};
use mano_ports::store::Error;
use serde_json::json;
use std::sync::Arc;

impl Engine {
    /// Takes in what was in memory when the process ended, and tells of ends nobody heard of.
    pub(super) fn recover(&self) -> Result<(), Error> {
        for id in rows::awake(&self.store)? {
            self.recall(id)?;
        }
        for id in rows::untold(&self.store)? {
            self.tell(id);
        }
        Ok(())
    }

    /// Takes in an execution that was in memory when the process ended.
    fn recall(&self, id: i64) -> Result<(), Error> {
        let entry = self.index().enter(id);
        let Some(mut state) = entry.try_own() else { return Ok(()) };
        let Some((kept, known)) = self.read(id)? else {
            self.index().forget(id);
            return Ok(());
        };
        if known.heavy {
            drop(state);
            self.recalled.send_modify(|left| *left += 1);
            self.spawn(move |engine| async move {
                if let Err(error) = engine.with(id, |_| ()).await {
                    tracing::error!(%error, id, "an execution cannot be read");
                }
                engine.recalled.send_modify(|left| *left -= 1);
            });
        } else {
            let turn = condemned(&kept, self.now());
            self.admit(id, Live::load(kept, known), turn, &mut state);
        }
        Ok(())
    }

    /// The rows of an execution that still runs.
    fn read(&self, id: i64) -> Result<Option<(Kept, Known)>, Error> {
        let Some(mut kept) = rows::load(&self.store, id)?.filter(|kept| kept.running) else {
            return Ok(None);
        };
        let known = self.definitions.by_id(&self.store, kept.about.definition)?;
        if kept.about.keeps() == Keeps::Ends {
            // It runs again from its start.
            kept.about.started = self.now();
        }
        Ok(Some((kept, known)))
    }

    /// Reads an execution that still runs, and sets going what it waits for; whether there is one.
    pub(super) async fn load(&self, id: i64, state: &mut State) -> Result<bool, Error> {
        match self.try_load(id, state).await {
            Ok(true) => Ok(true),
            absent => {
                *state = State::Gone;
                self.index().forget(id);
                absent
            }
        }
    }

    async fn try_load(&self, id: i64, state: &mut State) -> Result<bool, Error> {
        let Some((kept, known)) = self.read(id)? else { return Ok(false) };
        let turn = condemned(&kept, self.now());
        let loaded = self.apart(known.heavy, move || Live::load(kept, known)).await?;
        Ok(self.admit(id, loaded, turn, state))
    }

    /// Takes a loaded execution in, or ends one that cannot go on; whether it goes on.
    fn admit(
        &self,
        id: i64,
        loaded: Result<Live, LoadError>,
        mut turn: Turn,
        state: &mut State,
    ) -> bool {
        let live = match loaded {
            Ok(live) if live.is_over() => {
                // An Express one that ran again, and was done in one turn.
                turn.ending = live.ending();
                let todo = ToDo { ended: live.status(), ..ToDo::default() };
                self.write_turn(id, turn, todo, false);
                *state = State::Gone;
                self.index().forget(id);
                return false;
            }
            Ok(live) => live,
            Err(error) => {
                self.condemn(turn, &error);
                *state = State::Gone;
                self.index().forget(id);
                return false;
            }
        };
        let mut todo = live.pending.todo();
        self.index().name(&live.about.workflow, &live.about.name, id);
        self.attend(id, &mut todo);
        if let Some(one) = live.about.link.offspring() {
            self.mind_parent(id, one.parent, one.child);
        }
        for work in todo.works {
            self.spawn_work(id, work);
        }
        self.raise_all(id, live.about.definition, todo.offspring);
        *state = State::Live(Box::new(live));
        true
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
        sleeps: None,
        errands: Vec::new(),
        taken: Vec::new(),
        revives: false,
        ending: None,
        snapshot: None,
    }
}
