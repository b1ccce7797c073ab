//! The laws of the queue, on a host that serves [`FUNCTION`](super::FUNCTION).

use super::{Memory, Note, function::message, tenant, until};
use crate::{queue::Queue, store::Store};
use std::{sync::Arc, time::Duration};

/// A fresh queue, and the store its consumer writes to.
pub struct Fresh {
    /// The queue.
    pub queue: Arc<dyn Queue>,
    /// Where the consumer writes what it handled.
    pub store: Arc<dyn Store>,
    /// Lets time pass, where the test holds the clock.
    pub pass: Box<dyn Fn(Duration) + Send + Sync>,
    /// Whatever must live as long.
    pub keep: Box<dyn std::any::Any + Send>,
}

async fn lines(store: &Memory, id: &str) -> Vec<String> {
    let note = store.find::<Note>(&tenant(), id).await.expect("read");
    note.map(|note| note.text.lines().map(Into::into).collect()).unwrap_or_default()
}

/// The note's lines, once there are `n`.
async fn handled(fresh: &Fresh, id: &str, n: usize) -> Vec<String> {
    let store = &*fresh.store;
    until(id, move || async move {
        let lines = lines(store, id).await;
        (lines.len() >= n).then_some(lines)
    })
    .await
}

/// As [`handled`], while time passes.
async fn handled_in_time(fresh: &Fresh, id: &str, n: usize) -> Vec<String> {
    let (store, pass) = (&*fresh.store, &fresh.pass);
    until(id, move || async move {
        pass(Duration::from_secs(60));
        let lines = lines(store, id).await;
        (lines.len() >= n).then_some(lines)
    })
    .await
}

/// What was sent is handled; messages of one group one after the other, in order.
pub async fn messages_of_a_group_are_handled_in_order(fresh: Fresh) {
    for n in 0..20 {
        let sent = message("order", "one", &n.to_string(), Duration::ZERO);
        fresh.queue.send(sent).await.expect("send");
    }
    let expected: Vec<String> = (0..20).map(|n| n.to_string()).collect();
    assert_eq!(handled(&fresh, "order", 20).await, expected);
}

/// The same id within five minutes is one message.
pub async fn the_same_id_is_one_message(fresh: Fresh) {
    for text in ["a", "a", "b"] {
        fresh.queue.send(message("once", "g", text, Duration::ZERO)).await.expect("send");
    }
    assert_eq!(handled(&fresh, "once", 2).await, ["a", "b"]);
}

/// A message is not handled before its delay.
pub async fn a_message_waits_for_its_delay(fresh: Fresh) {
    let (later, now) = (Duration::from_secs(30), Duration::ZERO);
    fresh.queue.send(message("delay", "slow", "later", later)).await.expect("send");
    fresh.queue.send(message("delay", "fast", "now", now)).await.expect("send");
    assert_eq!(handled(&fresh, "delay", 1).await, ["now"]);
    assert_eq!(handled_in_time(&fresh, "delay", 2).await, ["now", "later"]);
}

/// A message whose handling failed comes again, before its group goes on.
pub async fn a_message_that_failed_comes_again(fresh: Fresh) {
    for text in ["fail-2", "next"] {
        fresh.queue.send(message("again", "g", text, Duration::ZERO)).await.expect("send");
    }
    let lines = handled_in_time(&fresh, "again", 4).await;
    assert_eq!(lines, ["fail-2", "fail-2", "fail-2", "next"]);
}

/// Stamps the queue's laws out for one implementation: `$make` makes a [`Fresh`].
#[macro_export]
macro_rules! queue_contract {
    ($make:expr) => {
        $crate::laws!(queue, $make;
            messages_of_a_group_are_handled_in_order,
            the_same_id_is_one_message,
            a_message_waits_for_its_delay,
            a_message_that_failed_comes_again
        );
    };
}
