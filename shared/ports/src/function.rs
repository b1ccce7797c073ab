//! What a function is, before anyone decides where it runs.
//!
//! A function is five tables. A host (the Lambda runtime or the edge binary) reads
//! the tables and calls the rows; the rows never know the host. Tables can be
//! listed, so tests compare routes, workflows, template and edge.

use crate::{
    Cx, Error,
    http::{Principal, Reply, Request},
};
use mano_model::{TenantId, plan::Announced};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{future::Future, pin::Pin};

mod call;

pub(crate) use call::unpanicked;

/// A future a table row can hold.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A capability of the orchestrator.
pub struct Function {
    /// `service-management`, `catalog`, `inventory`, `adapters`.
    pub name: &'static str,
    /// What it answers to clients.
    pub routes: &'static [Route],
    /// What it does for workflows.
    pub steps: &'static [Step],
    /// What it does when something has happened.
    pub listeners: &'static [Listener],
    /// What it does with messages.
    pub consumers: &'static [Consumer],
    /// What it does with events from outside.
    pub requests: &'static [OnEvent],
}

/// What a route takes as content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Nothing; content is ignored.
    Nothing,
    /// JSON.
    Json,
    /// A JSON merge patch (RFC 7396), or JSON.
    MergePatch,
    /// An archive or any bytes, as a stream.
    Stream,
}

/// One HTTP operation.
pub struct Route {
    /// The verb.
    pub method: ::http::Method,
    /// The path template, as in the standard; a last `{*name}` takes the rest.
    pub path: &'static str,
    /// The content.
    pub takes: Takes,
    /// The query parameters it knows; others are refused. SOL013's own are known to every list.
    pub query: &'static [&'static str],
    /// Who answers.
    pub handler: for<'a> fn(&'a Cx, Request) -> BoxFuture<'a, Result<Reply, Error>>,
}

/// The call of a step by a workflow: ids only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepCall {
    /// The row's name.
    pub step: String,
    /// Whose operation.
    pub tenant: TenantId,
    /// The operation occurrence.
    pub op: String,
    /// Which run of it.
    pub run: u64,
    /// The task token, where the workflow waits on one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The item of a Map, the error of a Catch: whatever else the workflow passes.
    #[serde(flatten)]
    pub more: serde_json::Map<String, Value>,
}

impl StepCall {
    /// A string the workflow passes.
    pub fn text(&self, name: &str) -> Result<&str, Error> {
        self.more
            .get(name)
            .and_then(Value::as_str)
            .ok_or_else(|| Error::Bug(format!("the workflow calls {} without '{name}'", self.step)))
    }
}

/// One step of workflows.
pub struct Step {
    /// The name the workflows call it by: `vnf.grant`.
    pub name: &'static str,
    /// Who does it.
    pub handler: for<'a> fn(&'a Cx, StepCall) -> BoxFuture<'a, Result<Value, Error>>,
}

/// One interest in what happened.
pub struct Listener {
    /// A name for logs and for the record of what was delivered.
    pub name: &'static str,
    /// The facts listened for: names, in which one `*` stands for anything.
    pub facts: &'static [&'static str],
    /// Who acts on it.
    pub handler: for<'a> fn(&'a Cx, &'a Announced) -> BoxFuture<'a, Result<(), Error>>,
}

impl Listener {
    /// Whether it listens for this fact.
    #[must_use]
    pub fn hears(&self, fact: &str) -> bool {
        self.facts.iter().any(|pattern| match pattern.split_once('*') {
            Some((head, tail)) => {
                fact.strip_prefix(head).is_some_and(|after| after.ends_with(tail))
            }
            None => *pattern == fact,
        })
    }
}

/// One queue's receiver.
pub struct Consumer {
    /// The queue.
    pub queue: &'static str,
    /// Who handles a message's body; an error brings the message again.
    pub handler: for<'a> fn(&'a Cx, Value) -> BoxFuture<'a, Result<(), Error>>,
}

/// An event from outside the functions: the engine's, a clock's, or an OSS's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Unique per source.
    pub id: String,
    /// `aws.states`, `aws.events`, or the name an OSS goes by.
    pub source: String,
    /// `Step Functions Execution Status Change`, `Scheduled Event`, `mano.request.…`.
    #[serde(rename = "detail-type")]
    pub detail_type: String,
    /// What it says.
    pub detail: Value,
    /// Who sent it, as the host knows it: the engine and the clock are nobody. It never comes
    /// with the event itself.
    #[serde(skip)]
    pub principal: Option<Principal>,
}

/// One interest in events from outside.
pub struct OnEvent {
    /// [`Event::source`]; `*` for any.
    pub source: &'static str,
    /// [`Event::detail_type`], or a beginning that ends in `*`.
    pub detail_type: &'static str,
    /// Who acts on it.
    pub handler: for<'a> fn(&'a Cx, &'a Event) -> BoxFuture<'a, Result<(), Error>>,
}

/// A route from an `async fn(&Cx, Request) -> Result<Reply, Error>`.
///
/// `route!(POST "/nslcm/v2/ns_instances", Json => create)`; known query parameters follow in
/// brackets: `route!(GET "/…", Nothing, ["filter"] => list)`.
#[macro_export]
macro_rules! route {
    ($method:ident $path:literal, $takes:ident => $handler:path) => {
        $crate::route!($method $path, $takes, [] => $handler)
    };
    ($method:ident $path:literal, $takes:ident, [$($query:literal),*] => $handler:path) => {
        $crate::function::Route {
            method: ::http::Method::$method,
            path: $path,
            takes: $crate::function::Takes::$takes,
            query: &[$($query),*],
            handler: |cx, request| ::std::boxed::Box::pin($handler(cx, request)),
        }
    };
}

/// A step from an `async fn(&Cx, StepCall) -> Result<Value, Error>`.
#[macro_export]
macro_rules! step {
    ($name:literal => $handler:path) => {
        $crate::function::Step {
            name: $name,
            handler: |cx, call| ::std::boxed::Box::pin($handler(cx, call)),
        }
    };
}

/// A listener from an `async fn(&Cx, &Announced) -> Result<(), Error>`.
#[macro_export]
macro_rules! listener {
    ($name:literal, [$($fact:literal),+] => $handler:path) => {
        $crate::function::Listener {
            name: $name,
            facts: &[$($fact),+],
            handler: |cx, fact| ::std::boxed::Box::pin($handler(cx, fact)),
        }
    };
}

/// A consumer from an `async fn(&Cx, Value) -> Result<(), Error>`.
#[macro_export]
macro_rules! consumer {
    ($queue:literal => $handler:path) => {
        $crate::function::Consumer {
            queue: $queue,
            handler: |cx, body| ::std::boxed::Box::pin($handler(cx, body)),
        }
    };
}

/// An interest in outside events from an `async fn(&Cx, &Event) -> Result<(), Error>`.
#[macro_export]
macro_rules! on_event {
    ($source:literal, $detail_type:literal => $handler:path) => {
        $crate::function::OnEvent {
            source: $source,
            detail_type: $detail_type,
            handler: |cx, event| ::std::boxed::Box::pin($handler(cx, event)),
        }
    };
}
