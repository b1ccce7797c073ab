//! The schemas of events, and whether an event is as its schema says.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Every schema of `docs/events`, by file name without its ending.
pub(crate) fn all() -> BTreeMap<String, Value> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/events");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let schemas = files.filter_map(|path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let name = name.strip_suffix(".schema.json")?.to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        Some((name, serde_json::from_str(&text).unwrap()))
    });
    schemas.collect()
}

/// The `detail-type`s a schema is for.
pub(crate) fn detail_types(schema: &Value) -> Vec<String> {
    let names = schema["properties"]["detail-type"]["enum"].as_array();
    names.into_iter().flatten().map(|name| name.as_str().unwrap().to_owned()).collect()
}

/// By `detail-type`: its schema.
pub(crate) fn by_detail_type() -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    for schema in all().into_values() {
        for name in detail_types(&schema) {
            assert!(found.insert(name.clone(), schema.clone()).is_none(), "{name} has two schemas");
        }
    }
    found
}

/// What is wrong with an event; attributes its schema does not name are wrong, too.
pub(crate) fn faults(event: &Value) -> Vec<String> {
    let name = event["detail-type"].as_str().unwrap_or_default();
    let Some(schema) = by_detail_type().remove(name) else {
        return vec![format!("'{name}' has no schema")];
    };
    let mut found = Vec::new();
    check(&schema, event, name, &mut found);
    found
}

fn check(schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    let parts = parts(schema);
    let known: Vec<&Map<String, Value>> =
        parts.iter().filter_map(|part| part["properties"].as_object()).collect();
    for part in &parts {
        check_part(part, value, at, found);
    }
    for (name, inner) in value.as_object().into_iter().flatten() {
        let here = format!("{at}.{name}");
        let of: Vec<&Value> = known.iter().filter_map(|properties| properties.get(name)).collect();
        if of.is_empty() && !known.is_empty() {
            found.push(format!("{here} is not in the schema"));
        }
        check(&json!({ "allOf": of }), inner, &here, found);
    }
}

/// A schema and those it includes, references followed.
fn parts(schema: &Value) -> Vec<Value> {
    let mut all = vec![schema.clone()];
    if let Some(file) = schema["$ref"].as_str() {
        let name = file.strip_suffix(".schema.json").expect("references name files");
        all.extend(parts(&self::all()[name]));
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        all.extend(parts(part));
    }
    all
}

fn check_part(schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    let mut wrong = |what: &str| found.push(format!("{at} = {value} is {what}"));
    let types = match &schema["type"] {
        Value::String(name) => vec![name.as_str()],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
    };
    if !types.is_empty() && !types.iter().any(|name| is(name, value)) {
        wrong(&format!("no {}", types.join(" or ")));
    }
    if schema["enum"].as_array().is_some_and(|choices| !choices.contains(value)) {
        wrong("none of those there are");
    }
    if let (Some(least), Some(number)) = (schema["minimum"].as_i64(), value.as_i64())
        && number < least
    {
        wrong("too small");
    }
    if let Some(text) = value.as_str() {
        let length = u64::try_from(text.chars().count()).unwrap();
        if schema["minLength"].as_u64().is_some_and(|least| length < least)
            || schema["maxLength"].as_u64().is_some_and(|most| length > most)
        {
            wrong("too short or too long");
        }
    }
    if schema["not"].is_object() && holds(&schema["not"], value) {
        wrong("what it must not be");
    }
    if schema["anyOf"].as_array().is_some_and(|any| !any.iter().any(|one| holds(one, value))) {
        wrong("none of those there are");
    }
    for name in schema["required"].as_array().into_iter().flatten() {
        if value.is_object() && value.get(name.as_str().unwrap()).is_none() {
            found.push(format!("{at} has no {name}"));
        }
    }
    if let (true, Some(items)) = (schema["items"].is_object(), value.as_array()) {
        for (n, item) in items.iter().enumerate() {
            check(&schema["items"], item, &format!("{at}[{n}]"), found);
        }
    }
}

fn holds(schema: &Value, value: &Value) -> bool {
    let mut found = Vec::new();
    check(schema, value, "", &mut found);
    found.is_empty()
}

fn is(name: &str, value: &Value) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        other => panic!("the schemas use no {other}"),
    }
}

#[test]
fn an_event_that_is_not_as_its_schema_says_is_noticed() {
    let request = |detail: Value| json!({ "source": "oss", "detail-type": "mano.request.heal", "detail": detail });
    let good = json!({ "idempotencyKey": "k", "kind": "NS", "instanceId": "n" });
    assert_eq!(faults(&request(good.clone())), Vec::<String>::new());
    for (name, value) in [
        ("idempotencyKey", json!("")),
        ("idempotencyKey", json!(7)),
        ("kind", json!("PNF")),
        ("colour", json!("red")),
        ("request", json!([])),
    ] {
        let mut bad = good.clone();
        bad[name] = value;
        assert_ne!(faults(&request(bad.clone())), Vec::<String>::new(), "{bad}");
    }
    assert_ne!(faults(&request(json!({}))), Vec::<String>::new());
    let mut ours = request(good);
    ours["source"] = "mano".into();
    assert_ne!(faults(&ours), Vec::<String>::new());
    assert_eq!(faults(&json!({ "detail-type": "x" })), ["'x' has no schema"]);
}
