//! What is outside of an execution: bytes say what comes of its effects, in what order, how often.

use mano_asl::{
    Call, ChildId, Definition, Effect, Ending, Event, Execution, HistoryEvent, Integration, Limits,
    Outcome, Start, Status, TaskId, TimerId,
};

const INPUT: &str = r#"{"n": 3, "list": [1, {"a": null}, "x"], "flag": true}"#;
/// Outputs, contents and bodies: JSON of each kind, and none.
const TEXTS: [&str; 8] =
    ["{}", "null", "[1, {\"a\": 2}]", "\"x\"", "{\"a\": 1.50}", "1e999", "no json", "a,b\n1,2\n"];
const ERRORS: [&str; 4] = ["E1", "States.Timeout", "States.Permissions", "Lambda.Unknown"];
/// Most events handed over after the script has ended.
const PATIENCE: usize = 1000;

/// An execution and what it waits for.
pub(super) struct World {
    definition: Definition,
    execution: Execution,
    now: i64,
    open: Vec<Awaited>,
    events: Vec<(Event, i64)>,
    rows: Vec<HistoryEvent>,
    ends: usize,
    redrives: usize,
}

/// What the execution has asked for.
#[derive(Clone)]
enum Awaited {
    Call(Box<Call>),
    Timer(TimerId),
    Child(ChildId),
    Items(TaskId),
    Results(TaskId),
}

fn start() -> Start {
    let limits = Limits { max_events: 300, max_bytes: 16_384 };
    Start { limits, seed: [7; 32], ..Start::new("fuzz", INPUT) }
}

impl World {
    pub(super) fn new(definition: Definition) -> Self {
        let (execution, outcome) = Execution::start(&definition, start()).unwrap();
        let (open, events, rows) = (Vec::new(), Vec::new(), Vec::new());
        let mut world =
            Self { definition, execution, now: 0, open, events, rows, ends: 0, redrives: 0 };
        world.take(outcome);
        world
    }

    /// One thing happens: the low bits say what, the high ones to whom.
    pub(super) fn turn(&mut self, byte: u8) {
        let which = usize::from(byte >> 3);
        match byte & 7 {
            0..=2 => self.answer(which, which),
            3 => self.answer(which, 0),
            4 => self.again(which),
            5 => self.reload(),
            6 => self.stray(which),
            _ => self.command(which),
        }
    }

    /// Whatever is still awaited comes; then the whole is looked at.
    pub(super) fn finish(mut self) {
        for _ in 0..PATIENCE {
            if self.open.is_empty() {
                break;
            }
            self.answer(0, 0);
        }
        let running = self.execution.status() == Status::Running;
        assert_eq!(running, self.execution.ending().is_none());
        assert!(!running || !self.open.is_empty(), "it waits for nothing");
        assert_eq!(self.ends, self.redrives + usize::from(!running), "ends are told once");
        for (index, row) in self.rows.iter().enumerate() {
            assert_eq!(row.id, index as u64 + 1);
            assert!(row.previous_event_id < row.id);
        }
        self.replay();
    }

    /// The same events give the same rows.
    fn replay(&self) {
        let (mut execution, outcome) = Execution::start(&self.definition, start()).unwrap();
        let mut rows = outcome.rows;
        for (event, at) in &self.events {
            rows.extend(execution.handle(&self.definition, event.clone(), *at).rows);
        }
        assert_eq!(rows, self.rows);
    }

    fn take(&mut self, outcome: Outcome) {
        self.rows.extend(outcome.rows);
        for effect in outcome.effects {
            match effect {
                Effect::Call(call) => self.open.push(Awaited::Call(call)),
                Effect::CancelTask { task } => self.forget(|one| one.task() == Some(task)),
                Effect::SetTimer { timer, .. } => self.open.push(Awaited::Timer(timer)),
                Effect::CancelTimer { timer } => {
                    self.forget(|one| matches!(one, Awaited::Timer(own) if *own == timer));
                }
                Effect::StartChild { child, .. } => self.open.push(Awaited::Child(child)),
                Effect::StopChild { child } => {
                    self.forget(|one| matches!(one, Awaited::Child(own) if *own == child));
                }
                Effect::ReadItems { task, .. } => self.open.push(Awaited::Items(task)),
                Effect::WriteResults { task, .. } => self.open.push(Awaited::Results(task)),
                Effect::Finished(ending) => {
                    self.ends += 1;
                    super::judge(&ending);
                }
            }
        }
    }

    fn forget(&mut self, which: impl Fn(&Awaited) -> bool) {
        self.open.retain(|one| !which(one));
    }

    fn hand(&mut self, event: Event) -> Outcome {
        self.now += 700;
        self.events.push((event.clone(), self.now));
        self.execution.handle(&self.definition, event, self.now)
    }

    /// One that is awaited comes, and comes once more.
    fn answer(&mut self, which: usize, how: usize) {
        if self.open.is_empty() {
            return;
        }
        let awaited = self.open.remove(which % self.open.len());
        for event in awaited.events(how) {
            let outcome = self.hand(event.clone());
            self.take(outcome);
            self.expect_nothing(&event);
        }
    }

    /// What has been handed over changes nothing when it comes again.
    fn expect_nothing(&mut self, event: &Event) {
        let before = serde_json::to_string(&self.execution).unwrap();
        let outcome = self.execution.handle(&self.definition, event.clone(), self.now);
        let nothing = outcome.rows.is_empty() && outcome.effects.is_empty() && !outcome.changed;
        assert!(nothing, "{event:?} counted twice: {outcome:?}");
        assert_eq!(before, serde_json::to_string(&self.execution).unwrap());
    }

    /// An old event comes late.
    fn again(&mut self, which: usize) {
        let Some((event, _)) = self.events.iter().rev().nth(which) else { return };
        if !matches!(event, Event::Redrive | Event::Stop { .. }) {
            let outcome = self.hand(event.clone());
            self.take(outcome);
        }
    }

    /// The process ends and another one goes on.
    fn reload(&mut self) {
        let snapshot = serde_json::to_string(&self.execution).unwrap();
        self.execution = serde_json::from_str(&snapshot).unwrap();
        assert_eq!(snapshot, serde_json::to_string(&self.execution).unwrap());
    }

    /// Something comes that nobody asked for, or not yet.
    fn stray(&mut self, which: usize) {
        let id = which as u64 / 2;
        let (task, output) = (TaskId(id), TEXTS[which % TEXTS.len()].to_owned());
        let token = format!("token {id}");
        let event = match which % 8 {
            0 => Event::TaskSucceeded { task, output },
            1 => Event::TaskFailed { task, error: None, cause: None },
            2 => Event::TaskSubmitted { task, output },
            3 => Event::TimerFired { timer: TimerId(id) },
            4 => Event::ItemsRead { task, content: output },
            5 => Event::TokenSucceeded { token, output },
            6 => Event::ResultsWritten { task },
            _ => Event::TaskStarted { task, worker: Some(token) },
        };
        let known = self.open.iter().any(|one| one.is_meant(&event));
        let outcome = self.hand(event);
        assert!(known || outcome.effects.is_empty(), "a stray event had effects");
        self.take(outcome);
    }

    /// Somebody stops the execution, or lets it go on.
    fn command(&mut self, which: usize) {
        if which > 1 {
            return;
        }
        let was = self.execution.status();
        let event = if which == 0 {
            Event::Stop { error: Some("Enough".to_owned()), cause: None }
        } else {
            Event::Redrive
        };
        let outcome = self.hand(event);
        let redriven = which == 1 && outcome.changed;
        assert!(!redriven || !matches!(was, Status::Running | Status::Succeeded));
        self.redrives += usize::from(redriven);
        self.take(outcome);
    }
}

impl Awaited {
    fn task(&self) -> Option<TaskId> {
        match self {
            Self::Call(call) => Some(call.task),
            Self::Items(task) | Self::Results(task) => Some(*task),
            Self::Timer(_) | Self::Child(_) => None,
        }
    }

    /// Whether an event names what is awaited.
    fn is_meant(&self, event: &Event) -> bool {
        match event {
            Event::TaskSucceeded { task, .. }
            | Event::TaskFailed { task, .. }
            | Event::TaskSubmitted { task, .. }
            | Event::TaskStarted { task, .. }
            | Event::ItemsRead { task, .. }
            | Event::ResultsWritten { task } => self.task() == Some(*task),
            Event::TimerFired { timer } => matches!(self, Self::Timer(own) if own == timer),
            Event::TaskHeartbeat { .. }
            | Event::TokenSucceeded { .. }
            | Event::TokenFailed { .. }
            | Event::TokenHeartbeat { .. }
            | Event::ChildFinished { .. }
            | Event::Stop { .. }
            | Event::Redrive => false,
        }
    }

    /// What comes of it, in the order in which it comes.
    fn events(&self, how: usize) -> Vec<Event> {
        let text = TEXTS[how % TEXTS.len()].to_owned();
        let error = Some(ERRORS[how % ERRORS.len()].to_owned());
        let is_well = (how / 8).is_multiple_of(2);
        let failed = |task| Event::TaskFailed { task, error: error.clone(), cause: None };
        match self {
            Self::Call(call) => called(call, is_well, text, error),
            Self::Timer(timer) => vec![Event::TimerFired { timer: *timer }],
            Self::Child(child) => {
                let status = if is_well { Status::Succeeded } else { Status::Failed };
                let output = is_well.then(|| TEXTS[how % 5].into());
                let ending = Ending { status, output, error: None, cause: None };
                vec![Event::ChildFinished { child: *child, ending }]
            }
            Self::Items(task) if is_well => vec![Event::ItemsRead { task: *task, content: text }],
            Self::Results(task) if is_well => vec![Event::ResultsWritten { task: *task }],
            Self::Items(task) | Self::Results(task) => vec![failed(*task)],
        }
    }
}

/// What comes of a call.
fn called(call: &Call, is_well: bool, output: String, error: Option<String>) -> Vec<Event> {
    let task = call.task;
    let mut events = Vec::new();
    match call.integration {
        Integration::Activity => events.push(Event::TaskStarted { task, worker: None }),
        Integration::Sync | Integration::Callback => {
            events.push(Event::TaskSubmitted { task, output: output.clone() });
        }
        Integration::Lambda | Integration::Service => {}
    }
    events.push(match (is_well, call.token.clone()) {
        (true, Some(token)) => Event::TokenSucceeded { token, output },
        (true, None) => Event::TaskSucceeded { task, output },
        (false, Some(token)) => Event::TokenFailed { token, error, cause: None },
        (false, None) => Event::TaskFailed { task, error, cause: Some("why".to_owned()) },
    });
    events
}
