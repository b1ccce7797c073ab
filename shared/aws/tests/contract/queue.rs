//! The queue's laws on SQS, its messages handed to the host as Lambda does.

use crate::world::{Keep, World, soon};
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use mano_aws::lambda::Host;
use mano_ports::{
    contract::{FUNCTION, queue::Fresh, until},
    queue,
};
use serde_json::{Map, Value, json};
use std::{collections::HashSet, sync::Arc, time::Duration};

/// A message as Lambda hands it over.
fn record(message: &Message) -> Value {
    let system = message.attributes.clone().unwrap_or_default();
    let attribute = |name| system.get(&name).cloned().unwrap_or_default();
    let own = message.message_attributes.clone().unwrap_or_default().into_iter();
    let own: Map<_, _> =
        own.map(|(name, value)| (name, json!({ "stringValue": value.string_value }))).collect();
    json!({
        "messageId": message.message_id, "receiptHandle": message.receipt_handle,
        "body": message.body, "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:1:test-contract.fifo",
        "attributes": {
            "ApproximateReceiveCount": attribute(MessageSystemAttributeName::ApproximateReceiveCount),
            "MessageGroupId": attribute(MessageSystemAttributeName::MessageGroupId),
        },
        "messageAttributes": own,
    })
}

/// Receives, hands over, deletes what was handled.
async fn pump(world: &World, host: &Host, url: &str) {
    let receive = world
        .sqs
        .receive_message()
        .queue_url(url)
        .max_number_of_messages(10)
        .wait_time_seconds(1)
        .message_system_attribute_names(MessageSystemAttributeName::All)
        .message_attribute_names("All");
    let messages = receive.send().await.expect("messages").messages.unwrap_or_default();
    if messages.is_empty() {
        return;
    }
    let records: Vec<_> = messages.iter().map(record).collect();
    let told = host.handle(json!({ "Records": records }), soon()).await.expect("handled");
    let stay = told["batchItemFailures"].as_array().cloned().unwrap_or_default();
    let stay: HashSet<_> =
        stay.iter().filter_map(|item| item["itemIdentifier"].as_str()).map(str::to_owned).collect();
    for message in messages {
        if !stay.contains(message.message_id.as_deref().unwrap_or_default()) {
            let receipt = message.receipt_handle.unwrap_or_default();
            let delete = world.sqs.delete_message().queue_url(url).receipt_handle(receipt);
            delete.send().await.expect("deleted");
        }
    }
}

async fn fresh(world: Arc<World>) -> Fresh {
    world.with_table().await;
    let url = world.with_queue("MANO_QUEUE_CONTRACT", "contract.fifo").await;
    world.with_queue("MANO_DEAD_CONTRACT", "contract-dead.fifo").await;
    let around = world.surroundings();
    let (queue, store) = (Arc::clone(&around.cx.queue), Arc::clone(&around.cx.store));
    let host = Host::new(&FUNCTION, around).expect("a host");
    let receiver = Arc::clone(&world);
    world.spawn(async move {
        loop {
            pump(&receiver, &host, &url).await;
        }
    });
    Fresh { queue, store, pass: Box::new(|_| ()), keep: Box::new(Keep(world)) }
}

mano_ports::queue_contract!(fresh(crate::world!()).await);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_looks_at_some_dead_letters_leaves_the_others_to_be_seen() {
    let world = crate::world!();
    world.with_queue("MANO_QUEUE_CONTRACT", "contract.fifo").await;
    let dead = world.with_queue("MANO_DEAD_CONTRACT", "contract-dead.fifo").await;
    for group in ["a", "b", "c"] {
        let letter = world.sqs.send_message().queue_url(&dead).message_body("{}");
        let letter = letter.message_group_id(group).message_deduplication_id(group);
        letter.send().await.expect("sent");
    }
    let queue = world.surroundings().cx.queue;
    assert_eq!(queue.dead_letters(1).await.expect("letters").len(), 1);
    assert_eq!(queue.dead_letters(10).await.expect("letters").len(), 3);
    world.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_can_handle_ends_among_the_dead_with_the_reason() {
    let world = crate::world!();
    world.with_table().await;
    let url = world.with_queue("MANO_QUEUE_CONTRACT", "contract.fifo").await;
    world.with_queue("MANO_DEAD_CONTRACT", "contract-dead.fifo").await;
    let around = world.surroundings();
    let queue = Arc::clone(&around.cx.queue);
    let host = Host::new(&FUNCTION, around).expect("a host");
    let poison = queue::Message {
        queue: "contract",
        group: "g".into(),
        dedup: "poison".into(),
        delay: Duration::ZERO,
        body: json!({ "tenant": "contract", "note": "p", "text": "fail-100" }),
    };
    queue.send(poison).await.expect("sent");
    // As often as it comes: each attempt is handed over without waiting for its pause.
    let receive = world.sqs.receive_message().queue_url(&url).wait_time_seconds(1);
    let receive = receive.message_system_attribute_names(MessageSystemAttributeName::All);
    let got = receive.send().await.expect("messages").messages.unwrap_or_default();
    let mut event = record(&got[0]);
    for attempt in 1..=8 {
        // It was received behind others that failed: that is no try of its own.
        event["attributes"]["ApproximateReceiveCount"] = json!((attempt + 20).to_string());
        let told = host.handle(json!({ "Records": [event.clone()] }), soon()).await;
        let stays = told.expect("handled")["batchItemFailures"].as_array().map(Vec::len);
        assert_eq!(stays, Some(usize::from(attempt < 8)), "attempt {attempt}");
    }
    // Lambda deletes what does not stay.
    let receipt = got[0].receipt_handle.clone().unwrap_or_default();
    let delete = world.sqs.delete_message().queue_url(&url).receipt_handle(receipt);
    delete.send().await.expect("deleted");
    let letters = async || queue.dead_letters(10).await.expect("letters");
    let letter = until("a dead letter", || async { letters().await.pop() }).await;
    assert!(letter.reason.contains("attempt 8 fails, as it was asked to"), "{}", letter.reason);
    assert_eq!((&*letter.queue, &*letter.group), ("contract", "g"));
    assert_eq!(letter.body["text"], "fail-100");
    assert_eq!(letters().await.len(), 1, "who looks takes nothing away");
    queue.redrive(letter.id).await.expect("sent once more");
    queue.redrive(letter.id).await.expect("it was sent already");
    assert!(letters().await.is_empty());
    let again = until("the message once more", || async {
        let receive = world.sqs.receive_message().queue_url(&url).wait_time_seconds(1);
        receive.send().await.expect("messages").messages?.pop()
    })
    .await;
    assert!(again.body.is_some_and(|body| body.contains("fail-100")));
    world.remove().await;
}
