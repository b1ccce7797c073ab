//! The queue port on SQS: groups and dedup by FIFO queues, delays kept by the receiver.
//!
//! A FIFO queue knows no delay of one message. So the message says when it is due, and whoever
//! receives it earlier hides it until then: its group waits behind it, as the port wants it.

mod dead;

use crate::{clients::Clients, settings::Settings};
use async_trait::async_trait;
use aws_sdk_sqs::{
    operation::send_message::builders::SendMessageFluentBuilder, types::MessageAttributeValue,
};
use mano_ports::{
    clock::Clock,
    error::Source,
    hex::hex,
    queue::{DeadLetter, Error, Message, Queue},
};
use sha2::{Digest, Sha256};
use std::{sync::Arc, time::Duration};

/// The attribute that says when a message is due, in milliseconds since 1970.
pub(crate) const DUE: &str = "Due";
/// The attribute of a dead letter that says what its last attempt failed with.
pub(crate) const REASON: &str = "Reason";
/// Longest time SQS hides a message.
const HIDDEN: Duration = Duration::from_secs(12 * 3600 - 60);
/// Longest group or dedup id, in bytes.
const LONGEST: usize = 128;
/// Longest attribute we write, in bytes.
const LONGEST_REASON: usize = 8 << 10;

/// Most dead letters that are looked through for one.
const MOST: usize = 1000;

/// The queues of a deployment.
pub struct SqsQueue {
    client: aws_sdk_sqs::Client,
    settings: Arc<Settings>,
    clock: Arc<dyn Clock>,
}

impl SqsQueue {
    /// The queues that the settings name.
    #[must_use]
    pub fn new(clients: &Clients, settings: &Arc<Settings>, clock: Arc<dyn Clock>) -> Self {
        Self { client: clients.sqs.clone(), settings: Arc::clone(settings), clock }
    }

    /// A message that was received shall come again after `pause`.
    pub(crate) async fn hide(
        &self,
        queue: &str,
        receipt: &str,
        pause: Duration,
    ) -> Result<(), Error> {
        let seconds = pause.min(HIDDEN).as_millis().div_ceil(1000);
        let hide = self
            .client
            .change_message_visibility()
            .queue_url(self.url(queue)?)
            .receipt_handle(receipt)
            .visibility_timeout(i32::try_from(seconds).unwrap_or(i32::MAX));
        hide.send().await.map(drop).map_err(unavailable)
    }

    /// Lays a message among the dead, with the reason.
    pub(crate) async fn bury(
        &self,
        queue: &str,
        letter: &Letter<'_>,
        reason: &str,
    ) -> Result<(), Error> {
        let url = self.settings.dead(queue).map_err(unavailable)?;
        let reason = &reason[..reason.floor_char_boundary(LONGEST_REASON)];
        let send = self.message(url, letter);
        let send = send.message_attributes(REASON, attribute("String", reason)?);
        send.send().await.map(drop).map_err(unavailable)
    }

    /// A message to be sent; a FIFO queue keeps the order of a group, and takes an id once within
    /// minutes.
    fn message(&self, url: &str, letter: &Letter<'_>) -> SendMessageFluentBuilder {
        let send = self.client.send_message().queue_url(url).message_body(letter.body);
        if url.ends_with(".fifo") {
            send.message_group_id(name(letter.group)).message_deduplication_id(name(letter.id))
        } else {
            send
        }
    }

    fn url(&self, queue: &str) -> Result<&str, Error> {
        self.settings.queue(queue).map_err(unavailable)
    }
}

/// What a message says, and what it goes by.
pub(crate) struct Letter<'a> {
    pub(crate) group: &'a str,
    pub(crate) id: &'a str,
    pub(crate) body: &'a str,
}

#[async_trait]
impl Queue for SqsQueue {
    async fn send(&self, message: Message) -> Result<(), Error> {
        let url = self.url(message.queue)?;
        let body = message.body.to_string();
        let letter = Letter { group: &message.group, id: &message.dedup, body: &body };
        let send = self.message(url, &letter);
        let send = if message.delay.is_zero() {
            send
        } else {
            let due = (self.clock.now() + message.delay).as_millisecond().to_string();
            send.message_attributes(DUE, attribute("Number", &due)?)
        };
        send.send().await.map(drop).map_err(unavailable)
    }

    async fn dead_letters(&self, limit: usize) -> Result<Vec<DeadLetter>, Error> {
        let held = self.lying(limit).await?;
        self.give_back(&held).await;
        Ok(held.into_iter().map(|held| held.letter).collect())
    }

    async fn redrive(&self, id: u64) -> Result<(), Error> {
        let mut held = self.lying(MOST).await?;
        let found = held.iter().position(|held| held.letter.id == id);
        let found = found.map(|place| held.swap_remove(place));
        self.give_back(&held).await;
        match found {
            Some(held) => self.send_once_more(&held).await,
            None => Ok(()),
        }
    }
}

fn attribute(data_type: &str, value: &str) -> Result<MessageAttributeValue, Error> {
    let value = if value.is_empty() { "-" } else { value };
    let built = MessageAttributeValue::builder().data_type(data_type).string_value(value).build();
    built.map_err(unavailable)
}

/// An id as SQS takes it: as it is, or its hash.
fn name(id: &str) -> String {
    let fits = !id.is_empty() && id.len() <= LONGEST && id.bytes().all(|b| b.is_ascii_graphic());
    if fits { id.into() } else { hex(&Sha256::digest(id.as_bytes())) }
}

fn unavailable(error: impl Into<Source>) -> Error {
    Error::Unavailable(error.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_sqs_does_not_take_is_hashed() {
        assert_eq!(name("op-1/net"), "op-1/net");
        let long = "x".repeat(129);
        for id in ["", "a b", "é", &long] {
            assert_eq!(name(id).len(), 64, "{id}");
        }
        assert_ne!(name("a b"), name("a c"));
    }
}
