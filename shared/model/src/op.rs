//! What NS and VNF operation occurrences share: where they stand, their runs, who waits for the end.

pub mod error_handling;
pub mod state;

use crate::{
    TenantId,
    plan::{Document, Origin, Plan, Versioned},
    sol::sol013::ProblemDetails,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use state::{Event, Illegal, Lifecycle};

/// The operations of one kind of instance, one row each: name on the wire, workflow, verb.
macro_rules! operations {
    ($(#[$about:meta])+ $noun:literal: $($(#[$meaning:meta])+ $name:ident, $wire:literal, $verb:literal;)+) => {
        $(#[$about])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        pub enum Operation {
            $($(#[$meaning])+ #[serde(rename = $wire)] $name,)+
        }

        impl Operation {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The workflow document that drives it.
            #[must_use]
            pub const fn workflow(self) -> &'static str {
                match self { $(Self::$name => concat!($noun, "-", $verb),)+ }
            }

            /// The verb in facts and logs.
            #[must_use]
            pub const fn verb(self) -> &'static str {
                match self { $(Self::$name => $verb,)+ }
            }

            /// The name on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $wire,)+ }
            }
        }
    };
}
pub(crate) use operations;

/// Whether a run makes or unmakes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Mode {
    /// Do what the operation is for.
    Forward,
    /// Undo what earlier runs of it did.
    Undo,
}

/// How a run ended, as its workflow says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Outcome {
    /// Everything was done.
    Completed,
    /// Something failed beyond its retries.
    FailedTemp,
    /// Everything was undone.
    RolledBack,
}

/// The name of a run: unique for ever, so that starting it twice starts it once.
#[must_use]
pub fn run_name(op: &str, run: u64) -> String {
    format!("{op}-{run}")
}

/// A task of an NS run that waits for a VNF operation to come to rest.
///
/// The token never leaves the store but towards the engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiter {
    /// The NS operation occurrence.
    pub op: String,
    /// Its run.
    pub run: u64,
    /// The task token.
    pub token: String,
}

/// Where an occurrence stands; only [`Occurrence::apply`] changes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress<S> {
    state: S,
    state_entered_time: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<ProblemDetails>,
}

impl<S> Progress<S> {
    /// That of a new occurrence.
    #[must_use]
    pub const fn new(state: S, at: Timestamp) -> Self {
        Self { state, state_entered_time: at, error: None }
    }
}

/// An operation occurrence of either kind.
pub trait Occurrence: Document + Clone + Sync {
    /// The table of its standard.
    type State: Lifecycle;
    /// Where it stands.
    fn progress(&self) -> &Progress<Self::State>;
    /// Where it stands, to be moved.
    fn progress_mut(&mut self) -> &mut Progress<Self::State>;
    /// The attribute that names its instance, and the instance.
    fn instance(&self) -> (&'static str, &str);
    /// What it is for: the name on the wire.
    fn operation(&self) -> &'static str;
    /// The workflow of its runs.
    fn workflow(&self) -> &'static str;
    /// The name of a fact about it.
    fn fact(&self, what: &str) -> String;
    /// What whoever asked for it wants its facts to be recognised by.
    fn correlation(&self) -> Option<&str>;
    /// Whether it can be rolled back.
    fn can_roll_back(&self) -> bool;
    /// The run under way, or the last one.
    fn run(&self) -> u64;
    /// Begins the next run, whose end `waiter` wants to hear of; nobody waits for an NS operation.
    fn next_run(&mut self, waiter: Option<Waiter>);

    /// Its state.
    fn state(&self) -> Self::State {
        self.progress().state
    }

    /// Since when.
    fn state_entered_time(&self) -> Timestamp {
        self.progress().state_entered_time
    }

    /// Why it is not where it should be.
    fn error(&self) -> Option<&ProblemDetails> {
        self.progress().error.as_ref()
    }

    /// Whether a run is under way.
    fn is_running(&self) -> bool {
        self.state().is_running()
    }

    /// Moves it along the table; the only way its state changes.
    ///
    /// An error given with the event is remembered; one from before stays until a
    /// run succeeds, for SOL003 and SOL005 want it shown while a retry is under way.
    ///
    /// # Errors
    ///
    /// If the table has no such step; nothing has changed then.
    fn apply(
        &mut self,
        event: Event,
        at: Timestamp,
        error: Option<ProblemDetails>,
    ) -> Result<(), Illegal> {
        let progress = self.progress_mut();
        progress.state = progress.state.on(event)?;
        progress.state_entered_time = at;
        if event == Event::Complete {
            progress.error = None;
        } else if error.is_some() {
            progress.error = error;
        }
        Ok(())
    }

    /// The content of the fact that starts its current run: what the relay needs, and more.
    fn start(&self, tenant: &TenantId) -> Value {
        let (op, run) = (self.id(), self.run());
        let undoes = self.state().on(Event::Undo).is_ok();
        let mode = if undoes { Mode::Undo } else { Mode::Forward };
        let mut body = told(self);
        body["workflow"] = self.workflow().into();
        body["run"] = run_name(&op, run).into();
        body["input"] = json!({ "tenant": tenant, "op": op, "run": run, "mode": mode });
        body
    }
}

/// The content of a fact about an occurrence.
pub(crate) fn told<T: Occurrence>(op: &T) -> Value {
    let (attribute, instance) = op.instance();
    json!({
        "op": op.id(),
        (attribute): instance,
        "operation": op.operation(),
        "state": op.state(),
    })
}

/// The end of a run: the occurrence as it is now, in answer to whoever asked for it.
pub(crate) fn ended<T: Occurrence>(origin: Origin, before: &Versioned<T>, op: &T) -> Plan {
    let mut body = told(op);
    body["error"] = json!(op.error().map(ProblemDetails::brief));
    let plan = Plan::new(origin.answering(op.correlation())).update(before.version, op);
    plan.tell::<T>(op.id(), &op.fact("ended"), body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ns::op::NsOp, vnf::op::VnfOp};

    const VNF: &str = concat!(
        r#"{"id":"op","vnfInstanceId":"vnf","operation":"SCALE","#,
        r#""operationParams":{"aspectId":"a","type":"SCALE_OUT"},"#,
        r#""startTime":"2026-01-02T03:04:05Z","isAutomaticInvocation":true,"run":1,"granted":true,"#,
        r#""waiter":{"op":"ns-op","run":0,"token":"t"},"correlation":"c","state":"FAILED_TEMP","#,
        r#""stateEnteredTime":"2026-01-02T03:04:06Z","error":{"title":"Conflict","status":409,"#,
        r#""detail":"no room"}}"#
    );

    const NS: &str = concat!(
        r#"{"id":"op","nsInstanceId":"ns","operation":"INSTANTIATE","operationParams":{},"#,
        r#""startTime":"2026-01-02T03:04:05Z","run":0,"items":[],"target":null,"#,
        r#""canRollBack":true,"state":"PROCESSING","stateEnteredTime":"2026-01-02T03:04:05Z"}"#
    );

    #[test]
    fn what_was_stored_before_is_read_and_written_as_it_is() {
        let vnf: VnfOp = serde_json::from_str(VNF).unwrap();
        assert_eq!((vnf.state().as_str(), vnf.run()), ("FAILED_TEMP", 1));
        assert_eq!(vnf.error().map(|e| e.detail.as_str()), Some("no room"));
        assert_eq!(serde_json::to_string(&vnf).unwrap(), VNF);
        let ns: NsOp = serde_json::from_str(NS).unwrap();
        assert_eq!(ns.state().as_str(), "PROCESSING");
        assert_eq!(serde_json::to_string(&ns).unwrap(), NS);
    }
}
