//! Lists of entries: filters, selectors, pages.

use crate::world::{PACKAGES, World};
use http::{StatusCode, header};
use mano_model::{
    catalog::usage::{self, Descriptor},
    plan::Plan,
};
use mano_ports::http::Principal;
use serde_json::{Value, json};

fn ids(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|entry| entry["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn lists_are_filtered_by_what_is_stored_elsewhere_too() {
    let mut world = World::new().await;
    let used = world.package("v1").await;
    let unused = world.package("v2").await;
    let principal = Principal { tenant: mano_model::TenantId::default(), name: "test".into() };
    let plan = Plan::new(world.host.cx().asked(&principal, None));
    let plan = usage::take(plan, Descriptor::Vnfd, "v1", 1);
    world.host.cx().store.commit(plan).await.unwrap();
    let of = async |filter: &str| world.get(&format!("{PACKAGES}?filter={filter}")).await.json();
    let id = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    assert_eq!(ids(&of("(eq,usageState,IN_USE)").await), [id(&used)]);
    assert_eq!(ids(&of("(eq,vnfdId,v2)").await), [id(&unused)]);
    assert_eq!(ids(&of("(eq,vnfdId,v3)").await), Vec::<&str>::new());
    let wrong = world.get(&format!("{PACKAGES}?filter=(eq,colour,red)")).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn lists_leave_out_what_is_large_unless_asked() {
    let mut world = World::new().await;
    world.package("v1").await;
    let brief = world.get(PACKAGES).await.json();
    assert_eq!(brief[0].get("additionalArtifacts"), None);
    assert_eq!(brief[0]["vnfdId"], "v1");
    let full = world.get(&format!("{PACKAGES}?all_fields")).await.json();
    assert_eq!(full[0]["additionalArtifacts"][0]["artifactPath"], "Files/Scripts/install.sh");
    let some = world.get(&format!("{PACKAGES}?fields=checksum")).await.json();
    assert!(some[0]["checksum"].is_object());
}

#[tokio::test]
async fn pages_lead_to_every_entry_once() {
    let world = World::new().await;
    let mut made = Vec::new();
    for _ in 0..105 {
        let path = world.create(PACKAGES, json!({})).await;
        made.push(path.rsplit('/').next().unwrap().to_owned());
    }
    made.sort();
    let (mut found, mut next) = (Vec::new(), Some(PACKAGES.to_owned()));
    while let Some(page) = next.take() {
        let answer = world.get(&page).await;
        found.extend(ids(&answer.json()).into_iter().map(str::to_owned));
        let link = answer.header(header::LINK);
        next = link.split_once('>').map(|(uri, _)| uri["<http://mano".len()..].to_owned());
    }
    assert_eq!(found, made);
}
