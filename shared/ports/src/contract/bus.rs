//! The laws of the event bus.

use super::{fresh, store::Heard, tenant};
use crate::bus::Bus;
use mano_model::plan::{Announced, Fact, Key, Kind};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use uuid::Uuid;

/// A fresh bus and somebody who listens to it.
pub struct Fresh {
    /// The bus.
    pub bus: Arc<dyn Bus>,
    /// Who listens.
    pub heard: Box<dyn Heard>,
    /// Whatever must live as long.
    pub keep: Box<dyn std::any::Any + Send>,
}

fn fact(seq: u64, body: Value) -> Announced {
    let mut origin = fresh();
    origin.correlation = Some(format!("asked-{seq}"));
    let about = Key { kind: Kind::Note, tenant: tenant(), id: "a".into() };
    let fact = Fact { name: "contract.published".into(), about, body };
    Announced { id: Uuid::new_v4(), seq, at: origin.at, site: "core".into(), origin, fact }
}

/// Every one of these is heard as it was published: once or more often, in any order.
async fn all_are_heard(fresh: &mut Fresh, facts: &[Announced]) {
    let mut left: Vec<&Announced> = facts.iter().collect();
    let hearing = async {
        while !left.is_empty() {
            for heard in fresh.heard.at_least(1).await {
                assert!(facts.contains(&heard), "nobody published {heard:?}");
                left.retain(|fact| **fact != heard);
            }
        }
    };
    let limit = Duration::from_secs(60);
    tokio::time::timeout(limit, hearing).await.expect("all are heard within a minute");
}

/// What was published is heard, with its id and whom it answers, however much it is at a time.
pub async fn what_was_published_is_heard(mut fresh: Fresh) {
    let facts: Vec<_> = (1..=23).map(|n| fact(n, json!({ "n": n }))).collect();
    fresh.bus.publish(&facts).await.expect("published");
    all_are_heard(&mut fresh, &facts).await;
}

/// Facts as large as facts may be are taken, also many of them together.
pub async fn the_largest_facts_are_taken(mut fresh: Fresh) {
    // Two bytes are the quotes.
    let body = json!("x".repeat(Fact::MAX_BYTES - 2));
    let facts: Vec<_> = (1..=10).map(|n| fact(n, body.clone())).collect();
    fresh.bus.publish(&facts).await.expect("published");
    all_are_heard(&mut fresh, &facts).await;
}

/// To publish nothing is done at once.
pub async fn nothing_can_be_published(mut fresh: Fresh) {
    fresh.bus.publish(&[]).await.expect("nothing");
    let one = [fact(1, json!({}))];
    fresh.bus.publish(&one).await.expect("published");
    all_are_heard(&mut fresh, &one).await;
}

/// Stamps the bus's laws out for one implementation: `$make` makes a [`Fresh`].
#[macro_export]
macro_rules! bus_contract {
    ($make:expr) => {
        $crate::laws!(bus, $make;
            what_was_published_is_heard,
            the_largest_facts_are_taken,
            nothing_can_be_published
        );
    };
}
