//! What the engine does beyond its port: redrive, and synchronous Express executions.

use super::{
    Engine,
    api::unavailable,
    drive::Next,
    family::{Keeps, Link},
    index::State,
    live::{Live, LoadError},
    rows,
};
use mano_asl::Event;
use mano_ports::workflows::{Error, Run};
use serde_json::Value;
use tokio::sync::oneshot;

/// A run that ended so long ago is not redriven (milliseconds): fourteen days.
const WINDOW: i64 = 14 * 24 * 3600 * 1000;

/// Why a run does not go on where it failed.
#[derive(Debug, thiserror::Error)]
pub enum RedriveError {
    /// It runs, has succeeded, is Express, is too old, or has no room for more history.
    #[error(
        "run '{0}' cannot be redriven: only a Standard run that failed, timed out or was stopped \
         within fourteen days can"
    )]
    NotRedrivable(String),
    /// What it went through cannot be read.
    #[error("the run cannot be read")]
    Unreadable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// There is no such run, or the file cannot be used.
    #[error(transparent)]
    Engine(#[from] Error),
}

impl Engine {
    /// Lets a run that ended without success go on where it failed, by the definition it began
    /// with; what had succeeded is not done again.
    ///
    /// # Errors
    /// It is not one that can, or the file cannot be used.
    pub async fn redrive(&self, workflow: &str, run: &str) -> Result<(), RedriveError> {
        let id = self.settled(workflow, run).await?;
        let next = self.revive(id, |_| true).await?;
        let next = next.ok_or_else(|| RedriveError::NotRedrivable(run.into()))?;
        Ok(self.carry_out(id, next).await.map_err(unavailable)?)
    }

    /// Lets an execution go on that ended without success, and whose end is written, if it may and
    /// `fits` agrees; what that changes about it is written with it.
    pub(super) async fn revive(
        &self,
        id: i64,
        fits: impl FnOnce(&mut Live) -> bool,
    ) -> Result<Option<Next>, RedriveError> {
        let mut state = loop {
            let entry = self.index().enter(id);
            let mut state = entry.own().await;
            match &*state {
                State::Unloaded => break state,
                // It is about to be let go.
                State::Live(live) if live.is_over() => self.dismiss(id, &mut state),
                State::Live(_) => return Ok(None),
                // Whoever looked for it before us found that it is over, and let it go.
                State::Gone => {}
            }
        };
        let fitting = |mut live: Live| fits(&mut live).then_some(live);
        let begun = match self.ended_live(id).await.map(|found| found.and_then(fitting)) {
            Ok(Some(mut live)) => {
                let now = self.now();
                let happened = self.apart(live.known.heavy, move || {
                    let turn = live.happen(Event::Redrive, now);
                    (live, turn)
                });
                let (live, turn) = happened.await.map_err(unavailable)?;
                Ok(turn.map(|turn| (live, turn)))
            }
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        };
        let Ok(Some((live, (turn, todo)))) = begun else {
            *state = State::Gone;
            self.index().forget(id);
            return begun.map(|_| None);
        };
        self.index().name(&live.about.workflow, &live.about.name, id);
        *state = State::Live(Box::new(live));
        Ok(Some(self.write_turn(id, turn, todo, true)))
    }

    /// An execution that ended, as it was.
    async fn ended_live(&self, id: i64) -> Result<Option<Live>, RedriveError> {
        let since = self.now().saturating_sub(WINDOW);
        let kept = rows::load(&self.store, id).map_err(unavailable)?;
        let ended = kept.filter(|kept| {
            let recent = kept.stopped.is_some_and(|stopped| stopped >= since);
            recent && kept.about.keeps() == Keeps::Everything
        });
        let Some(kept) = ended else { return Ok(None) };
        let known = self.definitions.by_id(&self.store, kept.about.definition);
        let known = known.map_err(unavailable)?;
        let loaded = self.apart(known.heavy, move || Live::load(kept, known)).await;
        let loaded = loaded.map_err(unavailable)?;
        loaded.map(Some).map_err(|error: LoadError| RedriveError::Unreadable(Box::new(error)))
    }

    /// `StartSyncExecution`: runs an Express workflow to its end. Nothing of it is written: if the
    /// process dies, the run has never been.
    ///
    /// # Errors
    /// There is no such workflow, or its input is refused.
    pub async fn run_express(&self, workflow: &str, run: &str, input: Value) -> Result<Run, Error> {
        if self.definitions.file(workflow)?.keeps() != Keeps::Ends {
            return Err(Error::Absent(format!("{workflow} of type EXPRESS")));
        }
        let (start_date, id) = (self.clock.now(), self.next_id());
        // It may end before this task goes on.
        let listener = self.listen(id);
        let link = Link::alone(Keeps::Nothing);
        let begun = self.enlist(id, (workflow, run), input.to_string(), link).await;
        let Ok(Some((id, next))) = begun else {
            self.listeners().remove(&id);
            let exists = || Error::Unavailable(format!("run '{run}' exists already").into());
            return Err(begun.err().map_or_else(exists, unavailable));
        };
        self.follow(id, next).await;
        let closed = |_| Error::Unavailable("the host stops".into());
        let ending = listener.await.map_err(closed)?;
        let output = ending.output.as_deref().and_then(|text| serde_json::from_str(text).ok());
        Ok(Run {
            workflow: workflow.into(),
            name: run.into(),
            status: rows::status_name(ending.status).into(),
            start_date,
            stop_date: Some(self.clock.now()),
            input,
            output,
            error: ending.error,
            cause: ending.cause,
        })
    }

    /// The end of an execution that is about to begin.
    fn listen(&self, id: i64) -> oneshot::Receiver<mano_asl::Ending> {
        let (tell, told) = oneshot::channel();
        self.listeners().insert(id, tell);
        told
    }
}
