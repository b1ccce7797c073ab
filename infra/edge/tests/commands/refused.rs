//! What is refused says why, and leads on only where there is a way on.

use super::{World, example};

#[test]
fn an_archive_of_the_other_kind_is_not_fit_for_on_boarding() {
    let world = World::alone();
    let path = |name: &str| example(name).display().to_string();
    let (router, service) = (path("edge-router"), path("edge-service"));
    for (noun, wrong, right) in [("package", &service, &router), ("nsd", &router, &service)] {
        let told = world.bad_result(&format!("{noun} check {wrong}"));
        assert!(told.contains("[A18]") && !told.contains("fit for on-boarding"), "{told}");
        assert!(world.good(&format!("{noun} check {right}")).contains("fit for on-boarding"));
    }
}
