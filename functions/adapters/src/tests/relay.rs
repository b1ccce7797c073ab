//! What facts lead to.

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
async fn an_accepted_operation_starts_its_run_with_what_its_fact_says() {
    let w = World::new().await;
    let op = w.cx.store.read::<VnfOp>(&w.tenant, "op").await.unwrap();
    let body = op.start(&w.tenant);
    let answers = deliver(&w, &fact(&w, &op.fact("started"), body)).await;
    assert!(answers.iter().all(Result::is_ok));
    let started = std::mem::take(&mut *w.told.started.lock().unwrap());
    let input = json!({ "tenant": "default", "op": "op", "run": 0, "mode": "FORWARD" });
    assert_eq!(started, [("vnf-instantiate".into(), "op-0".into(), input)]);
}

#[tokio::test]
async fn a_fact_that_starts_nothing_starts_nothing_and_one_that_is_broken_says_so() {
    let w = World::new().await;
    let nothing = deliver(&w, &fact(&w, "vnf.something.started", json!({ "op": "op" }))).await;
    assert!(nothing.iter().all(Result::is_ok));
    assert_eq!(w.told.started.lock().unwrap().len(), 0);
    let broken = fact(&w, "vnf.something.started", json!({ "workflow": "vnf-instantiate" }));
    let broken = deliver(&w, &broken).await;
    assert!(matches!(&broken[..], [Err(Error::Bug(why)), Ok(())] if why.contains("run")));
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
