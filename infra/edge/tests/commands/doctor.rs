//! `mano doctor`: it goes on where something is wrong, and what was left is found.

use super::{World, told};

#[test]
fn a_folder_that_is_damaged_is_told_also_where_no_server_answers() {
    let mut world = World::with_service();
    world.runtime.block_on(world.running.take().unwrap().stop()).unwrap();
    let whole = told(&world.run("doctor --data data"));
    assert!(whole.contains("- nothing answers at") && whole.contains("one finding"), "{whole}");
    let records = world.room.path().join("data/mano.db");
    let mut bytes = std::fs::read(&records).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..].fill(0x5a);
    std::fs::write(&records, bytes).unwrap();
    let output = world.run("doctor --data data");
    let damaged = told(&output);
    assert_eq!(output.status.code(), Some(1), "{damaged}");
    assert!(damaged.contains("- nothing answers at") && damaged.contains("mano.db"), "{damaged}");
    assert!(damaged.contains("2 findings"), "{damaged}");
}

#[test]
fn what_a_given_up_operation_left_is_found_until_it_is_released() {
    let world = World::with_service();
    world.good("vnf create edge-router --name r1");
    for vim in ["east", "west"] {
        world.good(&format!(r#"vim behaviour {vim} --set refuse=[{{"kind":"COMPUTE"}}]"#));
    }
    world.good("doctor");
    for task in ["ns instantiate edge-1", "vnf instantiate r1"] {
        world.bad(task, 1);
    }
    let waiting = world.run("doctor");
    assert!(!told(&waiting).contains("release"), "a decision comes first: {}", told(&waiting));
    // Who gives a service's operation up gives up those of its functions.
    while let Some(op) = world.json("op list --state FAILED_TEMP").get(0) {
        world.good(&format!("op fail {}", op["id"].as_str().unwrap()));
    }
    let ns = world.json("ns list")[0]["id"].as_str().unwrap().to_owned();
    let vnf = world.json("vnf show r1")["id"].as_str().unwrap().to_owned();
    let (ns, vnf) = (format!("mano ns release {ns}"), format!("mano vnf release {vnf}"));
    let findings = world.bad_result("doctor");
    assert!(findings.contains(&ns) && findings.contains(&vnf), "{findings}");
    assert_eq!(findings.lines().count(), 2, "a function is told with its service: {findings}");
    for command in [ns, vnf] {
        world.good(command.trim_start_matches("mano "));
    }
    world.good("doctor");
}
