//! The language's own cases, where present: all that version 2.0.6 has must hold.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot read its data fails"
)]

mod host;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use mano_jsonata::{Bindings, Budget, Expression, Value};

fn reference() -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/jsonata");
    if path.is_dir() {
        return Some(path);
    }
    println!("skipped: reference data is not here: {}", path.display());
    None
}

/// Half surrogate pairs are no JSON in UTF-8: the escape is left to the expression's own texts.
fn read_json(text: &str) -> serde_json::Value {
    let kept = text.replace("\\uD800", "\\\\uD800");
    serde_json::from_str(&kept).unwrap()
}

struct Case {
    name: String,
    group: String,
    case: serde_json::Value,
    expression: String,
}

fn cases(root: &Path) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut groups: Vec<_> =
        fs::read_dir(root.join("groups")).unwrap().map(|entry| entry.unwrap().path()).collect();
    groups.sort();
    for group in groups {
        let mut files: Vec<_> =
            fs::read_dir(&group).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        for file in files.iter().filter(|file| file.extension().is_some_and(|end| end == "json")) {
            let json = read_json(&fs::read_to_string(file).unwrap());
            let list = json.as_array().cloned().unwrap_or_else(|| vec![json]);
            for (at, case) in list.into_iter().enumerate() {
                let expression = match case.get("expr-file") {
                    Some(path) => fs::read_to_string(group.join(path.as_str().unwrap())).unwrap(),
                    None => case["expr"].as_str().unwrap().to_owned(),
                };
                let group = group.file_name().unwrap().to_string_lossy().into_owned();
                let name = format!("{group}/{}#{at}", file.file_stem().unwrap().to_string_lossy());
                cases.push(Case { name, group, case, expression });
            }
        }
    }
    cases
}

/// Cases whose outcome in version 2.0.6, run for comparison, is another.
const CHANGED: [(&str, &str); 10] = [
    ("function-contains/case007#0", "2.0.6 fails on a missing pattern"),
    ("function-pad/case011#0", "2.0.6 fails on a width with a fraction"),
    ("function-pad/case012#0", "2.0.6 fails on a width with a fraction"),
    ("function-signatures/case035#0", "2.0.6 repeats the first of several arguments"),
    ("function-signatures/case036#0", "2.0.6 repeats the first of several arguments"),
    ("function-signatures/case037#0", "2.0.6 repeats the first of several arguments"),
    ("function-signatures/case038#0", "2.0.6 repeats the first of several arguments"),
    ("function-string/case030#0", "2.0.6 rounds large whole numbers to 15 digits too"),
    ("function-tomillis/case013#0", "2.0.6 reads digits without separators greedily"),
    ("function-tomillis/parseDateTime#46", "2.0.6 takes all fractional digits for milliseconds"),
];

/// Why a case is not of the language as it is run here.
fn later_version(case: &Case) -> Option<&'static str> {
    if case.expression.contains("$eval(") {
        return Some("$eval is not there");
    }
    if case.group == "coalescing-operator" || case.group == "default-operator" {
        return Some("an operator of version 2.1");
    }
    CHANGED.iter().find(|(name, _)| case.name == *name).map(|(_, why)| *why)
}

fn input(case: &Case, root: &Path) -> Option<Value> {
    if let Some(data) = case.case.get("data") {
        return Some(Value::from(data));
    }
    let name = case.case.get("dataset")?.as_str()?;
    let text = fs::read_to_string(root.join("datasets").join(format!("{name}.json"))).unwrap();
    Some(Value::from_json_text(&text).unwrap())
}

/// What went wrong with a case, if anything.
fn failure(case: &Case, root: &Path) -> Option<String> {
    let expected = &case.case;
    let mut bindings = Bindings::new();
    for (name, value) in expected["bindings"].as_object().into_iter().flatten() {
        bindings.set(name, Value::from(value));
    }
    let code =
        expected.get("code").or_else(|| expected.get("error").and_then(|error| error.get("code")));
    // What must fail may be endless; what must not has up to ten million items.
    let steps = if code.is_some() { 3_000_000 } else { 20_000_000 };
    let mut budget = Budget::new(steps, 1 << 30);
    if let Some(depth) = expected.get("depth").and_then(serde_json::Value::as_u64) {
        budget = budget.with_depth(depth.try_into().unwrap());
    }
    let input = input(case, root);
    let outcome = host::evaluate(&case.expression, input.as_ref(), &bindings, &mut budget);
    match (outcome, code) {
        (Err(error), Some(code)) if error.code == code.as_str().unwrap() => {
            let token = expected.get("token").and_then(serde_json::Value::as_str);
            (token.is_some() && token != error.token.as_deref())
                .then(|| format!("token {:?}", error.token))
        }
        (Err(error), _) => Some(format!("{} {error}", error.code)),
        (Ok(value), Some(code)) => Some(format!("{value:?} instead of {code}")),
        (Ok(value), None) if expected.get("undefinedResult").is_some() => {
            value.map(|value| format!("{value:?}"))
        }
        (Ok(value), None) => {
            let wanted = expected.get("result").map(Value::from);
            let same = match (&value, &wanted) {
                (Some(value), Some(wanted)) if expected.get("unordered").is_some() => {
                    sorted(value) == sorted(wanted)
                }
                // A function has no JSON form: the cases write it as nothing or as an empty text.
                (Some(value), Some(wanted)) => close(&written(value), &written(wanted)),
                (None, None) => true,
                _ => false,
            };
            (!same).then(|| format!("{value:?} instead of {wanted:?}"))
        }
    }
}

fn written(value: &Value) -> serde_json::Value {
    value.to_json(&mut (1 << 26)).unwrap_or(serde_json::Value::Null)
}

/// Equal but for the last digits of a number: the cases round their results.
fn close(left: &serde_json::Value, right: &serde_json::Value) -> bool {
    use serde_json::Value as Json;
    match (left, right) {
        (Json::Number(left), Json::Number(right)) => {
            let (left, right) = (left.as_f64().unwrap(), right.as_f64().unwrap());
            (left - right).abs() <= 1e-13 * right.abs()
        }
        (Json::Array(left), Json::Array(right)) => {
            left.len() == right.len()
                && left.iter().zip(right).all(|(left, right)| close(left, right))
        }
        (Json::Object(left), Json::Object(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .all(|(key, left)| right.get(key).is_some_and(|right| close(left, right)))
        }
        _ => left == right,
    }
}

fn sorted(value: &Value) -> Vec<String> {
    let items = value.as_array().unwrap().iter();
    let mut texts: Vec<String> = items.map(|item| item.to_json_text(1 << 26).unwrap()).collect();
    texts.sort();
    texts
}

#[test]
fn every_case_of_the_language_holds() {
    let Some(root) = reference() else { return };
    let cases = cases(&root);
    let mut skipped = Vec::new();
    let mut failed = Vec::new();
    for case in &cases {
        match later_version(case) {
            Some(why) => skipped.push(format!("{}: {why}", case.name)),
            None => failed.extend(
                failure(case, &root)
                    .map(|why| format!("{}: {}\n    {why}", case.name, case.expression)),
            ),
        }
    }
    println!(
        "{} cases, {} of later versions or without $eval:\n{}",
        cases.len(),
        skipped.len(),
        skipped.join("\n")
    );
    assert!(failed.is_empty(), "{} failed:\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn expressions_and_values_can_be_shared_between_threads() {
    fn shareable<T: Send + Sync + Clone>() {}
    shareable::<Expression>();
    shareable::<Value>();
    shareable::<Bindings>();
    shareable::<Arc<Budget>>();
}
