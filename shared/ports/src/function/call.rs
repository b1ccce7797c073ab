//! Calling rows: each in a span that says whose work it is; a panic stays with its call.

use super::{Consumer, Event, Function, Listener, OnEvent, Step, StepCall};
use crate::{Cx, Error};
use futures_util::{
    FutureExt,
    future::{Either, select},
};
use mano_model::{Refusal, plan::Announced, refusal::Why};
use serde_json::Value;
use std::{any::Any, future::Future, panic::AssertUnwindSafe, pin::pin, time::Duration};
use tracing::{Instrument, Span};

impl Step {
    /// A step that was given a token must have ended after so long, wherever it runs: longer work
    /// is watched, and the task waits for the token alone.
    pub const PATIENCE: Duration = Duration::from_secs(60);

    /// Does the step, in at most `patience`; with a token, in no more than [`Step::PATIENCE`].
    ///
    /// # Errors
    /// What the row failed with; a panic is a defect; one that takes too long is given up, and may
    /// succeed later.
    pub async fn call(&self, cx: &Cx, call: StepCall, patience: Duration) -> Result<Value, Error> {
        let span = tracing::info_span!(
            "step",
            name = self.name,
            tenant = call.tenant.as_str(),
            op = call.op,
            run = call.run,
            traceparent = call.more.get("trace").and_then(|trace| trace.as_str()),
        );
        let most = if call.token.is_some() { Self::PATIENCE } else { Duration::MAX };
        let patience = patience.min(most);
        let work = pin!(guarded(&span, (self.handler)(cx, call)));
        let done = match select(work, cx.clock.sleep(patience)).await {
            Either::Left((done, _)) => done,
            Either::Right(_) => Err(late(patience)),
        };
        warned(&span, "a step failed", done)
    }
}

impl Listener {
    /// Tells what has happened.
    ///
    /// # Errors
    /// What the row failed with: the fact is to be told again. A panic is a defect.
    pub async fn call(&self, cx: &Cx, told: &Announced) -> Result<(), Error> {
        let span = tracing::info_span!(
            "listener",
            name = self.name,
            fact = told.fact.name,
            tenant = told.fact.about.tenant.as_str(),
            op = told.fact.about.id,
            traceparent = told.origin.trace,
        );
        let heard = guarded(&span, (self.handler)(cx, told)).await;
        warned(&span, "a listener failed; it is called again", heard)
    }
}

impl Consumer {
    /// Hands over the body of a message. Whoever received it says what becomes of it.
    ///
    /// # Errors
    /// It is no JSON, or what the row failed with: the message is to come again.
    pub async fn call(&self, cx: &Cx, body: &str) -> Result<(), Error> {
        let body: Value = serde_json::from_str(body)
            .map_err(|error| Error::Bug(format!("the message is not JSON: {error}")))?;
        let span = tracing::info_span!(
            "consumer",
            queue = self.queue,
            tenant = body["tenant"].as_str(),
            op = body["op"].as_str(),
            traceparent = body["trace"].as_str(),
        );
        guarded(&span, (self.handler)(cx, body)).await
    }
}

impl OnEvent {
    /// Whether it is interested in this event.
    #[must_use]
    pub fn hears(&self, event: &Event) -> bool {
        let kind = match self.detail_type.strip_suffix('*') {
            Some(head) => event.detail_type.starts_with(head),
            None => self.detail_type == event.detail_type,
        };
        kind && (self.source == "*" || self.source == event.source)
    }

    async fn call(&self, cx: &Cx, event: &Event) -> Result<(), Error> {
        let (source, kind) = (&event.source, &event.detail_type);
        let span = tracing::info_span!("event", source, kind, id = event.id);
        let handled = guarded(&span, (self.handler)(cx, event)).await;
        warned(&span, "an event was not handled", handled)
    }
}

impl Event {
    /// Calls every row of these functions that is interested in it, whatever becomes of the
    /// others.
    ///
    /// # Errors
    /// The first failure: the event is to come again.
    pub async fn call(&self, cx: &Cx, functions: &[&'static Function]) -> Result<(), Error> {
        let mut all = Ok(());
        for function in functions {
            for row in function.requests.iter().filter(|row| row.hears(self)) {
                all = all.and(row.call(cx, self).await);
            }
        }
        all
    }
}

async fn guarded<T>(span: &Span, call: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let caught = unpanicked(call).instrument(span.clone()).await;
    caught.unwrap_or_else(|panic| Err(Error::Bug(panic)))
}

fn warned<T>(span: &Span, what: &str, result: Result<T, Error>) -> Result<T, Error> {
    if let Err(error) = &result {
        let (name, cause) = (error.fault().name(), error.chain());
        span.in_scope(|| tracing::warn!(error = name, cause, "{what}"));
    }
    result
}

fn late(patience: Duration) -> Error {
    let detail = format!("the step did not end within {} s", patience.as_secs());
    Refusal::new(Why::Unavailable, detail).into()
}

/// What a handler answers, or what it said when it panicked: a defect of this call and of
/// nothing else.
pub(crate) async fn unpanicked<T>(call: impl Future<Output = T>) -> Result<T, String> {
    let caught = AssertUnwindSafe(call).catch_unwind().await;
    caught.map_err(|panic| format!("panicked: {}", said(&*panic)))
}

/// What a panic said.
fn said(panic: &(dyn Any + Send)) -> &str {
    let owned = panic.downcast_ref::<String>().map(String::as_str);
    owned.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("nothing")
}
