//! A network service from its packages to running, larger, hurt, healed, failed, rolled back, gone.

use super::{deleted, done, example, onboard_ns, onboard_vnf};
use crate::world::{
    World,
    stock::{PAIR, stocked},
};
use http::Method;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_lives_its_whole_life() {
    let mut world = World::new().await;
    world.add_vim("vim-a", &[("zone-1", 64), ("zone-2", 64)]).await;
    world.add_vim("vim-b", &[("zone-1", 64), ("zone-2", 64)]).await;
    let packages = on_boarded(&mut world).await;
    let ns = created(&world, &packages.2).await;
    let path = format!("/nslcm/v2/ns_instances/{ns}");
    done(&mut world, &format!("{path}/instantiate"), json!({ "nsFlavourId": "standard" })).await;
    let small = world.on_vims().await.len();
    let shown = world.get(&path).await;
    assert_eq!(shown["nsState"], "INSTANTIATED");
    assert_eq!(shown["vnfInstance"].as_array().unwrap().len(), 2);
    at_level(&world, &ns, "0").await;
    in_use(&world, &packages).await;

    done(&mut world, &format!("{path}/scale"), scale("SCALE_OUT")).await;
    assert!(world.on_vims().await.len() > small);
    at_level(&world, &ns, "1").await;
    done(&mut world, &format!("{path}/scale"), scale("SCALE_IN")).await;
    assert_eq!(world.on_vims().await.len(), small);

    lose_one(&world).await;
    assert_eq!(world.on_vims().await.len(), small - 1);
    let heal = json!({ "healNsData": { "degreeHealing": "HEAL_RESTORE" } });
    done(&mut world, &format!("{path}/heal"), heal).await;
    assert_eq!(world.on_vims().await.len(), small);

    failed_and_rolled_back(&mut world, &path, small).await;

    done(&mut world, &format!("{path}/terminate"), json!({})).await;
    assert_eq!(world.on_vims().await, []);
    deleted(&world, &path).await;
    gone(&world, &packages).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operation_lists_the_links_of_the_service_that_it_made_and_removed() {
    let mut world = stocked().await;
    let ns = created(&world, PAIR).await;
    let flavour = json!({ "nsFlavourId": "standard" });
    for (task, params, change) in
        [("instantiate", flavour, "ADD"), ("terminate", json!({}), "DELETE")]
    {
        done(&mut world, &format!("/nslcm/v2/ns_instances/{ns}/{task}"), params).await;
        let verb = task.to_uppercase();
        let filter = format!("filter=(eq,lcmOperationType,{verb})&all_fields");
        let ops = world.get(&format!("/nslcm/v2/ns_lcm_op_occs?{filter}")).await;
        let link = json!({
            "nsVirtualLinkInstanceId": "lan", "nsVirtualLinkDescId": "lan", "vlProfileId": "lan",
            "changeType": change, "changeResult": "COMPLETED",
        });
        assert_eq!(ops[0]["resourceChanges"]["affectedVls"], json!([link]), "{ops:#}");
        let filter = format!("filter=(eq,resourceChanges/affectedVls/changeType,{change})");
        let found = world.get(&format!("/nslcm/v2/ns_lcm_op_occs?{filter}")).await;
        assert_eq!(found.as_array().unwrap().len(), 1);
    }
    world.stop().await;
}

/// The two VNF packages and the NS descriptor: their information ids, and the `nsdId`.
pub(super) async fn on_boarded(world: &mut World) -> ([String; 2], String, String) {
    let mut ids = Vec::new();
    for name in ["edge-router", "edge-cache"] {
        let shown = onboard_vnf(world, example(name)).await;
        assert_eq!(shown["onboardingState"], "ONBOARDED", "{shown:#}");
        assert_eq!(shown["usageState"], "NOT_IN_USE");
        ids.push(shown["id"].as_str().unwrap().to_owned());
    }
    let shown = onboard_ns(world, example("edge-service")).await;
    assert_eq!(shown["nsdOnboardingState"], "ONBOARDED", "{shown:#}");
    let text = |name: &str| shown[name].as_str().unwrap().to_owned();
    ([ids.remove(0), ids.remove(0)], text("id"), text("nsdId"))
}

pub(super) async fn created(world: &World, nsd: &str) -> String {
    let body = json!({ "nsdId": nsd, "nsName": "edge", "nsDescription": "a story" });
    world.post("/nslcm/v2/ns_instances", body).await.expect(201).id()
}

/// What is used can neither be deleted nor, while enabled, be taken away.
async fn in_use(world: &World, packages: &([String; 2], String, String)) {
    let path = format!("/vnfpkgm/v2/vnf_packages/{}", packages.0[0]);
    assert_eq!(world.get(&path).await["usageState"], "IN_USE");
    world.ask(Method::DELETE, &path, None).await.expect(409);
    let path = format!("/nsd/v2/ns_descriptors/{}", packages.1);
    assert_eq!(world.get(&path).await["nsdUsageState"], "IN_USE");
    world.ask(Method::DELETE, &path, None).await.expect(409);
}

pub(super) fn scale(direction: &str) -> Value {
    let steps = json!({ "scalingDirection": direction, "aspectId": "caching" });
    json!({ "scaleType": "SCALE_NS", "scaleNsData": { "scaleNsByStepsData": steps } })
}

/// The level of the service's one aspect is a text, as it is in the standard, also in a filter.
async fn at_level(world: &World, ns: &str, level: &str) {
    let shown = world.get(&format!("/nslcm/v2/ns_instances/{ns}")).await;
    let status = json!([{ "nsScalingAspectId": "caching", "nsScaleLevelId": level }]);
    assert_eq!(shown["nsScaleStatus"], status);
    let filter = format!("filter=(eq,nsScaleStatus/nsScaleLevelId,{level})");
    let found = world.get(&format!("/nslcm/v2/ns_instances?{filter}")).await;
    assert_eq!(found[0]["id"], ns, "{found:#}");
}

/// One VIM loses a machine by itself.
async fn lose_one(world: &World) {
    for vim in ["vim-a", "vim-b"] {
        let path = format!("/mano/v1/vims/{vim}/resources");
        let held = world.get(&path).await;
        let machine = held.as_array().unwrap().iter().find(|r| r["kind"] == "COMPUTE");
        if let Some(machine) = machine {
            let path = format!("{path}/{}", machine["resourceId"].as_str().unwrap());
            deleted(world, &path).await;
            return;
        }
    }
    panic!("no VIM has a machine");
}

/// No VIM makes another machine: scaling out fails, and is rolled back.
async fn failed_and_rolled_back(world: &mut World, path: &str, before: usize) {
    for vim in ["vim-a", "vim-b"] {
        let refuse = json!({ "refuse": [{ "kind": "COMPUTE" }] });
        let path = format!("/mano/v1/vims/{vim}/behaviour");
        world.ask(Method::PUT, &path, Some(refuse)).await.expect(200);
    }
    let op = world.post(&format!("{path}/scale"), scale("SCALE_OUT")).await.expect(202).id();
    assert_eq!(world.rests(&op).await, "FAILED_TEMP", "{:#}", world.tree(&op).await);
    let shown = world.get(&format!("/nslcm/v2/ns_lcm_op_occs/{op}")).await;
    let detail = shown["error"]["detail"].as_str().unwrap();
    assert!(detail.contains("cache"), "{detail}");
    world.handle(&op, "ns", "rollback").await.expect(202);
    assert_eq!(world.rests(&op).await, "ROLLED_BACK", "{:#}", world.tree(&op).await);
    assert_eq!(world.on_vims().await.len(), before);
}

/// Packages that nobody uses are disabled and deleted.
pub(super) async fn gone(world: &World, packages: &([String; 2], String, String)) {
    let disabled = json!({ "nsdOperationalState": "DISABLED" });
    let path = format!("/nsd/v2/ns_descriptors/{}", packages.1);
    world.ask(Method::PATCH, &path, Some(disabled)).await.expect(200);
    deleted(world, &path).await;
    for id in &packages.0 {
        let path = format!("/vnfpkgm/v2/vnf_packages/{id}");
        world.ask(Method::DELETE, &path, None).await.expect(409);
        let disabled = json!({ "operationalState": "DISABLED" });
        world.ask(Method::PATCH, &path, Some(disabled)).await.expect(200);
        deleted(world, &path).await;
    }
}
