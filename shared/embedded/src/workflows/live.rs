//! An execution in memory: the pure engine's value, and what it waits for outside.
//!
//! Nothing here does anything: a turn says what is to be written and what is to be done.

use super::{
    definitions::Known,
    family::{Keeps, Offspring},
    pending::{Pending, ToDo},
    rows::{AWAKE, About, Kept, NEVER, Turn},
};
use mano_asl::{Ending, Event, Execution, Kind, Outcome, Start, StartError, Status};
use serde::{Deserialize, Serialize};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// After so many turns an execution's value is written whole, so that loading it stays cheap; a
/// large value waits for as many turns as make up for its size.
const SNAPSHOT: u32 = 200;

/// Bytes of a snapshot that one turn makes up for.
const SHARE: usize = 4096;

/// What a load may take to compute again, before a snapshot is due at any rate.
const AGAIN: Duration = Duration::from_millis(100);

/// An execution that sleeps for so long leaves memory at once (milliseconds).
pub(super) const LONG: i64 = 60_000;

/// An execution in memory.
pub(super) struct Live {
    pub(super) about: Arc<About>,
    pub(super) known: Known,
    execution: Execution,
    pub(super) pending: Pending,
    /// Turns so far.
    pub(super) turns: u32,
    /// Until when its row says that it sleeps; [`AWAKE`] if it does not.
    pub(super) sleeps: i64,
    /// When its last turn was.
    pub(super) touched: i64,
    /// Turns until the next snapshot.
    until_snapshot: u32,
    /// What the turns since the last snapshot took to compute.
    computed: Duration,
}

/// Why an execution cannot be loaded: a defect, or a newer version's file.
#[derive(Debug, thiserror::Error)]
pub(super) enum LoadError {
    #[error("it was started by engine version {0}, which this software does not know")]
    Engine(u32),
    #[error("its journal leads to history row {found}, but row {written} was written")]
    Diverged { found: u64, written: u64 },
    #[error("its journal cannot be read")]
    Journal(#[from] serde_json::Error),
    #[error("it cannot be started again")]
    Start(#[from] StartError),
}

#[derive(Serialize)]
struct SnapshotRef<'a> {
    execution: &'a Execution,
    pending: &'a Pending,
}

#[derive(Deserialize)]
struct Snapshot {
    execution: Execution,
    pending: Pending,
}

impl Live {
    /// Starts an execution.
    pub(super) fn start(about: About, known: Known) -> Result<(Self, Turn, ToDo), StartError> {
        let (execution, outcome) = Execution::start(&known.definition, start(&about))?;
        let touched = about.started;
        let mut live = Self {
            about: Arc::new(about),
            known,
            execution,
            pending: Pending::default(),
            turns: 0,
            sleeps: AWAKE,
            touched,
            until_snapshot: SNAPSHOT,
            computed: Duration::ZERO,
        };
        let (turn, todo) = live.take(outcome, touched, String::new());
        Ok((live, turn, todo))
    }

    /// Whether the rows tell an execution by its snapshot; if not, all its turns are needed.
    pub(super) fn has_snapshot(kept: &Kept) -> bool {
        kept.snapshot.as_ref().is_some_and(|text| serde_json::from_str::<Snapshot>(text).is_ok())
    }

    /// An execution as its rows tell it: what it waits for is due again.
    pub(super) fn load(kept: Kept, known: Known) -> Result<Self, LoadError> {
        if kept.engine != mano_asl::ENGINE_VERSION {
            return Err(LoadError::Engine(kept.engine));
        }
        let sleeps = kept.wake.unwrap_or(AWAKE);
        let mut turns = kept.turns.into_iter();
        let (execution, pending, outcome, taken) = match &kept.snapshot {
            Some(text) => {
                let Snapshot { execution, pending } = serde_json::from_str(text)?;
                (execution, pending, Outcome::default(), kept.snapshot_turn)
            }
            None => {
                turns.next();
                let (execution, outcome) = Execution::start(&known.definition, start(&kept.about))?;
                (execution, Pending::default(), outcome, 1)
            }
        };
        let touched = kept.about.started;
        let mut live = Self {
            about: Arc::new(kept.about),
            known,
            execution,
            pending,
            turns: taken,
            sleeps,
            touched,
            until_snapshot: SNAPSHOT,
            computed: Duration::ZERO,
        };
        live.absorb(outcome);
        for turn in turns {
            let event: Event = serde_json::from_str(&turn.event)?;
            live.pending.settle(&event);
            let outcome = live.execution.handle(&live.known.definition, event, turn.at);
            live.absorb(outcome);
            live.turns += 1;
            live.until_snapshot = live.until_snapshot.saturating_sub(1);
            live.touched = turn.at;
        }
        let found = live.execution.last_event_id();
        if kept.last != 0 && found != kept.last {
            return Err(LoadError::Diverged { found, written: kept.last });
        }
        Ok(live)
    }

    /// What happened, and what is to be written and done; `None`: it changed nothing.
    pub(super) fn happen(&mut self, event: Event, at: i64) -> Option<(Turn, ToDo)> {
        // Time does not go back inside an execution, whatever the machine's clock does.
        let at = at.max(self.touched);
        let text = match self.about.keeps() {
            Keeps::Everything => serde_json::to_string(&event).unwrap_or_default(),
            Keeps::Ends | Keeps::Nothing => String::new(),
        };
        let redriven = event == Event::Redrive;
        let taken = if let Event::TaskStarted { task, .. } = &event { Some(*task) } else { None };
        self.pending.settle(&event);
        let begun = Instant::now();
        let outcome = self.execution.handle(&self.known.definition, event, at);
        self.computed += begun.elapsed();
        if !outcome.changed {
            return None;
        }
        let (mut turn, todo) = self.take(outcome, at, text);
        turn.taken.extend(taken);
        turn.revives = redriven;
        Some((turn, todo))
    }

    /// When it wakes by itself, if it sleeps now.
    pub(super) fn wake(&self) -> i64 {
        self.pending.timers.values().min().copied().unwrap_or(NEVER)
    }

    /// Whether nothing but a timer, a token or a stop can move it.
    pub(super) fn is_idle(&self) -> bool {
        !self.is_over()
            && self.pending.works.is_empty()
            && self.pending.offspring.is_empty()
            && self.about.keeps() == Keeps::Everything
    }

    pub(super) fn is_over(&self) -> bool {
        self.execution.status() != Status::Running
    }

    /// How it ended, once it has.
    pub(super) fn ending(&self) -> Option<Ending> {
        self.execution.ending().cloned()
    }

    /// Its status, once it has ended.
    pub(super) fn status(&self) -> Option<Status> {
        self.execution.ending().map(|ending| ending.status)
    }

    /// Whether it is the same work for the same parent; from now on it is this child of it.
    pub(super) fn becomes(&mut self, parent: i64, child: mano_asl::ChildId, input: &str) -> bool {
        let about = Arc::make_mut(&mut self.about);
        match about.link.offspring.as_deref_mut() {
            Some(own) if own.parent == parent && about.input == input => {
                own.child = child;
                true
            }
            _ => false,
        }
    }

    /// Whether it waits for this child.
    pub(super) fn awaits(&self, child: mano_asl::ChildId) -> bool {
        self.pending.offspring.contains_key(&child)
    }

    fn absorb(&mut self, outcome: Outcome) -> ToDo {
        let execution = &self.execution;
        let over = execution.status() != Status::Running;
        self.pending.absorb(outcome.effects, over, |token| execution.awaits_token(token))
    }

    /// The turn and what to do after it.
    fn take(&mut self, mut outcome: Outcome, at: i64, event: String) -> (Turn, ToDo) {
        let rows = match self.about.keeps() {
            Keeps::Everything => serde_json::to_string(&outcome.rows).unwrap_or_default(),
            Keeps::Ends | Keeps::Nothing => String::new(),
        };
        outcome.rows.clear();
        let mut todo = self.absorb(outcome);
        let n = self.turns;
        self.turns += 1;
        self.touched = at;
        let ending: Option<Ending> = self.execution.ending().cloned();
        let snapshot = if ending.is_none() { self.snapshot() } else { None };
        let sleeps = self.falls_asleep(at);
        let before = std::mem::replace(&mut self.sleeps, sleeps.unwrap_or(AWAKE));
        let turn = Turn {
            about: Arc::clone(&self.about),
            first: n == 0,
            n,
            at,
            event,
            last: self.execution.last_event_id(),
            rows,
            wakes: sleeps.is_none() && before != AWAKE,
            sleeps,
            errands: std::mem::take(&mut todo.errands),
            taken: std::mem::take(&mut todo.dropped),
            revives: false,
            ending,
            snapshot,
        };
        (turn, todo)
    }

    /// Until when it sleeps from now on, if only a timer that is far away can move it.
    fn falls_asleep(&self, at: i64) -> Option<i64> {
        let wake = self.wake();
        let sleeps = self.is_idle()
            && self.pending.tokens.is_empty()
            && wake != NEVER
            && wake.saturating_sub(at) >= LONG;
        sleeps.then_some(wake)
    }

    /// Its value as text, where loading it would take long without.
    fn snapshot(&mut self) -> Option<String> {
        self.until_snapshot = self.until_snapshot.saturating_sub(1);
        let due = self.until_snapshot == 0 || self.computed > AGAIN;
        if !due || self.about.keeps() != Keeps::Everything {
            return None;
        }
        let whole = SnapshotRef { execution: &self.execution, pending: &self.pending };
        let text = serde_json::to_string(&whole).ok()?;
        let share = u32::try_from(text.len() / SHARE).unwrap_or(u32::MAX);
        self.until_snapshot = SNAPSHOT.max(share);
        self.computed = Duration::ZERO;
        Some(text)
    }
}

fn start(about: &About) -> Start {
    let About { workflow, name, .. } = about;
    if let Some(Offspring { start, .. }) = about.link.offspring() {
        let mut start = start.clone();
        start.input.clone_from(&about.input);
        start.at_millis = about.started;
        return start;
    }
    let mut start = Start::new(name, &about.input);
    start.arn = execution_arn(workflow, name);
    start.state_machine_arn = machine_arn(workflow);
    start.state_machine_name.clone_from(workflow);
    start.role_arn = "arn:aws:iam::000000000000:role/mano".into();
    start.seed = about.seed;
    start.at_millis = about.started;
    start.kind = if about.keeps() == Keeps::Everything { Kind::Standard } else { Kind::Express };
    start
}

/// The ARN of an execution, as on AWS, in a region that is this machine.
pub(super) fn execution_arn(workflow: &str, run: &str) -> String {
    format!("arn:aws:states:local:000000000000:execution:{workflow}:{run}")
}

/// The ARN of a state machine.
pub(super) fn machine_arn(workflow: &str) -> String {
    format!("arn:aws:states:local:000000000000:stateMachine:{workflow}")
}
