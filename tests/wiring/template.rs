//! What the SAM template deploys, against the tables, the workflows and the embedded mode.

mod api;
mod events;
mod queues;
mod rights;
mod storage;
mod workflows;

use super::FUNCTIONS;
use crate::golden;
use mano_ports::function::Function;
use serde_json::Value;
use std::collections::BTreeMap;

/// The template; intrinsic functions stand in their long form.
fn template() -> Value {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/sam/template.yaml");
    serde_saphyr::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// The resources of a type, by logical name.
fn resources(template: &Value, kind: &str) -> BTreeMap<String, Value> {
    let all = template["Resources"].as_object().unwrap();
    let of_kind = all.iter().filter(|(_, resource)| resource["Type"] == kind);
    of_kind.map(|(name, resource)| (name.clone(), resource.clone())).collect()
}

/// The table of the function that is deployed under a logical name.
fn table(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| logical(function.name) == name).copied()
}

/// `service-management` is the resource `ServiceManagement`.
fn logical(name: &str) -> String {
    let words = name.split('-').map(|word| word[..1].to_uppercase() + &word[1..]);
    words.collect()
}

/// The function whose alias something refers to.
fn alias(target: &Value) -> String {
    let name = target["Ref"].as_str().unwrap_or_else(|| panic!("{target} is no alias"));
    name.strip_suffix("Live").unwrap_or_else(|| panic!("{name} is no alias")).to_owned()
}

#[test]
fn what_no_emulator_makes_is_known() {
    let template = template();
    let mut only_on_aws: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, resource) in template["Resources"].as_object().unwrap() {
        if let Some("OnAws" | "HasSenders") = resource["Condition"].as_str() {
            only_on_aws.entry(resource["Type"].as_str().unwrap()).or_default().push(name);
        }
    }
    let mut told = String::from(
        "Not created on an emulator (condition OnAws), so not run without an account:\n",
    );
    for (kind, names) in only_on_aws {
        told.push_str(&format!("{kind}: {}\n", names.join(", ")));
    }
    golden::agrees("tests/golden/only-on-aws.txt", &told);
}
