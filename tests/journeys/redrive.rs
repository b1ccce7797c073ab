//! Operations whose runs are gone go on from what the store says.

use crate::world::{
    World,
    stock::{PAIR, stocked},
};
use mano_model::{
    catalog::usage::{Descriptor, Usage},
    descriptor::{Nsd, Vnfd},
    ns::{
        NsInstance,
        op::{NsOp, Operation},
        task::{Facts, accept},
    },
};
use mano_ports::http::Principal;
use serde_json::{Value, json};
use std::collections::BTreeMap;

async fn redriven(world: &World) -> Value {
    world.post("/mano/v1/operations/redrive", json!({})).await.expect(200).body
}

/// An operation that was accepted, and of which no engine ever heard.
async fn unheard(world: &World) -> String {
    let body = json!({ "nsdId": PAIR, "nsName": "pair", "nsDescription": "" });
    let ns = world.post("/nslcm/v2/ns_instances", body).await.expect(201).id();
    let (cx, tenant) = (world.host.cx(), World::tenant());
    let instance = cx.store.read::<NsInstance>(&tenant, &ns).await.unwrap();
    let nsd = cx.store.read::<Nsd>(&tenant, PAIR).await.unwrap();
    let vnfds = cx.store.read::<Vnfd>(&tenant, crate::world::stock::SMALL).await.unwrap().value;
    let vnfds = BTreeMap::from([(vnfds.vnfd_id.clone(), vnfds)]);
    let usage = Usage::none(Descriptor::Vnfd, crate::world::stock::SMALL, "small-pkg");
    let usages = BTreeMap::from([(usage.descriptor_id.clone(), usage)]);
    let facts = Facts { instance: &instance, nsd: &nsd, vnfds: &vnfds, usages: &usages };
    let origin = cx.asked(&Principal { tenant, name: "test".into() }, None);
    let op = cx.ids.fresh().to_string();
    let params = json!({ "nsFlavourId": "standard" });
    let mut plan = accept(origin, &facts, op.clone(), Operation::Instantiate, params).unwrap();
    plan.facts.clear();
    cx.store.commit(plan).await.unwrap();
    op
}

/// A run of this name that ends: without an operation in its input, nobody hears of that.
async fn of_nobody(world: &World, run: &str) {
    let workflows = &world.host.cx().workflows;
    let input = json!({ "tenant": "default" });
    assert_eq!(workflows.start("ns-instantiate", run, input).await.unwrap(), None);
    for _ in 0..1000 {
        if workflows.describe("ns-instantiate", run).await.unwrap().is_over() {
            return;
        }
        tokio::task::yield_now().await;
        world.clock.advance(std::time::Duration::from_secs(1));
    }
    panic!("{run} does not end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operation_whose_run_is_gone_goes_on() {
    let mut world = stocked().await;
    assert_eq!(
        redriven(&world).await,
        json!({ "started": [], "closed": [], "running": 0, "next": null })
    );
    let op = unheard(&world).await;
    assert_eq!(world.state(&op).await.as_deref(), Some("PROCESSING"));
    // What lies before where a look goes on was looked at.
    for after in [format!("ns-op/PROCESSING:{op}"), "vnf-op/PROCESSING:".into()] {
        let path = format!("/mano/v1/operations/redrive?after={after}");
        assert_eq!(world.post(&path, json!({})).await.expect(200).body["started"], json!([]));
    }
    let nowhere = world.post("/mano/v1/operations/redrive?after=nowhere", json!({})).await;
    assert!(nowhere.expect(400).body["detail"].to_string().contains("'nowhere'"));
    let told = redriven(&world).await;
    assert_eq!(told["started"], json!([format!("{op}-0")]));
    assert_eq!(world.rests(&op).await, "COMPLETED", "{:#}", world.tree(&op).await);
    assert_eq!(redriven(&world).await["started"], json!([]));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_ended_unheard_lets_its_operation_rest() {
    let mut world = stocked().await;
    let op = unheard(&world).await;
    of_nobody(&world, &format!("{op}-0")).await;
    let told = redriven(&world).await;
    assert_eq!(told["closed"], json!([format!("{op}-0")]), "{told}");
    let shown = world.get(&format!("/nslcm/v2/ns_lcm_op_occs/{op}")).await;
    assert_eq!(shown["operationState"], "FAILED_TEMP", "{shown:#}");
    world.handle(&op, "ns", "retry").await.expect(202);
    assert_eq!(world.rests(&op).await, "COMPLETED");
    let found = world.host.cx().store.read::<NsOp>(&World::tenant(), &op).await.unwrap();
    assert_eq!(found.run, 1);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_whose_name_is_used_up_lets_its_operation_rest() {
    let mut world = stocked().await;
    let op = unheard(&world).await;
    for run in 0..=1 {
        of_nobody(&world, &format!("{op}-{run}")).await;
    }
    redriven(&world).await;
    // The second run was there before the records were restored, as far as the engine knows.
    world.handle(&op, "ns", "retry").await.expect(202);
    assert_eq!(world.rests(&op).await, "FAILED_TEMP");
    world.handle(&op, "ns", "retry").await.expect(202);
    assert_eq!(world.rests(&op).await, "COMPLETED");
    world.stop().await;
}
