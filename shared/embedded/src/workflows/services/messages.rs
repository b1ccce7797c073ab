//! The bus and the queues: `events:putEvents` and `sqs:sendMessage`.

use super::{Home, refused, returned};
use crate::dispatch::Dispatch;
use jiff::Timestamp;
use mano_asl::{
    Call,
    host::{Answer, Answering, Service},
};
use mano_model::{
    TenantId, ids,
    plan::{Announced, Fact, Key, Kind, Origin},
};
use mano_ports::queue::Message;
use serde_json::{Value, json};
use std::time::Duration;

/// `events:putEvents`, onto the bus.
pub(super) struct Events(pub(super) Home);

impl Service for Events {
    fn offers(&self) -> &[&'static str] {
        &["events:putEvents", "events:putEvents.waitForTaskToken"]
    }

    fn call<'a>(&'a self, call: &'a Call) -> Answering<'a> {
        Box::pin(async move {
            let Some(dispatch) = self.0.dispatch() else { return Answer::Later };
            let Some(entries) = call.arguments.value()["Entries"].as_array() else {
                return refused(
                    "EventBridge.AmazonEventBridgeException",
                    "AmazonEventBridge",
                    "ValidationException",
                    "The request must contain the parameter Entries.",
                );
            };
            let at = dispatch.cx.clock.now();
            let facts = entries.iter().zip(1..).map(|(entry, n)| fact(call, n, at, entry));
            let facts: Vec<Announced> = facts.collect();
            match dispatch.cx.bus.publish(&facts).await {
                Ok(()) => {
                    let ids = facts.iter().map(|fact| json!({ "EventId": fact.id }));
                    let ids: Vec<Value> = ids.collect();
                    returned(&json!({ "Entries": ids, "FailedEntryCount": 0 }))
                }
                Err(error) => Answer::failed("EventBridge.InternalException", error.to_string()),
            }
        })
    }
}

/// An entry as a fact; its id is the same for every delivery of the call.
fn fact(call: &Call, n: u64, at: Timestamp, entry: &Value) -> Announced {
    let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
    let body = json_or_text(&entry["Detail"]);
    let tenant = body["tenant"].as_str().map_or_else(TenantId::default, TenantId::new);
    let execution = call.key.split('#').next().unwrap_or_default();
    let origin = Origin {
        id: ids::derived(&["put-events", &call.key]),
        at,
        tenant: tenant.clone(),
        actor: text("Source"),
        correlation: Some(execution.into()),
        causation: Some(call.key.clone()),
        trace: None,
    };
    Announced {
        id: ids::derived(&["put-events", &call.key, &n.to_string()]),
        seq: n,
        at,
        site: text("Region"),
        origin,
        fact: Fact {
            name: text("DetailType"),
            about: Key { kind: Kind::Note, tenant, id: execution.into() },
            body,
        },
    }
}

/// AWS takes these as text; text that is JSON is that JSON here.
fn json_or_text(given: &Value) -> Value {
    let read = given.as_str().and_then(|text| serde_json::from_str(text).ok());
    read.unwrap_or_else(|| given.clone())
}

/// `sqs:sendMessage`, onto a queue that a function of this host consumes.
pub(super) struct Messages(pub(super) Home);

impl Service for Messages {
    fn offers(&self) -> &[&'static str] {
        &["sqs:sendMessage", "sqs:sendMessage.waitForTaskToken"]
    }

    fn call<'a>(&'a self, call: &'a Call) -> Answering<'a> {
        Box::pin(async move {
            match self.0.dispatch() {
                Some(dispatch) => send(&dispatch, call).await,
                None => Answer::Later,
            }
        })
    }
}

async fn send(dispatch: &Dispatch, call: &Call) -> Answer {
    let sqs = |code, message: &str| refused("SQS.AmazonSQSException", "AmazonSQS", code, message);
    let arguments = call.arguments.value();
    let url = arguments["QueueUrl"].as_str().unwrap_or_default();
    let name = url.rsplit(['/', ':']).next().unwrap_or(url);
    let consumers = dispatch.functions.iter().flat_map(|function| function.consumers);
    let Some(queue) = consumers.map(|row| row.queue).find(|queue| *queue == name) else {
        let message = format!("The queue '{url}' is consumed by no function of this host.");
        return sqs("AWS.SimpleQueueService.NonExistentQueue", &message);
    };
    if arguments["MessageBody"].is_null() {
        return sqs("MissingParameter", "The request must contain the parameter MessageBody.");
    }
    let body = json_or_text(&arguments["MessageBody"]);
    let text = |name: &str| arguments[name].as_str().unwrap_or(&call.key).to_owned();
    let message = Message {
        queue,
        group: text("MessageGroupId"),
        dedup: text("MessageDeduplicationId"),
        delay: Duration::from_secs(arguments["DelaySeconds"].as_u64().unwrap_or(0).min(900)),
        body,
    };
    match dispatch.cx.queue.send(message).await {
        Ok(()) => {
            let id = ids::derived(&["send-message", &call.key]);
            returned(&json!({ "MessageId": id }))
        }
        Err(error) => Answer::failed("SQS.SdkClientException", error.to_string()),
    }
}
