//! What stories begin with: VIMs, and descriptors that were on-boarded from packages.

use crate::{cloud::given, onboard_ns, onboard_vnf, packed, table, world::World};
use serde_json::Value;
use std::sync::OnceLock;

/// The VNF descriptor of one link, one unit with one storage, and an aspect of three levels.
pub(crate) const SMALL: &str = "small-vnf";
/// A service of one `front` and a `back` after it, each [`SMALL`], on a link of its own.
pub(crate) const PAIR: &str = "pair-ns";

/// A world with one roomy VIM of two zones and both descriptors.
pub(crate) async fn stocked() -> World {
    let mut world = World::new().await;
    stock(&mut world).await;
    world
}

/// Gives a world the same: on-boarded the first time, put back from then on.
async fn stock(world: &mut World) {
    static ROWS: OnceLock<Vec<Value>> = OnceLock::new();
    if let Some(rows) = ROWS.get() {
        return table::fill(&given("MANO_AWS_TABLE"), rows);
    }
    world.add_vim("vim-a", &[("zone-1", 64), ("zone-2", 64)]).await;
    add_descriptors(world).await;
    ROWS.get_or_init(at_rest);
}

/// The table when no fact is due any more.
fn at_rest() -> Vec<Value> {
    let due = |row: &Value| row["pk"]["S"].as_str().unwrap().starts_with("fact#");
    for _ in 0..1000 {
        let rows = table::rows();
        if !rows.iter().any(due) {
            return rows;
        }
    }
    panic!("facts stay due: {:#?}", table::rows().into_iter().find(due));
}

/// On-boards the packages of both descriptors.
pub(crate) async fn add_descriptors(world: &mut World) {
    let shown = onboard_vnf(world, packed(SMALL)).await;
    assert_eq!(shown["onboardingState"], "ONBOARDED", "{shown:#}");
    let shown = onboard_ns(world, packed(PAIR)).await;
    assert_eq!(shown["nsdOnboardingState"], "ONBOARDED", "{shown:#}");
}
