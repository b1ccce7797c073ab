//! Messages of a queue: each group in its order, what failed again later, what cannot be handled
//! among the dead.
//!
//! ```text
//!   message ─┬─ not due yet ─▶ hidden until it is
//!            ├─ handled ─▶ gone
//!            └─ failed ─▶ hidden, longer each time ─▶ after the last attempt: dead, with the reason
//!   behind the first of a group that stays, the others of that group stay too
//! ```
//!
//! What stays behind another was received, but not tried; so tries are counted in the table.

use crate::{
    pause::patient,
    queue::{DUE, Letter, SqsQueue},
    store::DynamoStore,
};
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use mano_ports::{Cx, Error, function::Consumer};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{collections::HashMap, time::Duration};

/// After so many failures a message is dead.
const ATTEMPTS: u32 = 8;
/// Groups handled at the same time.
const AT_ONCE: usize = 16;
/// So long before the end of an invocation no message is begun.
const MARGIN: Duration = Duration::from_secs(2);

/// A message as Lambda hands it over.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Received {
    message_id: String,
    receipt_handle: String,
    body: String,
    #[serde(rename = "eventSourceARN")]
    event_source_arn: String,
    #[serde(default)]
    attributes: Attributes,
    #[serde(default)]
    message_attributes: HashMap<String, Attribute>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attributes {
    #[serde(default)]
    message_group_id: Option<String>,
    #[serde(default)]
    approximate_receive_count: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attribute {
    #[serde(default)]
    string_value: Option<String>,
}

impl Received {
    /// Messages of one group are handled one after the other; those of none are a group each.
    fn group(&self) -> &str {
        self.attributes.message_group_id.as_deref().unwrap_or(&self.message_id)
    }

    /// How often it was handed out; also where it only came along.
    fn receives(&self) -> u32 {
        let count = self.attributes.approximate_receive_count.as_deref();
        count.and_then(|count| count.parse().ok()).unwrap_or(1)
    }

    /// How long until it is due.
    fn early(&self, now: Timestamp) -> Option<Duration> {
        let due = self.message_attributes.get(DUE)?.string_value.as_ref()?.parse().ok()?;
        let due = Timestamp::from_millisecond(due).ok()?;
        Duration::try_from(due.duration_since(now)).ok().filter(|early| !early.is_zero())
    }
}

/// Who handles messages, and with what.
pub(super) struct Inbox<'a> {
    pub(super) cx: &'a Cx,
    pub(super) queue: &'a SqsQueue,
    pub(super) store: &'a DynamoStore,
    pub(super) consumers: &'static [Consumer],
}

/// Handles a batch; the answer names what stays in the queue.
pub(super) async fn handle(inbox: &Inbox<'_>, received: Vec<Received>, until: Timestamp) -> Value {
    let mut groups: Vec<Vec<Received>> = Vec::new();
    for message in received {
        match groups.iter_mut().find(|group| group[0].group() == message.group()) {
            Some(group) => group.push(message),
            None => groups.push(vec![message]),
        }
    }
    let stay = stream::iter(groups).map(|group| inbox.group(group, until));
    let stay: Vec<Vec<String>> = stay.buffer_unordered(AT_ONCE).collect().await;
    let stay: Vec<_> =
        stay.into_iter().flatten().map(|id| json!({ "itemIdentifier": id })).collect();
    json!({ "batchItemFailures": stay })
}

impl Inbox<'_> {
    /// Handles messages until one stays; the ids of all that stay.
    async fn group(&self, group: Vec<Received>, until: Timestamp) -> Vec<String> {
        let mut stay = Vec::new();
        for message in group {
            let pause = if stay.is_empty() { self.one(&message, until).await } else { Some(None) };
            let Some(pause) = pause else { continue };
            self.hide(&message, pause.unwrap_or_default()).await;
            stay.push(message.message_id);
        }
        stay
    }

    /// Handles one message; if it stays, for how long it is hidden.
    async fn one(&self, message: &Received, until: Timestamp) -> Option<Option<Duration>> {
        let now = self.cx.clock.now();
        if let Some(early) = message.early(now) {
            return Some(Some(early));
        }
        if now + MARGIN >= until {
            return Some(None);
        }
        let error = self.call(message).await.err()?;
        let (attempt, reason) = (self.attempt(message).await, error.chain());
        let last = attempt.is_some_and(|attempt| attempt >= ATTEMPTS);
        let id = &message.message_id;
        tracing::warn!(id, attempt, last, reason, "a message was not handled");
        if last && self.bury(message, &reason).await {
            return None;
        }
        Some(Some(pause(attempt.unwrap_or_else(|| message.receives()))))
    }

    /// Which attempt failed, from 1. Where it cannot be counted, it may be tried too often, up to
    /// what the queue itself allows.
    async fn attempt(&self, message: &Received) -> Option<u32> {
        let counted = self.store.tried(&message.message_id).await;
        let lost = |error| {
            tracing::warn!(error = Error::from(error).chain(), "a try could not be counted");
        };
        counted.map_err(lost).ok()
    }

    async fn call(&self, message: &Received) -> Result<(), Error> {
        self.consumer(message)?.call(self.cx, &message.body).await
    }

    /// The consumer of the queue that ends in its name, the longest name first: `upload-watch`
    /// before `watch`.
    fn consumer(&self, message: &Received) -> Result<&'static Consumer, Error> {
        let name = message.event_source_arn.trim_end_matches(".fifo");
        let ours = self.consumers.iter().filter(|row| name.ends_with(row.queue));
        let found = ours.max_by_key(|row| row.queue.len());
        found.ok_or_else(|| {
            let arn = &message.event_source_arn;
            Error::Bug(format!("this function has no consumer of the queue '{arn}'"))
        })
    }

    /// Whether the message lies among the dead now.
    async fn bury(&self, message: &Received, reason: &str) -> bool {
        let Ok(consumer) = self.consumer(message) else { return false };
        let letter =
            Letter { group: message.group(), id: &message.message_id, body: &message.body };
        match self.queue.bury(consumer.queue, &letter, reason).await {
            Ok(()) => true,
            Err(error) => {
                let error = Error::from(error).chain();
                tracing::error!(error, "a dead letter could not be laid aside");
                false
            }
        }
    }

    /// A message that could not be hidden comes again when its time with us is over.
    async fn hide(&self, message: &Received, pause: Duration) {
        let Ok(consumer) = self.consumer(message) else { return };
        if let Err(error) = self.queue.hide(consumer.queue, &message.receipt_handle, pause).await {
            tracing::warn!(error = Error::from(error).chain(), "a message could not be hidden");
        }
    }
}

/// After so many failures: 1 s, 2 s, 4 s … 5 min, and never less than half of that: the attempts
/// of a message outlast trouble of a minute.
fn pause(attempt: u32) -> Duration {
    patient(attempt.saturating_sub(1), Duration::from_secs(1), Duration::from_secs(300))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn messages_that_fail_together_come_again_apart() {
        let pauses: HashSet<_> = (0..100).map(|_| pause(4)).collect();
        assert!(pauses.len() > 50, "{pauses:?}");
        assert!(pauses.iter().all(|pause| *pause <= Duration::from_secs(8)));
    }

    #[test]
    fn a_message_outlasts_a_minute_of_trouble() {
        for _ in 0..100 {
            let all: Duration = (1..ATTEMPTS).map(pause).sum();
            assert!((Duration::from_secs(63)..=Duration::from_secs(127)).contains(&all), "{all:?}");
        }
    }

    #[test]
    fn a_message_says_how_often_it_was_handed_out() {
        let received = |attributes: Value| -> Received {
            let arn = "arn:aws:sqs:eu-west-3:000000000000:mano-watch.fifo";
            serde_json::from_value(json!({
                "messageId": "m", "receiptHandle": "r", "body": "{}", "messageAttributes": {},
                "attributes": attributes, "eventSourceARN": arn,
            }))
            .unwrap()
        };
        let counted = received(json!({ "ApproximateReceiveCount": "9", "MessageGroupId": "g" }));
        assert_eq!((counted.receives(), counted.group()), (9, "g"));
        assert_eq!(received(json!({})).receives(), 1);
    }
}
