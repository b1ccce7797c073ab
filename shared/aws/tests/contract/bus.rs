//! The bus's law on EventBridge.

use crate::store::ear;
use mano_aws::EventBus;
use mano_model::{
    TenantId,
    plan::{Announced, Fact, Key, Kind, Origin},
};
use mano_ports::{bus::Bus as _, contract::store::Heard as _};
use serde_json::json;
use std::{collections::BTreeSet, sync::Arc};
use uuid::Uuid;

fn fact(n: u64) -> Announced {
    let tenant = TenantId::new("trials");
    let origin = Origin {
        id: Uuid::new_v4(),
        at: jiff::Timestamp::UNIX_EPOCH,
        tenant: tenant.clone(),
        actor: "trials".into(),
        correlation: Some("c".into()),
        causation: None,
        trace: None,
    };
    let about = Key { kind: Kind::Note, tenant, id: "a".into() };
    let fact = Fact { name: "trial.told".into(), about, body: json!({ "n": n }) };
    Announced { id: Uuid::new_v4(), seq: n, at: origin.at, site: "core".into(), origin, fact }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_published_is_delivered_with_its_id() {
    let world = crate::world!();
    let mut ear = ear(&world).await;
    let clock = Arc::new(mano_aws::SystemClock::default());
    let bus = EventBus::new(&world.clients(), &world.settings(), clock);
    // More than the bus takes at a time.
    let facts: Vec<_> = (1..=23).map(fact).collect();
    bus.publish(&facts).await.expect("published");
    let ids = |facts: &[Announced]| facts.iter().map(|fact| fact.id).collect::<BTreeSet<_>>();
    let mut heard = Vec::new();
    while ids(&heard) != ids(&facts) {
        heard.extend(ear.at_least(1).await);
    }
    assert!(facts.iter().all(|fact| heard.contains(fact)));
    world.remove().await;
}
