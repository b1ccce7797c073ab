//! Finds the row of a function's table that an invocation is for, and calls it in time.

use super::{
    answer,
    api::ApiRequest,
    asked::Asked,
    caller::Signed,
    failure::Failure,
    messages::{self, Inbox},
    surroundings::Surroundings,
};
use futures_util::FutureExt;
use jiff::Timestamp;
use mano_ports::{
    Error,
    door::{Clash, Door, Settings as Conventions},
    function::{Event, Function, OnEvent, StepCall},
    http::Content,
    workflows::Outcome,
};
use serde_json::{Value, json};
use std::{future::Future, panic::AssertUnwindSafe, sync::Arc, time::Duration};
use tracing::Instrument;

/// A handler of a request may take so long; API Gateway waits 29 s.
const API: Duration = Duration::from_secs(25);
/// A step may take so long; longer work is watched.
const STEP: Duration = Duration::from_secs(60);

/// One function, ready to be invoked.
pub struct Host {
    function: &'static Function,
    around: Surroundings,
    door: Door,
}

impl Host {
    /// Reads the tables.
    ///
    /// # Errors
    /// Two routes that answer the same.
    pub fn new(function: &'static Function, around: Surroundings) -> Result<Self, Clash> {
        let conventions = Conventions {
            api_root: around.settings.api_root.clone(),
            scheme: "https",
            patience: API,
            stream_patience: API,
            ..Conventions::default()
        };
        let signed = Signed(around.settings.tenants.clone());
        let door = Door::new(&[function], conventions, Arc::new(signed))?;
        Ok(Self { function, around, door })
    }

    /// Handles one invocation, which Lambda ends at `until`.
    ///
    /// # Errors
    /// What the row failed with, in Lambda's words.
    pub async fn handle(&self, event: Value, until: Timestamp) -> Result<Value, Failure> {
        match Asked::read(event)? {
            Asked::Api(request) => Ok(self.request(*request).await),
            Asked::Step(call) => self.step(*call, until).await,
            Asked::Messages(received) => {
                let (cx, queue) = (&self.around.cx, &self.around.queue);
                let inbox = Inbox { cx, queue, consumers: self.function.consumers };
                Ok(messages::handle(&inbox, received, until).await)
            }
            Asked::Events(events) => {
                for (account, event) in events {
                    self.event(&account, event).await?;
                }
                Ok(json!({}))
            }
            Asked::Records(_) => Err(Failure::bug("stream records are the relay's")),
        }
    }

    async fn request(&self, request: ApiRequest) -> Value {
        match request.decode() {
            Ok((head, content)) => {
                let content = Content::Bytes(content);
                answer::encode(self.door.answer(&self.around.cx, head, content).await).await
            }
            Err(refusal) => answer::refuse(&refusal),
        }
    }

    async fn step(&self, call: StepCall, until: Timestamp) -> Result<Value, Failure> {
        let Some(row) = self.function.steps.iter().find(|row| row.name == call.step) else {
            let name = self.function.name;
            return Err(Failure::bug(format!("function '{name}' has no step '{}'", call.step)));
        };
        let span = tracing::info_span!(
            "step",
            name = row.name,
            tenant = call.tenant.as_str(),
            op = call.op,
            run = call.run,
            traceparent = call.more.get("trace").and_then(|trace| trace.as_str()),
        );
        let (cx, token) = (&self.around.cx, call.token.clone());
        let work = guarded((row.handler)(cx, call)).instrument(span.clone());
        let left = Duration::try_from(until.duration_since(cx.clock.now())).unwrap_or_default();
        let answer = tokio::select! {
            answer = work => answer.map_err(|error| Failure::from(&error)),
            () = cx.clock.sleep(left.min(STEP)) => {
                let seconds = left.min(STEP).as_secs();
                Err(Failure::transient(format!("the step did not end within {seconds} s")))
            }
        };
        if let Err(failure) = &answer {
            span.in_scope(|| {
                tracing::warn!(error = failure.error, cause = failure.cause, "a step failed");
            });
            self.tell(token.as_deref(), failure).await;
        }
        answer
    }

    /// Fails the task that waits on a token: an answer that is lost, or an engine that looks at
    /// the token alone, must not leave it waiting for its timeout.
    async fn tell(&self, token: Option<&str>, failure: &Failure) {
        let Some(token) = token else { return };
        let outcome =
            Outcome::Failure { error: failure.error.into(), cause: failure.cause.clone() };
        if let Err(error) = self.around.cx.workflows.resume(token, outcome).await {
            // The invocation fails as well, which most often says the same.
            tracing::warn!(%error, "a task was not told that its step failed");
        }
    }

    /// Calls every row that is interested; the first failure brings the event again.
    async fn event(&self, account: &str, mut event: Event) -> Result<(), Failure> {
        // The cloud's own events are nobody's request.
        if !event.source.starts_with("aws.") {
            event.principal = self.around.settings.tenants.sender(account, &event.source);
        }
        let mut result = Ok(());
        for row in self.function.requests.iter().filter(|row| is_for(row, &event)) {
            let span = tracing::info_span!("event", source = event.source, id = event.id);
            let call = guarded((row.handler)(&self.around.cx, &event)).instrument(span);
            if let Err(error) = call.await {
                let (source, kind) = (&event.source, &event.detail_type);
                tracing::warn!(source, kind, error = error.chain(), "an event was not handled");
                result = result.and(Err(Failure::from(&error)));
            }
        }
        result
    }
}

/// A panic is a defect of this call and of nothing else.
pub(super) async fn guarded<T>(call: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let caught = AssertUnwindSafe(call).catch_unwind().await;
    caught.unwrap_or_else(|_| Err(Error::Bug("the handler panicked".into())))
}

fn is_for(row: &OnEvent, event: &Event) -> bool {
    let kind = match row.detail_type.strip_suffix('*') {
        Some(head) => event.detail_type.starts_with(head),
        None => row.detail_type == event.detail_type,
    };
    kind && (row.source == "*" || row.source == event.source)
}
