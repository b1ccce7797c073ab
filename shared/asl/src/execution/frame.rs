//! A thread of an execution: the machine itself, a branch or an iteration, and what it does now.

use serde::{Deserialize, Serialize};

use crate::{
    definition::StateId,
    doc::Doc,
    env::{Item, Variables},
    execution::run::MapRun,
};

/// The number of a frame.
pub(super) type FrameId = u32;

/// One thread. It is in exactly one state.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Frame {
    pub(super) id: FrameId,
    pub(super) parent: Option<FrameId>,
    /// Its place among its siblings.
    pub(super) slot: usize,
    pub(super) state: StateId,
    /// The state's raw input.
    pub(super) input: Doc,
    /// The row the next row follows from.
    pub(super) prev: u64,
    /// The row that entered the state.
    pub(super) entered: u64,
    /// The row before that.
    pub(super) entered_prev: u64,
    pub(super) entered_at: i64,
    pub(super) variables: Variables,
    pub(super) item: Option<Item>,
    /// Retries so far, by retrier.
    pub(super) retries: Vec<u64>,
    pub(super) retry_count: u64,
    pub(super) work: Work,
    /// What a failed container was doing; kept for a redrive.
    pub(super) parked: Option<Box<Parked>>,
    /// The timer that lets it go on, after a turn that wrote very much.
    pub(super) rest: Option<u64>,
}

/// The work of a container that failed, and its threads that did not reach their end.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Parked {
    pub(super) work: Work,
    pub(super) frames: Vec<Frame>,
}

/// What a frame does.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Work {
    /// Is about to enter its state.
    Enter,
    /// Is about to do its state's work again.
    Again,
    /// A Wait, until its timer fires.
    Waiting { timer: u64 },
    /// Between two attempts.
    Retrying { timer: u64 },
    /// A Task under way.
    Task(TaskWork),
    /// A Parallel or inline Map under way.
    Branches(Branches),
    /// A distributed Map under way.
    Run(Box<MapRun>),
    /// Failed; kept for a redrive.
    Failed,
}

/// A Task under way.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct TaskWork {
    /// The row that scheduled it.
    pub(super) id: u64,
    pub(super) timeout: Option<u64>,
    pub(super) heartbeat: Option<Heartbeat>,
    pub(super) token: Option<String>,
    /// Whether an activity's worker has taken it.
    pub(super) started: bool,
    /// Whether the call has returned, for `.sync` and `.waitForTaskToken`.
    pub(super) submitted: bool,
}

/// A heartbeat timer that restarts; 0 until it runs.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Heartbeat {
    pub(super) timer: u64,
    pub(super) seconds: i64,
}

/// A Parallel or inline Map under way.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Branches {
    /// The effective input.
    pub(super) input: Doc,
    /// The items of a Map; absent for a Parallel.
    pub(super) items: Option<Doc>,
    pub(super) results: Vec<Option<Doc>>,
    /// Branches under way.
    pub(super) open: Vec<FrameId>,
    /// The first item not yet started.
    pub(super) next: usize,
}

/// Whose timer it is.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) enum TimerOf {
    /// The whole execution's.
    Execution,
    Frame(FrameId),
}

/// What comes after a step.
pub(super) enum Flow {
    /// Go on at once.
    Go,
    /// Wait for something outside, or for children.
    Block,
    /// The thread reached its end.
    Done(Doc),
    /// The thread failed.
    Fail(crate::fault::Fault),
}

impl Frame {
    pub(super) fn new(id: FrameId, parent: Option<FrameId>, state: StateId, input: Doc) -> Self {
        Self {
            id,
            parent,
            slot: 0,
            state,
            input,
            prev: 0,
            entered: 0,
            entered_prev: 0,
            entered_at: 0,
            variables: Variables::new(),
            item: None,
            retries: Vec::new(),
            retry_count: 0,
            work: Work::Enter,
            parked: None,
            rest: None,
        }
    }
}
