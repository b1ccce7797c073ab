//! Lists: what comes first, what is cut, and what can be asked for.

use super::World;
use serde_json::Value;

/// The ids in a list.
fn ids(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect()
}

#[test]
fn the_newest_operations_come_first_and_what_is_cut_is_said() {
    let world = World::with_service();
    world.good("vnf create edge-router --name r1");
    let mut operations: Vec<String> = ["instantiate", "terminate"]
        .repeat(3)
        .into_iter()
        .map(|task| {
            let op = world.good(&format!("vnf {task} r1 --no-wait"));
            world.good(&format!("op watch {op}"));
            op
        })
        .collect();
    operations.reverse();
    assert_eq!(ids(&world.json("op list --kind vnf")), operations);
    assert_eq!(ids(&world.json("op list --limit 2")), operations[..2]);
    let told = |limit: usize| {
        let output = world.run(&format!("op list --limit {limit}"));
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(told(2).contains("the newest 2; see more with --limit"), "{}", told(2));
    assert_eq!(told(6), "");
    world.good("ns instantiate edge-1");
    let all = world.json("op list --limit 3");
    assert_eq!(all[2]["kind"], "NS", "both kinds together, the service before its functions");
}

#[test]
fn a_state_is_asked_for_in_any_case_and_one_that_is_none_is_refused() {
    let world = World::with_service();
    world.good("vnf create edge-router --name r1");
    world.good("vnf instantiate r1");
    let count = |state: &str| ids(&world.json(&format!("op list --state {state}"))).len();
    assert_eq!((count("COMPLETED"), count("completed"), count("STARTING")), (1, 1, 0));
    let refused = world.bad("op list --state DONE", 2);
    assert!(refused.contains("COMPLETED") && refused.contains("FAILED_TEMP"), "{refused}");
}

#[test]
fn the_filter_that_the_help_of_a_list_gives_is_one_that_the_list_takes() {
    let world = World::with_service();
    world.good("ns instantiate edge-1");
    for (noun, found) in [("package", 2), ("nsd", 1), ("ns", 1), ("vnf", 2)] {
        let help = world.good(&format!("{noun} list --help"));
        let (_, example) = help.split_once("'(").unwrap();
        let filter = format!("({}", example.split('\'').next().unwrap());
        let list = world.json(&format!("{noun} list --filter {filter}"));
        assert_eq!(ids(&list).len(), found, "{noun}: {filter}");
    }
}

#[test]
fn the_resources_of_a_service_say_whose_they_are() {
    let world = World::with_service();
    world.good("ns instantiate edge-1");
    let shown = world.good("ns show edge-1");
    let (_, resources) = shown.split_once("\nVNF ").unwrap();
    for vnf in world.json("vnf list").as_array().unwrap() {
        let name = vnf["vnfInstanceName"].as_str().unwrap();
        let own = resources.lines().filter(|line| line.split(' ').next() == Some(name));
        assert!(own.count() > 1, "{name}: {resources}");
    }
    let vnf = world.json("vnf list")[0]["id"].as_str().unwrap().to_owned();
    assert!(!world.good(&format!("vnf show {vnf}")).contains("\nVNF "));
}
