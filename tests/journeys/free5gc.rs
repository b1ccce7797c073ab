//! free5GC's network service with its seven network functions, from its packages to running and
//! back, where the reference data is present.

use super::{archive, deleted, done, onboard_ns, onboard_vnf};
use crate::world::World;
use serde_json::json;
use std::path::Path;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn free5gc_runs_whole() {
    let packages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/packages/free5gc");
    if !packages.is_dir() {
        println!("skipped: reference data is not here: {}", packages.display());
        return;
    }
    let mut world = World::new().await;
    world.add_vim("vim-a", &[("zone-1", 256)]).await;
    let mut vnfs: Vec<_> = std::fs::read_dir(packages.join("vnfpackage"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    vnfs.sort();
    for folder in &vnfs {
        let shown = onboard_vnf(&mut world, archive(folder)).await;
        assert_eq!(shown["onboardingState"], "ONBOARDED", "{}: {shown:#}", folder.display());
    }
    let nsd = onboard_ns(&mut world, archive(&packages.join("ns"))).await;
    assert_eq!(nsd["nsdOnboardingState"], "ONBOARDED", "{nsd:#}");
    let body = json!({ "nsdId": nsd["nsdId"], "nsName": "free5gc", "nsDescription": "5G core" });
    let ns = world.post("/nslcm/v2/ns_instances", body).await.expect(201).id();
    let path = format!("/nslcm/v2/ns_instances/{ns}");
    done(&mut world, &format!("{path}/instantiate"), json!({ "nsFlavourId": "default" })).await;
    let shown = world.get(&path).await;
    assert_eq!(shown["vnfInstance"].as_array().unwrap().len(), vnfs.len(), "{shown:#}");
    assert!(world.on_vims().await.len() >= vnfs.len());
    done(&mut world, &format!("{path}/terminate"), json!({})).await;
    assert_eq!(world.on_vims().await, []);
    deleted(&world, &path).await;
    world.stop().await;
}
