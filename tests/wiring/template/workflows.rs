//! The state machines and functions that are deployed, against the workflows and the embedded mode.

use super::{FUNCTIONS, alias, logical, resources, template};
use crate::wiring::{states, workflows};
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[test]
fn every_state_machine_is_a_workflow_and_every_workflow_a_state_machine() {
    let mut deployed = BTreeSet::new();
    for (name, machine) in resources(&template(), "AWS::Serverless::StateMachine") {
        let uri = machine["Properties"]["DefinitionUri"].as_str().unwrap();
        let file = uri.strip_prefix("../../workflows/").unwrap();
        let workflow = file.strip_suffix(".asl.json").unwrap().to_owned();
        assert_eq!(name, logical(&workflow));
        let called = json!({ "Fn::Sub": format!("${{AWS::StackName}}_{workflow}") });
        assert_eq!(machine["Properties"]["Name"], called);
        let filled = machine["Properties"]["DefinitionSubstitutions"].as_object().unwrap();
        for (placeholder, target) in filled {
            assert_eq!(&alias(target), placeholder, "{workflow}");
        }
        let filled: BTreeSet<String> = filled.keys().map(|key| format!("${{{key}}}")).collect();
        let mut named = BTreeSet::new();
        states(&workflows()[&workflow], &mut |_, state| {
            named.extend(state["Arguments"]["FunctionName"].as_str().map(str::to_owned));
        });
        assert_eq!(filled, named, "{workflow}: what is filled in, and what stands there");
        deployed.insert(workflow);
    }
    assert_eq!(deployed, workflows().into_keys().collect());
}

#[test]
fn the_embedded_mode_serves_what_the_template_deploys() {
    let template = template();
    let code = |resource: &Value| {
        let uri = resource["Properties"]["CodeUri"].as_str().unwrap();
        uri.strip_prefix("../../target/lambda/mano-").unwrap().trim_end_matches('/').to_owned()
    };
    let functions = resources(&template, "AWS::Serverless::Function");
    let mut deployed: BTreeSet<String> = functions.values().map(code).collect();
    // The relay has no table of its own: it calls the listeners of the others.
    assert!(deployed.remove("relay"));
    let embedded = mano_edge::serve::wiring::FUNCTIONS.iter();
    let embedded: BTreeSet<String> = embedded.map(|function| function.name.to_owned()).collect();
    assert_eq!(deployed, embedded);
    let tables: BTreeSet<String> = FUNCTIONS.iter().map(|f| f.name.to_owned()).collect();
    assert_eq!(deployed, tables);
    let machines = resources(&template, "AWS::Serverless::StateMachine").into_keys().collect();
    let served = mano_edge::serve::wiring::workflows();
    let served: BTreeSet<String> = served.map(|(name, _)| logical(&name)).collect();
    assert_eq!(served, machines);
}
