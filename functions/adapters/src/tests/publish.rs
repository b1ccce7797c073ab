//! What everybody else hears.

use super::*;
use mano_model::plan::{Announced, Fact, Key};

/// A fact about the operation, as a host delivers it.
fn fact(w: &World, name: &str, body: Value) -> Announced {
    let about = Key::of::<VnfOp>(&w.tenant, "op");
    Announced {
        id: Uuid::from_u128(7),
        seq: 1,
        at: Timestamp::UNIX_EPOCH,
        site: "core".into(),
        origin: origin(&w.tenant),
        fact: Fact { name: name.into(), about, body },
    }
}

/// Delivers a fact to every listener that hears it.
async fn deliver(w: &World, fact: &Announced) -> Vec<Result<(), Error>> {
    let mut answers = Vec::new();
    for row in FUNCTION.listeners.iter().filter(|row| row.hears(&fact.fact.name)) {
        answers.push((row.handler)(&w.cx, fact).await);
    }
    answers
}

#[tokio::test]
async fn every_fact_is_published_with_its_identity() {
    let w = World::new().await;
    let mut heard = w.bus.subscribe();
    for name in ["vim.registered", "vnf.instantiate.ended"] {
        deliver(&w, &fact(&w, name, json!({ "op": "op" }))).await;
        let published = heard.try_recv().unwrap();
        assert_eq!((published.fact.name.as_str(), published.id), (name, Uuid::from_u128(7)));
    }
}
