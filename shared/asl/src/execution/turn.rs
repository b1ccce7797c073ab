//! One turn of an execution: an event comes in, threads run until all of them wait.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    sync::Arc,
};

use super::{
    Execution, Outcome,
    frame::{Flow, Frame, FrameId, TimerOf, Work},
    probe::Probe,
};
use crate::{
    definition::{Definition, Kind, Machine, State},
    event::{Effect, Event, Status, TaskId, TimerId},
    fault::Fault,
    history::{Details, HistoryEvent},
};

/// Rows kept free below the limit, so that the end still fits.
const RESERVED_ROWS: u64 = 4;
/// Most bytes of data the rows of one turn may hold, so that no turn fills the memory.
const MAX_WRITTEN: usize = 32 << 20;
/// After so many steps of evaluation a turn lets others have theirs.
const MAX_SPENT: u64 = 1_000_000;
/// Longest Express execution.
const MAX_EXPRESS_SECONDS: i64 = 300;
/// Longest Standard execution, in milliseconds: a year.
const MAX_STANDARD_MILLIS: i64 = 365 * 86_400 * 1000;

/// The execution and what this turn has produced so far.
pub(super) struct Turn<'a> {
    pub(super) x: &'a mut Execution,
    pub(super) machine: &'a Machine,
    pub(super) now: i64,
    pub(super) out: Outcome,
    pub(super) ready: VecDeque<FrameId>,
    /// Set while a single state is tested.
    pub(super) probe: Option<RefCell<Probe>>,
    pub(super) draws: Cell<u64>,
    /// Steps of evaluation in this turn.
    pub(super) spent: Cell<u64>,
    /// Bytes of data in this turn's rows.
    written: usize,
}

impl<'a> Turn<'a> {
    /// Runs one turn.
    pub(super) fn run(
        x: &'a mut Execution,
        definition: &'a Definition,
        now: i64,
        act: impl FnOnce(&mut Self),
    ) -> Outcome {
        let draws = Cell::new(x.draws);
        let machine = &definition.0;
        let out = Outcome::default();
        let ready = VecDeque::new();
        let spent = Cell::new(0);
        let mut turn = Self { x, machine, now, out, ready, probe: None, draws, spent, written: 0 };
        act(&mut turn);
        turn.run_ready();
        turn.x.draws = turn.draws.get();
        turn.out.changed |= !turn.out.rows.is_empty() || !turn.out.effects.is_empty();
        turn.out
    }

    /// The first turn.
    pub(super) fn start(&mut self, input: Arc<str>) {
        let role_arn = Arc::clone(&self.x.identity.role_arn);
        self.emit("ExecutionStarted", 0, Details::ExecutionStarted { input, role_arn });
        self.execution_timer(self.x.identity.started_at);
        let Some(flow) = self.machine.flows.get(self.x.flow as usize) else { return };
        let id = self.frame_id();
        let frame = Frame::new(id, None, flow.start, self.x.identity.input.clone());
        self.x.frames.insert(id, frame);
        self.ready.push_back(id);
    }

    /// The timer of the whole execution. The machine's timeout is not that of a Map's children.
    pub(super) fn execution_timer(&mut self, from: i64) {
        let own = self.machine.timeout_seconds.filter(|_| self.x.flow == 0);
        let most = (self.x.kind == super::Kind::Express).then_some(MAX_EXPRESS_SECONDS);
        if let Some(seconds) = own.into_iter().chain(most).min() {
            self.timer(TimerOf::Execution, from.saturating_add(seconds.saturating_mul(1000)));
        }
    }

    /// When a Standard execution must have ended.
    fn end_of_life(&self) -> i64 {
        self.x.identity.started_at.saturating_add(MAX_STANDARD_MILLIS)
    }

    /// Sees to it that an execution that may wait for very long is ended when its life is over. Most
    /// need no timer for that: they have ended long before, or something happens that ends them.
    pub(super) fn limit_life(&mut self) {
        if self.x.kind == super::Kind::Standard && !self.x.is_limited {
            self.x.is_limited = true;
            self.timer(TimerOf::Execution, self.end_of_life());
        }
    }

    /// Whether the execution can take anything in; one whose life is over ends here.
    pub(super) fn is_alive(&mut self) -> bool {
        let over = self.x.kind == super::Kind::Standard && self.now >= self.end_of_life();
        if self.x.status == Status::Running && over {
            self.time_out();
        }
        self.x.status == Status::Running
    }

    /// Takes an event in. Whatever does not fit changes nothing.
    pub(super) fn event(&mut self, event: Event) {
        if self.x.status != Status::Running && event == Event::Redrive {
            self.redrive();
            return;
        }
        if !self.is_alive() {
            return;
        }
        match event {
            Event::Redrive => {}
            Event::Stop { error, cause } => self.stop(error, cause),
            Event::TimerFired { timer } => self.timer_fired(timer),
            Event::ChildFinished { child, ending } => self.child_finished(child, ending),
            Event::ItemsRead { task, content } => self.items_read(task, &content),
            Event::ResultsWritten { task } => self.results_written(task),
            Event::TokenSucceeded { token, output } => {
                self.with_token(&token, |turn, task| turn.task_succeeded(task, &output));
            }
            Event::TokenFailed { token, error, cause } => {
                self.with_token(&token, |turn, task| turn.task_failed(task, error, cause));
            }
            Event::TokenHeartbeat { token } => self.with_token(&token, Self::task_heartbeat),
            Event::TaskStarted { task, worker } => self.task_started(task, worker),
            Event::TaskSubmitted { task, output } => self.task_submitted(task, &output),
            Event::TaskSucceeded { task, output } => self.task_succeeded(task, &output),
            Event::TaskFailed { task, error, cause } => self.task_failed(task, error, cause),
            Event::TaskHeartbeat { task } => self.task_heartbeat(task),
        }
    }

    fn with_token(&mut self, token: &str, act: impl FnOnce(&mut Self, TaskId)) {
        if let Some(task) = self.x.tokens.get(token).copied() {
            act(self, TaskId(task));
        }
    }

    /// Runs threads, first come first served, until none can go on.
    fn run_ready(&mut self) {
        while let Some(id) = self.ready.pop_front() {
            if self.x.status != Status::Running {
                return;
            }
            if let Some(frame) = self.x.frames.remove(&id) {
                self.drive(frame, Flow::Go);
            }
        }
    }

    /// Runs one thread from a given point until it waits, and then whoever waited for it.
    pub(super) fn drive(&mut self, mut frame: Frame, mut flow: Flow) {
        loop {
            let next = match flow {
                Flow::Go => {
                    if !self.has_room() {
                        self.x.frames.insert(frame.id, frame);
                        self.too_many_events();
                        return;
                    }
                    let flow = if self.written > MAX_WRITTEN || self.spent.get() > MAX_SPENT {
                        self.rest(&mut frame)
                    } else {
                        self.step(&mut frame)
                    };
                    Some((frame, flow))
                }
                Flow::Block => {
                    self.x.frames.insert(frame.id, frame);
                    return;
                }
                Flow::Done(output) => match frame.parent {
                    None => {
                        self.succeed(&frame, &output);
                        return;
                    }
                    Some(parent) => self.branch_done(parent, frame, output),
                },
                Flow::Fail(fault) => match frame.parent {
                    None => {
                        self.fail(frame, fault);
                        return;
                    }
                    Some(parent) => self.branch_failed(parent, frame, fault),
                },
            };
            match next {
                Some(next) => (frame, flow) = next,
                None => return,
            }
        }
    }

    /// Whether there is room for more rows.
    pub(super) fn has_room(&self) -> bool {
        self.x.last_event + RESERVED_ROWS <= self.x.limits.max_events
    }

    /// Writes a row.
    pub(super) fn emit(&mut self, kind: &'static str, previous: u64, details: Details) -> u64 {
        self.x.last_event += 1;
        let id = self.x.last_event;
        self.written += details.weight();
        self.out.rows.push(HistoryEvent {
            id,
            previous_event_id: previous,
            at_millis: self.now,
            kind,
            details,
        });
        id
    }

    /// Writes a row that the thread's next row follows from.
    pub(super) fn advance(&mut self, frame: &mut Frame, kind: &'static str, details: Details) {
        frame.prev = self.emit(kind, frame.prev, details);
    }

    pub(super) fn frame_id(&mut self) -> FrameId {
        self.x.next_frame += 1;
        self.x.next_frame
    }

    /// Sets a timer.
    pub(super) fn timer(&mut self, whose: TimerOf, at_millis: i64) -> u64 {
        self.x.next_timer += 1;
        let timer = self.x.next_timer;
        self.x.timers.insert(timer, whose);
        self.out.effects.push(Effect::SetTimer { timer: TimerId(timer), at_millis });
        if at_millis > self.end_of_life() {
            self.limit_life();
        }
        timer
    }

    /// Takes a timer back.
    pub(super) fn cancel_timer(&mut self, timer: u64) {
        if self.x.timers.remove(&timer).is_some() {
            self.out.effects.push(Effect::CancelTimer { timer: TimerId(timer) });
        }
    }

    fn timer_fired(&mut self, timer: TimerId) {
        match self.x.timers.remove(&timer.0) {
            None => {}
            Some(TimerOf::Execution) => self.time_out(),
            Some(TimerOf::Frame(id)) => {
                let Some(mut frame) = self.x.frames.remove(&id) else { return };
                let flow = self.frame_timer(&mut frame, timer.0);
                self.drive(frame, flow);
            }
        }
    }

    /// Lets the host write down what there is, and goes on in the next turn.
    fn rest(&mut self, frame: &mut Frame) -> Flow {
        frame.rest = Some(self.timer(TimerOf::Frame(frame.id), self.now));
        Flow::Block
    }

    fn frame_timer(&mut self, frame: &mut Frame, timer: u64) -> Flow {
        if frame.rest == Some(timer) {
            frame.rest = None;
            return Flow::Go;
        }
        match &frame.work {
            Work::Waiting { timer: own } if *own == timer => self.waited(frame),
            Work::Retrying { timer: own } if *own == timer => {
                frame.work = Work::Again;
                Flow::Go
            }
            Work::Task(task) => {
                let heartbeat = task.heartbeat.is_some_and(|heartbeat| heartbeat.timer == timer);
                if heartbeat || task.timeout == Some(timer) {
                    self.task_timed_out(frame, heartbeat)
                } else {
                    Flow::Block
                }
            }
            Work::Enter
            | Work::Again
            | Work::Waiting { .. }
            | Work::Retrying { .. }
            | Work::Branches(_)
            | Work::Run(_)
            | Work::Failed => Flow::Block,
        }
    }

    /// The state a thread is in.
    pub(super) fn state_of(&self, frame: &Frame) -> Option<&'a State> {
        self.machine.states.get(frame.state as usize)
    }

    /// One step: enter a state or do its work.
    pub(super) fn step(&mut self, frame: &mut Frame) -> Flow {
        let Some(state) = self.state_of(frame) else {
            return Flow::Fail(Fault::runtime("The definition has no such state."));
        };
        if matches!(frame.work, Work::Enter) {
            self.enter(frame, state);
        }
        match self.work(frame, state) {
            Ok(flow) => flow,
            Err(fault) => self.handle(frame, state, fault),
        }
    }

    fn enter(&mut self, frame: &mut Frame, state: &State) {
        frame.entered_prev = frame.prev;
        let kind = entered(&state.kind);
        let details = Details::Entered { name: Arc::clone(&state.name), input: frame.input.text() };
        self.advance(frame, kind, details);
        frame.entered = frame.prev;
        frame.entered_at = self.now;
        frame.retries.clear();
        frame.retry_count = 0;
        frame.parked = None;
        frame.work = Work::Again;
    }
}

fn entered(kind: &Kind) -> &'static str {
    match kind {
        Kind::Pass { .. } => "PassStateEntered",
        Kind::Task(_) => "TaskStateEntered",
        Kind::Choice { .. } => "ChoiceStateEntered",
        Kind::Wait(_) => "WaitStateEntered",
        Kind::Succeed => "SucceedStateEntered",
        Kind::Fail { .. } => "FailStateEntered",
        Kind::Parallel { .. } => "ParallelStateEntered",
        Kind::Map(_) => "MapStateEntered",
    }
}

pub(super) fn exited(kind: &Kind) -> &'static str {
    match kind {
        Kind::Pass { .. } => "PassStateExited",
        Kind::Task(_) => "TaskStateExited",
        Kind::Choice { .. } => "ChoiceStateExited",
        Kind::Wait(_) => "WaitStateExited",
        Kind::Succeed => "SucceedStateExited",
        Kind::Fail { .. } => "FailStateExited",
        Kind::Parallel { .. } => "ParallelStateExited",
        Kind::Map(_) => "MapStateExited",
    }
}
