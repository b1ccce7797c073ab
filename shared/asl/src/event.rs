//! What the engine asks of its host, and what the host tells the engine.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{doc::Doc, execution::Start};

/// A task, named by the id of the history event that scheduled it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaskId(pub u64);

/// A timer of one execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TimerId(pub u64);

/// A child execution of a distributed Map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChildId(pub u64);

/// How a Task's resource is called, and when it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Integration {
    /// `arn:aws:lambda:…:function:…`: done when the function returns; the result is what it returned.
    Lambda,
    /// `arn:aws:states:…:activity:…`: a worker fetches it; done when the worker says so.
    Activity,
    /// `arn:aws:states:::service:api`: done when the call returns.
    Service,
    /// `….sync` and `….sync:2`: done when the job that was started has ended.
    Sync,
    /// `….waitForTaskToken`: done when somebody brings the token back.
    Callback,
}

/// How far a task came that broke without having failed at its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Stage {
    /// It could not be scheduled.
    Schedule,
    /// It could not be started.
    Start,
    /// The call that submits the job failed.
    Submit,
    /// It was late.
    TimedOut,
}

/// How an execution ended, or that it has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// Not ended.
    Running,
    /// Reached its end.
    Succeeded,
    /// An error nobody caught.
    Failed,
    /// Took longer than the definition allows.
    TimedOut,
    /// Stopped from outside.
    Aborted,
}

/// What ended an execution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// Never [`Status::Running`].
    pub status: Status,
    /// The output as JSON text, if it succeeded.
    pub output: Option<Arc<str>>,
    /// The error's name, if there is one.
    pub error: Option<String>,
    /// The error's cause, if there is one.
    pub cause: Option<String>,
}

/// A task to be called. At least once: [`Call::key`] lets the callee recognise a repetition.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Call {
    /// Names the task in the events that answer it.
    pub task: TaskId,
    /// The state's name.
    pub state: Arc<str>,
    /// The resource as the definition has it.
    pub resource: Arc<str>,
    /// How it is called.
    pub integration: Integration,
    /// The service part of the resource (`lambda`), empty for functions and activities.
    pub service: Arc<str>,
    /// The action part of the resource (`invoke.waitForTaskToken`), or the whole ARN.
    pub api: Arc<str>,
    /// What it is called with. A function that is invoked with the payload `null` receives `{}`.
    pub arguments: Doc,
    /// The `Credentials` field, filled in.
    pub credentials: Option<Doc>,
    /// The task token, for [`Integration::Callback`], [`Integration::Sync`] and
    /// [`Integration::Activity`].
    pub token: Option<String>,
    /// How often this entry of the state was retried before.
    pub attempt: u64,
    /// The same for every delivery of this call, different for every other call.
    pub key: String,
    /// Seconds until the engine gives the task up. The engine keeps the timer.
    pub timeout_seconds: Option<i64>,
    /// Seconds of silence after which the engine gives the task up. The engine keeps the timer.
    pub heartbeat_seconds: Option<i64>,
}

/// A file of a distributed Map's results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultFile {
    /// The key below the prefix: `<map run>/SUCCEEDED_0.json`.
    pub key: String,
    /// JSON text.
    pub content: String,
}

/// Something the host is to do. Commit the rows first, then do it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Effect {
    /// Call a task; answer with the events that name its [`TaskId`].
    Call(Box<Call>),
    /// Nobody waits for the task any more.
    CancelTask {
        /// The task.
        task: TaskId,
    },
    /// Send [`Event::TimerFired`] at that time, not before.
    SetTimer {
        /// Names the timer.
        timer: TimerId,
        /// Milliseconds since 1970, UTC.
        at_millis: i64,
    },
    /// The timer is not needed any more.
    CancelTimer {
        /// The timer.
        timer: TimerId,
    },
    /// Start an execution of the same definition and answer with [`Event::ChildFinished`].
    StartChild {
        /// Names the child.
        child: ChildId,
        /// How to start it.
        start: Box<Start>,
    },
    /// Stop a child; its end is not awaited.
    StopChild {
        /// The child.
        child: ChildId,
    },
    /// Read an object and answer with [`Event::ItemsRead`] or [`Event::TaskFailed`].
    ReadItems {
        /// Names the request.
        task: TaskId,
        /// The reader's resource: `arn:aws:states:::s3:getObject`.
        resource: String,
        /// Its arguments, such as `Bucket` and `Key`.
        arguments: Doc,
    },
    /// Write files and answer with [`Event::ResultsWritten`] or [`Event::TaskFailed`].
    WriteResults {
        /// Names the request.
        task: TaskId,
        /// The writer's resource: `arn:aws:states:::s3:putObject`.
        resource: String,
        /// Its arguments, such as `Bucket` and `Prefix`.
        arguments: Doc,
        /// The files.
        files: Vec<ResultFile>,
    },
    /// The execution has ended.
    Finished(Ending),
}

/// Something that happened outside. Events that come too late, or twice, change nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// A worker took the activity.
    TaskStarted {
        /// The task.
        task: TaskId,
        /// The worker's name, if it has one.
        worker: Option<String>,
    },
    /// The call of a `.sync` or `.waitForTaskToken` task returned; the work goes on.
    TaskSubmitted {
        /// The task.
        task: TaskId,
        /// What the call returned, as JSON text.
        output: String,
    },
    /// The task is done.
    TaskSucceeded {
        /// The task.
        task: TaskId,
        /// Its result as JSON text.
        output: String,
    },
    /// The task, a reader or a writer failed.
    TaskFailed {
        /// The task.
        task: TaskId,
        /// The error's name.
        error: Option<String>,
        /// The error's cause.
        cause: Option<String>,
    },
    /// The task is alive.
    TaskHeartbeat {
        /// The task.
        task: TaskId,
    },
    /// Somebody brought the token back: the task is done.
    TokenSucceeded {
        /// The token.
        token: String,
        /// The task's result as JSON text.
        output: String,
    },
    /// Somebody brought the token back: the task failed.
    TokenFailed {
        /// The token.
        token: String,
        /// The error's name.
        error: Option<String>,
        /// The error's cause.
        cause: Option<String>,
    },
    /// The holder of the token is alive.
    TokenHeartbeat {
        /// The token.
        token: String,
    },
    /// The time of a timer has come.
    TimerFired {
        /// The timer.
        timer: TimerId,
    },
    /// A child execution ended.
    ChildFinished {
        /// The child.
        child: ChildId,
        /// How.
        ending: Ending,
    },
    /// An object was read.
    ItemsRead {
        /// The request.
        task: TaskId,
        /// The object's text.
        content: String,
    },
    /// The result files were written.
    ResultsWritten {
        /// The request.
        task: TaskId,
    },
    /// The execution is to stop.
    Stop {
        /// The error's name.
        error: Option<String>,
        /// The error's cause.
        cause: Option<String>,
    },
    /// A failed execution is to go on where it failed.
    Redrive,
}
