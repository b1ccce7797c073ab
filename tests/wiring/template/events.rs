//! The rules of the buses and the schemas, against the rows that take and send events.

use super::{FUNCTIONS, alias, logical, resources, table, template};
use crate::{golden, schema};
use mano_model::{ns, request::PREFIX, vnf};
use mano_ports::function::OnEvent;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// One choice of an event pattern.
fn matches(choice: &Value, text: &str) -> bool {
    if let Some(exact) = choice.as_str() {
        return exact == text;
    }
    let part = |name: &str| choice[name].as_str();
    match (part("prefix"), part("suffix"), choice["anything-but"].as_array()) {
        (Some(prefix), ..) => text.starts_with(prefix),
        (_, Some(suffix), _) => text.ends_with(suffix),
        (_, _, Some(others)) => !others.contains(&json!(text)),
        _ => panic!("{choice} is not known"),
    }
}

fn chosen(pattern: &Value, name: &str, text: &str) -> bool {
    pattern[name].as_array().unwrap().iter().any(|choice| matches(choice, text))
}

/// An event's source and detail-type that a row is for.
fn example(row: &OnEvent) -> (String, String) {
    let source = if row.source == "*" { "oss" } else { row.source };
    (source.to_owned(), row.detail_type.replace('*', "heal"))
}

#[test]
fn every_rule_brings_events_to_a_row_and_every_row_has_its_rule() {
    let rules = resources(&template(), "AWS::Events::Rule");
    let mut brought = BTreeSet::new();
    for (name, rule) in &rules {
        let pattern = &rule["Properties"]["EventPattern"];
        for target in rule["Properties"]["Targets"].as_array().unwrap() {
            let live = target["Arn"]["Ref"].as_str().is_some_and(|arn| arn.ends_with("Live"));
            if !live || pattern.is_null() {
                continue;
            }
            let to = alias(&target["Arn"]);
            let rows = table(&to).unwrap().requests.iter().map(example);
            let found: Vec<_> = rows
                .filter(|(source, kind)| {
                    chosen(pattern, "source", source) && chosen(pattern, "detail-type", kind)
                })
                .collect();
            assert!(!found.is_empty(), "rule {name} brings {to} what no row of it takes");
            brought.extend(found.into_iter().map(|(source, kind)| (to.clone(), source, kind)));
        }
    }
    let rows = FUNCTIONS.iter().flat_map(|function| {
        let rows = function.requests.iter().map(example);
        rows.map(|(source, kind)| (logical(function.name), source, kind))
    });
    assert_eq!(brought, rows.collect());
    // The clock's event is the relay's, which sweeps.
    let clock = &rules["EachMinute"]["Properties"];
    assert_eq!(clock["ScheduleExpression"], "rate(1 minute)");
    assert_eq!(alias(&clock["Targets"][0]["Arn"]), "Relay");
}

#[test]
fn content_that_comes_by_an_address_is_heard_of_and_within_the_rights_that_sign_it() {
    let template = template();
    let heard = format!("blobs/{}", mano_catalog::UPLOADS);
    let rule = &template["Resources"]["ContentArrived"]["Properties"]["EventPattern"]["detail"];
    assert_eq!(rule["object"]["key"], json!([{ "prefix": heard }]));
    assert_eq!(rule["bucket"]["name"], json!([{ "Ref": "Bucket" }]));
    let bucket = &template["Resources"]["Bucket"]["Properties"];
    let told = &bucket["NotificationConfiguration"]["EventBridgeConfiguration"];
    assert_eq!(told["EventBridgeEnabled"], true);
    // Nobody else can sign for it, or put it.
    let may_put = template["Resources"].as_object().unwrap().iter().filter(|(_, resource)| {
        let inline =
            resource["Properties"]["Policies"][0]["PolicyDocument"]["Statement"].as_array();
        let managed = resource["Properties"]["PolicyDocument"]["Statement"].as_array();
        inline.into_iter().chain(managed).flatten().any(|statement| {
            let put = statement["Action"].to_string().contains("s3:PutObject");
            put && statement["Resource"].to_string().contains(&heard)
        })
    });
    let may_put: Vec<_> = may_put.map(|(name, _)| name.as_str()).collect();
    assert_eq!(may_put, ["CatalogRole"]);
}

#[test]
fn every_rules_event_has_a_schema_and_a_producer() {
    let described: Vec<String> = schema::by_detail_type().into_keys().collect();
    for (name, rule) in resources(&template(), "AWS::Events::Rule") {
        let pattern = &rule["Properties"]["EventPattern"];
        let Some(sources) = pattern["source"].as_array() else { continue };
        let ours = chosen(pattern, "source", "mano");
        let theirs = chosen(pattern, "source", "oss");
        if !ours && !theirs {
            // AWS's own events, described by AWS.
            assert!(sources.iter().all(|s| s.as_str().unwrap().starts_with("aws.")), "{name}");
            assert!(rule["Properties"]["EventBusName"].is_null(), "{name} listens elsewhere");
            continue;
        }
        assert_eq!(rule["Properties"]["EventBusName"], json!({ "Ref": "Bus" }), "{name}");
        // What we send is produced and checked by the journeys; what we take, by their senders.
        for choice in pattern["detail-type"].as_array().unwrap() {
            let of_request = |event: &String| event.starts_with("mano.request.");
            let found = described.iter().filter(|event| matches(choice, event));
            let found: Vec<_> = found.filter(|event| of_request(event) == theirs).collect();
            assert!(!found.is_empty(), "{name}: nothing described is {choice}");
        }
    }
}

#[test]
fn every_verb_that_is_taken_over_the_bus_has_a_schema() {
    let names = schema::by_detail_type().into_keys();
    let requests: BTreeSet<String> = names.filter(|n| n.starts_with("mano.request.")).collect();
    let of_ns = ns::op::Operation::ALL.iter().map(|operation| operation.verb());
    let of_vnf = vnf::op::Operation::ALL.iter().map(|operation| operation.verb());
    let taken = of_ns.chain(of_vnf).chain(["create"]);
    assert_eq!(requests, taken.map(|verb| format!("{PREFIX}{verb}")).collect());
}

#[test]
fn the_schema_registry_has_the_schemas() {
    let mut registered = Map::new();
    let registry = json!({
        "Type": "AWS::EventSchemas::Registry",
        "Properties": { "RegistryName": { "Ref": "Registry" }, "Description": "docs/events" },
    });
    registered.insert("Events".into(), registry);
    for (name, schema) in schema::by_detail_type() {
        let source = if name.starts_with("mano.request.") { "oss" } else { "mano" };
        let id: String = name.split(['.', '-']).map(logical).collect();
        let resource = json!({
            "Type": "AWS::EventSchemas::Schema",
            "Properties": {
                "RegistryName": { "Fn::GetAtt": ["Events", "RegistryName"] },
                "SchemaName": format!("{source}@{name}"),
                "Type": "JSONSchemaDraft4",
                "Content": inlined(&schema).to_string(),
            },
        });
        registered.insert(id, resource);
    }
    let stack = json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "The schemas of docs/events, in a registry; written by `make golden`.",
        "Parameters": { "Registry": { "Type": "String", "Description": "The registry's name." } },
        "Resources": registered,
    });
    golden::agrees("infra/sam/schemas.json", &format!("{stack:#}\n"));
}

/// A schema that needs no other file.
fn inlined(schema: &Value) -> Value {
    match schema {
        Value::Object(fields) => {
            if let Some(file) = fields.get("$ref").and_then(Value::as_str) {
                let mut whole = schema::all()[file.strip_suffix(".schema.json").unwrap()].clone();
                whole.as_object_mut().unwrap().remove("$schema");
                return whole;
            }
            fields.iter().map(|(name, value)| (name.clone(), inlined(value))).collect()
        }
        Value::Array(items) => items.iter().map(inlined).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => schema.clone(),
    }
}
