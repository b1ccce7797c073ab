//! Dead letters: looked at without being taken, and sent once more.
//!
//! SQS shows a message only by handing it out. So whoever looks takes all there are for a moment,
//! and gives them back; who looks at the same time may see fewer.

use super::{Letter, REASON, SqsQueue, unavailable};
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, Message, MessageSystemAttributeName as System,
};
use jiff::Timestamp;
use mano_ports::queue::{DeadLetter, Error};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// SQS hands out and takes so many messages at a time.
const AT_A_TIME: i32 = 10;
/// Longest time a look takes, in seconds; after it letters come back by themselves.
const LOOK: i32 = 30;

/// A letter in our hands.
pub(super) struct Held {
    pub(super) letter: DeadLetter,
    url: String,
    message: Message,
}

impl SqsQueue {
    /// The oldest letters of all queues; of a group that has many, the first ten.
    pub(super) async fn lying(&self, limit: usize) -> Result<Vec<Held>, Error> {
        let mut held = Vec::new();
        for (queue, url) in self.settings.dead_queues() {
            let before = held.len();
            while held.len() - before < limit {
                let receive = self
                    .client
                    .receive_message()
                    .queue_url(url)
                    .max_number_of_messages(AT_A_TIME)
                    .visibility_timeout(LOOK)
                    .wait_time_seconds(1)
                    .message_system_attribute_names(System::All)
                    .message_attribute_names("All");
                let some = receive.send().await.map_err(unavailable)?.messages.unwrap_or_default();
                if some.is_empty() {
                    break;
                }
                let hold =
                    |message| Held { letter: read(&queue, &message), url: url.into(), message };
                held.extend(some.into_iter().map(hold));
            }
        }
        held.sort_by_key(|held| held.letter.id);
        let more = held.split_off(limit.min(held.len()));
        self.give_back(&more).await;
        Ok(held)
    }

    /// Gives letters back: whoever looks next sees them.
    pub(super) async fn give_back(&self, held: &[Held]) {
        for some in held.chunk_by(|a, b| a.url == b.url).flat_map(|of_one| of_one.chunks(10)) {
            let entry = |(place, held): (usize, &Held)| {
                ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id(place.to_string())
                    .receipt_handle(held.message.receipt_handle.clone().unwrap_or_default())
                    .visibility_timeout(0)
                    .build()
                    .ok()
            };
            let entries = some.iter().enumerate().filter_map(entry).collect();
            let back = self.client.change_message_visibility_batch().set_entries(Some(entries));
            if let Err(error) = back.queue_url(&some[0].url).send().await {
                let error = mano_ports::Error::from(unavailable(error)).chain();
                tracing::warn!(error, "dead letters come back later");
            }
        }
    }

    /// Sends a letter to the queue it came from, and takes it from among the dead.
    pub(super) async fn send_once_more(&self, held: &Held) -> Result<(), Error> {
        let url = self.url(&held.letter.queue)?;
        let message = &held.message;
        let letter = Letter {
            group: &held.letter.group,
            // The same letter again within minutes is one message.
            id: message.message_id.as_deref().unwrap_or_default(),
            body: message.body.as_deref().unwrap_or_default(),
        };
        self.message(url, &letter).send().await.map_err(unavailable)?;
        let receipt = message.receipt_handle.clone().unwrap_or_default();
        let delete = self.client.delete_message().queue_url(&held.url).receipt_handle(receipt);
        delete.send().await.map(drop).map_err(unavailable)
    }
}

fn read(queue: &str, message: &Message) -> DeadLetter {
    let system = |name| message.attributes.as_ref().and_then(|all| all.get(&name)).cloned();
    let own = message.message_attributes.as_ref();
    let reason = own.and_then(|all| all.get(REASON)?.string_value.clone());
    let sent = system(System::SentTimestamp).and_then(|sent| sent.parse().ok()).unwrap_or(0);
    let body = message.body.as_deref().unwrap_or_default();
    DeadLetter {
        id: id(sent, message.message_id.as_deref().unwrap_or_default()),
        queue: queue.to_owned(),
        group: system(System::MessageGroupId).unwrap_or_default(),
        at: i64::try_from(sent)
            .ok()
            .and_then(|sent| Timestamp::from_millisecond(sent).ok())
            .unwrap_or_default(),
        reason: reason.unwrap_or_else(|| "it was received too often without an end".into()),
        body: serde_json::from_str(body).unwrap_or_else(|_| Value::String(body.to_owned())),
    }
}

/// A name for a letter that grows with time: its millisecond, and 20 bits of its own.
fn id(sent: u64, message_id: &str) -> u64 {
    let hash = Sha256::digest(message_id);
    let own = u64::from(u32::from_be_bytes([0, hash[0], hash[1], hash[2]])) >> 4;
    (sent << 20) | own
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_older_letter_has_the_smaller_name() {
        let now = 1_800_000_000_000;
        assert!(id(now, "b") < id(now + 1, "a"));
        assert_ne!(id(now, "a"), id(now, "b"));
        assert_eq!(id(now, "a"), id(now, "a"));
    }

    #[test]
    fn a_letter_that_sqs_laid_aside_by_itself_has_a_reason_too() {
        let letter = read("watch", &Message::builder().message_id("m").body("no JSON").build());
        assert!(letter.reason.contains("too often"), "{}", letter.reason);
        assert_eq!(letter.body, "no JSON");
    }
}
