//! The language's own cases, where present: all that version 2.0.6 has must hold.

use std::{fs, path::PathBuf, sync::Arc};

use mano_jsonata::{Bindings, Budget, Expression, Host, Value};

struct Fixed;

impl Host for Fixed {
    fn now_millis(&self) -> i64 {
        1_700_000_000_000
    }

    fn random(&self) -> f64 {
        0.25
    }

    fn uuid(&self) -> String {
        "00000000-0000-4000-8000-000000000000".to_owned()
    }
}

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

fn cases(root: &PathBuf) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut groups: Vec<_> = fs::read_dir(root.join("groups")).unwrap().map(|entry| entry.unwrap().path()).collect();
    groups.sort();
    for group in groups {
        let mut files: Vec<_> = fs::read_dir(&group).unwrap().map(|entry| entry.unwrap().path()).collect();
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

/// Why a case is not of the language as it is run here.
fn later_version(case: &Case) -> Option<&'static str> {
    if case.expression.contains("$eval(") {
        return Some("$eval is not there");
    }
    if case.group == "coalescing-operator" || case.group == "default-operator" {
        return Some("an operator of version 2.1");
    }
    None
}

fn input(case: &Case, root: &PathBuf) -> Option<Value> {
    if let Some(data) = case.case.get("data") {
        return Some(Value::from(data));
    }
    let name = case.case.get("dataset")?.as_str()?;
    let text = fs::read_to_string(root.join("datasets").join(format!("{name}.json"))).unwrap();
    Some(Value::from_json_text(&text).unwrap())
}

/// What went wrong with a case, if anything.
fn failure(case: &Case, root: &PathBuf) -> Option<String> {
    let expected = &case.case;
    let mut bindings = Bindings::new();
    for (name, value) in expected["bindings"].as_object().into_iter().flatten() {
        bindings.set(name, Value::from(value));
    }
    let mut budget = Budget::new(20_000_000, 1 << 30);
    if let Some(depth) = expected.get("depth").and_then(serde_json::Value::as_u64) {
        budget = budget.with_depth(depth.try_into().unwrap());
    }
    let input = input(case, root);
    let outcome = Expression::parse(&case.expression)
        .and_then(|expression| expression.evaluate(input.as_ref(), &bindings, &Fixed, &mut budget));
    let code = expected.get("code").or_else(|| expected.get("error").and_then(|error| error.get("code")));
    match (outcome, code) {
        (Err(error), Some(code)) if error.code == code.as_str().unwrap() => {
            let token = expected.get("token").and_then(serde_json::Value::as_str);
            (token.is_some() && token != error.token.as_deref()).then(|| format!("token {:?}", error.token))
        }
        (Err(error), _) => Some(format!("{} {error}", error.code)),
        (Ok(value), Some(code)) => Some(format!("{value:?} instead of {code}")),
        (Ok(value), None) if expected.get("undefinedResult").is_some() => value.map(|value| format!("{value:?}")),
        (Ok(value), None) => {
            let wanted = expected.get("result").map(Value::from);
            let same = match (&value, &wanted) {
                (Some(value), Some(wanted)) if expected.get("unordered").is_some() => sorted(value) == sorted(wanted),
                // A function has no JSON form: the cases write it as nothing or as an empty text.
                (Some(value), Some(wanted)) => written(value) == written(wanted),
                (None, None) => true,
                _ => false,
            };
            (!same).then(|| format!("{value:?} instead of {wanted:?}"))
        }
    }
}

fn written(value: &Value) -> serde_json::Value {
    value.to_json().unwrap_or(serde_json::Value::Null)
}

fn sorted(value: &Value) -> Vec<String> {
    let items = value.as_array().unwrap().iter();
    let mut texts: Vec<String> = items.map(|item| item.to_json_text().unwrap()).collect();
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
            None => failed.extend(failure(case, &root).map(|why| format!("{}: {}\n    {why}", case.name, case.expression))),
        }
    }
    println!("{} cases, {} of later versions or without $eval:\n{}", cases.len(), skipped.len(), skipped.join("\n"));
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
