//! Tasks: calling them, and what comes back.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use serde_json::{Value, json};

use super::{
    frame::{Flow, Frame, Heartbeat, TaskWork, TimerOf, Work},
    turn::Turn,
};
use crate::{
    definition::{Amount, Resource, State, Task},
    doc::Doc,
    entropy,
    event::{Call, Effect, Integration, Stage, TaskId},
    fault::Fault,
    history::Details,
};

impl<'a> Turn<'a> {
    /// Schedules a task.
    pub(super) fn call(
        &mut self,
        frame: &mut Frame,
        state: &State,
        task: &Task,
        effective: &Doc,
    ) -> Result<Flow, Fault> {
        let resource = &task.resource;
        if self.x.absent_activities.iter().any(|absent| **absent == *resource.arn) {
            return Err(Fault::runtime(format!("The activity {} does not exist.", resource.arn)));
        }
        let id = self.x.last_event + 1;
        let token = (!matches!(resource.integration, Integration::Lambda | Integration::Service))
            .then(|| self.token(id));
        // An activity's worker gets the token with the task; expressions do not see it.
        let visible = token.as_deref().filter(|_| resource.integration != Integration::Activity);
        let arguments = self.arguments(frame, state, effective, visible)?;
        let timeout =
            self.seconds(frame, state, task.timeout.as_ref(), "TimeoutSeconds", effective)?;
        let heartbeat =
            self.seconds(frame, state, task.heartbeat.as_ref(), "HeartbeatSeconds", effective)?;
        let credentials = match &task.credentials {
            Some(template) => Some(self.fill(frame, state, template, effective)?),
            None => None,
        };
        if arguments.text().len() > self.x.limits.max_bytes {
            return Err(Fault::too_large(&state.name));
        }
        let call = Call {
            task: TaskId(id),
            state: Arc::clone(&state.name),
            resource: Arc::clone(&resource.arn),
            integration: resource.integration,
            service: Arc::clone(&resource.service),
            api: Arc::clone(&resource.api),
            arguments,
            credentials,
            token: token.clone(),
            attempt: frame.retry_count,
            key: format!("{}#{id}", self.x.identity.arn),
            timeout_seconds: timeout,
            heartbeat_seconds: heartbeat,
        };
        self.scheduled(frame, &call);
        self.x.tasks.insert(id, frame.id);
        if let Some(token) = &token {
            self.x.tokens.insert(token.clone(), id);
        }
        self.out.effects.push(Effect::Call(Box::new(call)));
        let whose = TimerOf::Frame(frame.id);
        let timeout = timeout.map(|seconds| self.timer(whose, self.in_seconds(seconds)));
        if timeout.is_none() && token.is_some() {
            self.limit_life();
        }
        let started = resource.integration != Integration::Activity;
        // The heartbeat of an activity counts from when a worker has taken it.
        let heartbeat = heartbeat.map(|seconds| Heartbeat {
            timer: if started { self.timer(whose, self.in_seconds(seconds)) } else { 0 },
            seconds,
        });
        frame.work =
            Work::Task(TaskWork { id, timeout, heartbeat, token, started, submitted: false });
        Ok(Flow::Block)
    }

    fn in_seconds(&self, seconds: i64) -> i64 {
        self.now.saturating_add(seconds.saturating_mul(1000))
    }

    /// A token that only who knows the seed could have made.
    fn token(&self, id: u64) -> String {
        URL_SAFE_NO_PAD.encode(entropy::digest(&self.x.seed, &self.x.identity.arn, id, 0))
    }

    fn seconds(
        &self,
        frame: &Frame,
        state: &State,
        amount: Option<&Amount>,
        name: &str,
        root: &Doc,
    ) -> Result<Option<i64>, Fault> {
        let Some(amount) = amount else { return Ok(None) };
        let number = self.amount(frame, state, amount, name, true, root)?;
        if !(1.0..=99_999_999.0).contains(&number) {
            let cause = format!("The {name} field must be between 1 and 99999999, not {number}.");
            return Err(match amount {
                Amount::Expression(_) => Fault::evaluation(None, cause),
                Amount::Fixed(_) | Amount::Path(_) => Fault::runtime(cause),
            });
        }
        #[expect(clippy::cast_possible_truncation, reason = "between 1 and 99999999")]
        Ok(Some(number as i64))
    }

    fn scheduled(&mut self, frame: &mut Frame, call: &Call) {
        let (timeout_seconds, heartbeat_seconds) = (call.timeout_seconds, call.heartbeat_seconds);
        let is_function = call.integration == Integration::Lambda;
        let whole = Details::Scheduled {
            resource: Arc::clone(&call.resource),
            input: call.arguments.text(),
            timeout_seconds,
            // The row of a function has no field for it.
            heartbeat_seconds: heartbeat_seconds.filter(|_| !is_function),
        };
        match call.integration {
            Integration::Lambda => {
                self.advance(frame, "LambdaFunctionScheduled", whole);
                self.advance(frame, "LambdaFunctionStarted", Details::None);
            }
            Integration::Activity => self.advance(frame, "ActivityScheduled", whole),
            Integration::Service | Integration::Sync | Integration::Callback => {
                let details = Details::TaskScheduled {
                    service: Arc::clone(&call.service),
                    api: Arc::clone(&call.api),
                    region: Arc::clone(&self.x.region),
                    parameters: call.arguments.text(),
                    timeout_seconds,
                    heartbeat_seconds,
                    credentials: call.credentials.as_ref().map(shown_credentials),
                };
                self.advance(frame, "TaskScheduled", details);
                let (service, api) = (Arc::clone(&call.service), Arc::clone(&call.api));
                self.advance(frame, "TaskStarted", Details::Task { service, api, output: None });
            }
        }
    }

    /// Takes the frame of a task that is under way.
    fn take_task(&mut self, task: TaskId) -> Option<(Frame, TaskWork)> {
        let id = *self.x.tasks.get(&task.0)?;
        let frame = self.x.frames.remove(&id)?;
        if let Work::Task(work) = &frame.work
            && work.id == task.0
        {
            let work = work.clone();
            return Some((frame, work));
        }
        self.x.frames.insert(id, frame);
        None
    }

    pub(super) fn task_started(&mut self, task: TaskId, worker: Option<String>) {
        let Some((mut frame, mut work)) = self.take_task(task) else { return };
        if !work.started {
            work.started = true;
            if let Some(heartbeat) = &mut work.heartbeat {
                let at = self.in_seconds(heartbeat.seconds);
                heartbeat.timer = self.timer(TimerOf::Frame(frame.id), at);
            }
            self.advance(&mut frame, "ActivityStarted", Details::ActivityStarted { worker });
            frame.work = Work::Task(work);
        }
        self.x.frames.insert(frame.id, frame);
    }

    pub(super) fn task_submitted(&mut self, task: TaskId, output: &str) {
        let Some((mut frame, mut work)) = self.take_task(task) else { return };
        if let Some((_, resource)) = self.task_state(&frame)
            && matches!(resource.integration, Integration::Sync | Integration::Callback)
            && !work.submitted
        {
            work.submitted = true;
            let details = Details::Task {
                service: Arc::clone(&resource.service),
                api: Arc::clone(&resource.api),
                output: Some(Arc::from(output)),
            };
            self.advance(&mut frame, "TaskSubmitted", details);
            frame.work = Work::Task(work);
        }
        self.x.frames.insert(frame.id, frame);
    }

    pub(super) fn task_heartbeat(&mut self, task: TaskId) {
        let Some((mut frame, mut work)) = self.take_task(task) else { return };
        if let Some(heartbeat) = work.heartbeat.filter(|_| work.started) {
            self.cancel_timer(heartbeat.timer);
            let at = self.in_seconds(heartbeat.seconds);
            let timer = self.timer(TimerOf::Frame(frame.id), at);
            work.heartbeat = Some(Heartbeat { timer, seconds: heartbeat.seconds });
            frame.work = Work::Task(work);
        }
        self.x.frames.insert(frame.id, frame);
    }

    pub(super) fn task_succeeded(&mut self, task: TaskId, output: &str) {
        let Some((mut frame, work)) = self.take_task(task) else { return };
        let flow = self.task_done(&mut frame, &work, output);
        self.drive(frame, flow);
    }

    /// A task ended with a result.
    pub(super) fn task_done(&mut self, frame: &mut Frame, work: &TaskWork, output: &str) -> Flow {
        let Some((state, resource)) = self.task_state(frame) else { return Flow::Block };
        self.forget_task(work);
        frame.work = Work::Again;
        if output.len() > self.x.limits.max_bytes {
            let name = match resource.integration {
                Integration::Lambda | Integration::Activity => &resource.arn,
                Integration::Service | Integration::Sync | Integration::Callback => {
                    &resource.service
                }
            };
            return self.task_fault(frame, state, resource, Fault::too_large(name));
        }
        let Ok(result) = Doc::parse(output) else {
            let cause = format!("The task '{}' returned something that is not JSON.", state.name);
            let fault = Fault::named("States.TaskFailed", cause);
            return self.task_fault(frame, state, resource, fault);
        };
        self.note("result", &result);
        self.succeeded(frame, resource, output);
        let flow = self.complete(frame, state, result);
        flow.unwrap_or_else(|fault| self.handle(frame, state, fault))
    }

    fn succeeded(&mut self, frame: &mut Frame, resource: &Resource, output: &str) {
        let output: Arc<str> = Arc::from(output);
        match resource.integration {
            Integration::Lambda => {
                self.advance(frame, "LambdaFunctionSucceeded", Details::Output { output });
            }
            Integration::Activity => {
                self.advance(frame, "ActivitySucceeded", Details::Output { output });
            }
            Integration::Service | Integration::Sync | Integration::Callback => {
                let (service, api) = (Arc::clone(&resource.service), Arc::clone(&resource.api));
                let details = Details::Task { service, api, output: Some(output) };
                self.advance(frame, "TaskSucceeded", details);
            }
        }
    }

    pub(super) fn task_failed(
        &mut self,
        task: TaskId,
        error: Option<String>,
        cause: Option<String>,
    ) {
        let Some((mut frame, work)) = self.take_task(task) else {
            return self.request_failed(task, error, cause);
        };
        let flow = self.task_over(&mut frame, &work, Fault::reported(error, cause));
        self.drive(frame, flow);
    }

    /// A task ended with an error.
    pub(super) fn task_over(&mut self, frame: &mut Frame, work: &TaskWork, fault: Fault) -> Flow {
        let Some((state, resource)) = self.task_state(frame) else { return Flow::Block };
        self.forget_task(work);
        frame.work = Work::Again;
        self.task_fault(frame, state, resource, fault)
    }

    /// A task broke without having failed at its work.
    pub(super) fn task_broke(
        &mut self,
        task: TaskId,
        stage: Stage,
        error: Option<String>,
        cause: Option<String>,
    ) {
        if !self.is_alive() {
            return;
        }
        let Some((mut frame, work)) = self.take_task(task) else { return };
        let Some((state, resource)) = self.task_state(&frame) else { return };
        self.forget_task(&work);
        frame.work = Work::Again;
        let fault = match stage {
            Stage::TimedOut => {
                let heartbeat = work.heartbeat.is_some()
                    && (work.timeout.is_none() || error.as_deref() == Some(HEARTBEAT));
                let plain = Fault::timeout(heartbeat);
                Fault { error: error.or(plain.error), cause, nature: plain.nature }
            }
            Stage::Schedule | Stage::Start | Stage::Submit => Fault::reported(error, cause),
        };
        self.advance(&mut frame, broken(resource.integration, stage), failure(resource, &fault));
        let flow = self.handle(&mut frame, state, fault);
        self.drive(frame, flow);
    }

    fn task_fault(
        &mut self,
        frame: &mut Frame,
        state: &State,
        resource: &Resource,
        fault: Fault,
    ) -> Flow {
        let kind = match resource.integration {
            Integration::Lambda => "LambdaFunctionFailed",
            Integration::Activity => "ActivityFailed",
            Integration::Service | Integration::Sync | Integration::Callback => "TaskFailed",
        };
        self.advance(frame, kind, failure(resource, &fault));
        self.handle(frame, state, fault)
    }

    /// The task took too long, or was silent too long.
    pub(super) fn task_timed_out(&mut self, frame: &mut Frame, heartbeat: bool) -> Flow {
        let Work::Task(work) = std::mem::replace(&mut frame.work, Work::Again) else {
            return Flow::Block;
        };
        let Some((state, resource)) = self.task_state(frame) else { return Flow::Block };
        self.forget_task(&work);
        self.out.effects.push(Effect::CancelTask { task: TaskId(work.id) });
        let fault = Fault::timeout(heartbeat);
        let kind = broken(resource.integration, Stage::TimedOut);
        self.advance(frame, kind, failure(resource, &fault));
        self.handle(frame, state, fault)
    }

    /// Nothing that comes for the task from now on is looked at.
    pub(super) fn forget_task(&mut self, work: &TaskWork) {
        self.x.tasks.remove(&work.id);
        if let Some(token) = &work.token {
            self.x.tokens.remove(token);
        }
        if let Some(timer) = work.timeout {
            self.cancel_timer(timer);
        }
        if let Some(heartbeat) = work.heartbeat {
            self.cancel_timer(heartbeat.timer);
        }
    }

    /// The Task a thread is in, and its resource.
    fn task_state(&self, frame: &Frame) -> Option<(&'a State, &'a Resource)> {
        let state = self.state_of(frame)?;
        state.kind.as_task().map(|task| (state, &task.resource))
    }
}

/// The error of a task that was silent too long, where it has a name of its own.
const HEARTBEAT: &str = "States.HeartbeatTimeout";

/// The row that says how far a task came.
fn broken(integration: Integration, stage: Stage) -> &'static str {
    match (integration, stage) {
        (Integration::Lambda, Stage::Schedule) => "LambdaFunctionScheduleFailed",
        (Integration::Lambda, Stage::Start) => "LambdaFunctionStartFailed",
        (Integration::Lambda, Stage::Submit) => "LambdaFunctionFailed",
        (Integration::Lambda, Stage::TimedOut) => "LambdaFunctionTimedOut",
        (Integration::Activity, Stage::Schedule) => "ActivityScheduleFailed",
        (Integration::Activity, Stage::Start | Stage::Submit) => "ActivityFailed",
        (Integration::Activity, Stage::TimedOut) => "ActivityTimedOut",
        (Integration::Service | Integration::Sync | Integration::Callback, stage) => match stage {
            Stage::Schedule | Stage::Start => "TaskStartFailed",
            Stage::Submit => "TaskSubmitFailed",
            Stage::TimedOut => "TaskTimedOut",
        },
    }
}

/// The history names the role as the API does.
fn shown_credentials(credentials: &Doc) -> Value {
    json!({ "roleArn": credentials.value().get("RoleArn") })
}

fn failure(resource: &Resource, fault: &Fault) -> Details {
    let (error, cause) = (fault.error.clone(), fault.cause.clone());
    match resource.integration {
        Integration::Lambda | Integration::Activity => Details::Failure { error, cause },
        Integration::Service | Integration::Sync | Integration::Callback => Details::TaskFailure {
            service: Arc::clone(&resource.service),
            api: Arc::clone(&resource.api),
            error,
            cause,
        },
    }
}
