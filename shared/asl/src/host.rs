//! What a host offers to the tasks of its workflows: one trait for every service.
//!
//! ```text
//!   Definition ──unoffered(text, offers)──▶ refused when the machine is created
//!   Effect::Call ───────▶ Service::call ──▶ Answer ──▶ Event::Task…
//! ```
//!
//! A service is named as in the resource of a Task, without `arn:aws:states:::`. Functions and
//! activities that are named by their own ARN are [`FUNCTION`] and [`ACTIVITY`].

use std::{future::Future, pin::Pin};

use serde_json::Value;

use crate::{
    Call, Diagnostic, Event, Integration, Severity,
    definition::{Resource, resource},
};

/// A function called by its own ARN: `arn:aws:lambda:…:function:…`.
pub const FUNCTION: &str = "function";

/// An activity: `arn:aws:states:…:activity:…`.
pub const ACTIVITY: &str = "activity";

/// The answer of a service, some time.
pub type Answering<'a> = Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

/// What a call returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Its result as JSON text. With `.sync` and `.waitForTaskToken` the work goes on, and its end
    /// is told by the call's token.
    Returned(String),
    /// The call failed, for good or for the moment: the workflow's `Retry` decides.
    Failed {
        /// The error's name.
        error: String,
        /// Its cause.
        cause: String,
    },
    /// Nothing to tell: the end is told by the call's token alone.
    Later,
}

impl Answer {
    /// A failure.
    pub fn failed(error: impl Into<String>, cause: impl Into<String>) -> Self {
        Self::Failed { error: error.into(), cause: cause.into() }
    }

    /// What the execution is told.
    #[must_use]
    pub fn event(self, call: &Call) -> Option<Event> {
        let task = call.task;
        Some(match (self, call.integration) {
            (Self::Later, _) => return None,
            (Self::Failed { error, cause }, _) => {
                Event::TaskFailed { task, error: Some(error), cause: Some(cause) }
            }
            (Self::Returned(output), Integration::Callback | Integration::Sync) => {
                Event::TaskSubmitted { task, output }
            }
            (
                Self::Returned(output),
                Integration::Lambda | Integration::Service | Integration::Activity,
            ) => Event::TaskSucceeded { task, output },
        })
    }
}

/// A service that tasks may call.
///
/// * A call is made at least once: [`Call::key`] is the same for every delivery of one call and
///   different for every other, so a service makes its effect once per key.
/// * A service is asked only for what it offers.
pub trait Service: Send + Sync {
    /// The resources it answers: `lambda:invoke`, `lambda:invoke.waitForTaskToken`, [`FUNCTION`].
    /// One that ends in `*` stands for everything that begins so.
    fn offers(&self) -> &[&'static str];

    /// Makes a call.
    fn call<'a>(&'a self, call: &'a Call) -> Answering<'a>;
}

/// The name a call's resource is offered under.
#[must_use]
pub fn name(call: &Call) -> String {
    offered_as(call.integration, &call.service, &call.api)
}

/// Whether an offer covers a name.
#[must_use]
pub fn covers(offer: &str, name: &str) -> bool {
    match offer.strip_suffix('*') {
        Some(head) => name.starts_with(head),
        None => offer == name,
    }
}

fn offered_as(integration: Integration, service: &str, api: &str) -> String {
    match integration {
        Integration::Lambda => FUNCTION.to_owned(),
        Integration::Activity => ACTIVITY.to_owned(),
        Integration::Service | Integration::Sync | Integration::Callback => {
            format!("{service}:{api}")
        }
    }
}

/// The resources a definition names, with the places that name them: of its tasks, item readers
/// and result writers. A text that is no definition names none.
#[must_use]
pub fn resources(definition: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    if let Ok(machine) = serde_json::from_str::<Value>(definition) {
        flow(&machine, "", &mut found);
    }
    found
}

/// What a definition asks for and a host does not offer, each with its place.
#[must_use]
pub fn unoffered(definition: &str, offers: &[&str]) -> Vec<Diagnostic> {
    let known = |name: &str| offers.iter().any(|offer| covers(offer, name));
    let named = resources(definition).into_iter();
    let missing = named.filter_map(|(location, arn)| {
        let Resource { integration, service, api, .. } = resource(&arn)?;
        let name = offered_as(integration, &service, &api);
        (!known(&name)).then_some((location, arn))
    });
    missing.map(|(location, arn)| refusal(location, &arn, offers)).collect()
}

fn refusal(location: String, arn: &str, offers: &[&str]) -> Diagnostic {
    Diagnostic {
        severity: Severity::Error,
        code: "SCHEMA_VALIDATION_FAILED",
        message: format!(
            "The resource '{arn}' is not offered here; this host offers {}",
            offers.join(", ")
        ),
        location: Some(location),
    }
}

fn flow(machine: &Value, at: &str, found: &mut Vec<(String, String)>) {
    let Some(states) = machine.get("States").and_then(Value::as_object) else { return };
    for (name, state) in states {
        let name = name.replace('~', "~0").replace('/', "~1");
        let at = format!("{at}/States/{name}");
        for (field, owner) in [
            ("", Some(state)),
            ("/ItemReader", state.get("ItemReader")),
            ("/ResultWriter", state.get("ResultWriter")),
        ] {
            let resource = owner.and_then(|owner| owner.get("Resource")).and_then(Value::as_str);
            if let Some(resource) = resource {
                found.push((format!("{at}{field}/Resource"), resource.to_owned()));
            }
        }
        for (n, branch) in
            state.get("Branches").and_then(Value::as_array).into_iter().flatten().enumerate()
        {
            flow(branch, &format!("{at}/Branches/{n}"), found);
        }
        for field in ["ItemProcessor", "Iterator"] {
            if let Some(processor) = state.get(field) {
                flow(processor, &format!("{at}/{field}"), found);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"StartAt": "A/b", "States": {
        "A/b": {"Type": "Task", "Resource": "arn:aws:states:::dynamodb:putItem", "Next": "M"},
        "M": {"Type": "Map", "End": true,
            "ItemReader": {"Resource": "arn:aws:states:::s3:listObjectsV2"},
            "ItemProcessor": {"StartAt": "P", "States": {"P": {"Type": "Parallel", "End": true,
                "Branches": [{"StartAt": "F", "States": {"F": {"Type": "Task", "End": true,
                    "Resource": "arn:aws:lambda:local:0:function:f"}}}]}}}}}}"#;

    #[test]
    fn what_is_not_offered_is_named_with_its_place_and_what_is_offered() {
        let place = |one: &Diagnostic| one.location.clone().unwrap_or_default();
        let found = unoffered(TEXT, &["s3:*"]);
        let places: Vec<_> = found.iter().map(place).collect();
        assert_eq!(
            places,
            [
                "/States/A~1b/Resource",
                "/States/M/ItemProcessor/States/P/Branches/0/States/F/Resource",
            ]
        );
        assert!(found[0].message.contains("dynamodb:putItem"), "{}", found[0]);
        assert!(found[0].message.ends_with("offers s3:*"), "{}", found[0]);
        let found = unoffered(TEXT, &["dynamodb:putItem", FUNCTION]);
        assert_eq!(found.iter().map(place).collect::<Vec<_>>(), ["/States/M/ItemReader/Resource"]);
    }
}
