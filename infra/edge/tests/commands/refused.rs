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

#[test]
fn a_conflict_leads_to_the_operation_that_has_taken_the_instance_and_else_nowhere() {
    let world = World::with_service();
    for vim in ["east", "west"] {
        world.good(&format!("vim behaviour {vim} --set asynchronousMs=600000"));
    }
    let op = world.good("ns instantiate edge-1 --no-wait");
    let taken = world.bad("ns terminate edge-1", 1);
    assert!(taken.contains(&format!("mano op watch {op}")), "{taken}");
    let twice = world.bad("vim add east", 1);
    assert!(twice.contains("409") && !twice.contains("mano op"), "{twice}");
}
