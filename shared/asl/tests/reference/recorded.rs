//! Goes through the recorded executions, where the reference data is present, and says how many
//! of each tier agree.

use super::reference::{agree, path};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Why some recordings of distributed Maps are known not to agree: the same definition was recorded
/// with either row, and machines without variables keep the older one.
pub(crate) const LATER: &str =
    "recorded when the row that leaves a distributed Map followed from the one that started it";

/// Compares every recording whose name holds `ASL_CASE`, or all of them; `known`: those that are
/// known not to agree, and why. `compare` is told whether somebody wants to see more.
pub(crate) fn repeated(
    known: &[(&str, &str)],
    compare: impl Fn(&Value, bool) -> Result<(), String>,
) {
    let folder = path("asl/cases");
    if !folder.is_dir() {
        println!("skipped: reference data is not here: {}", folder.display());
        return;
    }
    let only = std::env::var("ASL_CASE").ok();
    let mut tiers: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut unexpected = Vec::new();
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    for file in files {
        let case: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let name = case["name"].as_str().unwrap();
        if only.as_ref().is_some_and(|only| !name.contains(only)) {
            continue;
        }
        let tier = tiers.entry(case["tier"].as_str().unwrap().to_owned()).or_default();
        tier.1 += 1;
        let known = known.iter().any(|(known, _)| name.contains(known));
        match compare(&case, only.is_some()) {
            Ok(()) => {
                tier.0 += 1;
                assert!(!known, "{name} agrees now: strike it off the list");
            }
            Err(reason) => {
                println!("{name}\n    {reason}");
                if !known {
                    unexpected.push(name.to_owned());
                }
            }
        }
    }
    println!("{:<12} {:>7} {:>7}", "tier", "passed", "failed");
    for (tier, (passed, all)) in &tiers {
        println!("{tier:<12} {passed:>7} {:>7}", all - passed);
    }
    assert!(unexpected.is_empty(), "{} recordings differ: {unexpected:#?}", unexpected.len());
}

/// Whether a report of `status`, `output`, `error`, `cause` and `events` says what was recorded.
pub(crate) fn told_alike(expected: &Value, report: &Value) -> Result<(), String> {
    for field in ["status", "output", "error", "cause"] {
        agree(&expected[field], &report[field], field)?;
    }
    if expected.get("history_note").is_some() {
        return Ok(());
    }
    let Some(history) = expected["history"].as_array() else { return Ok(()) };
    let rows = report["events"].as_array().unwrap();
    for (at, row) in history.iter().enumerate() {
        let found = rows.get(at).ok_or_else(|| format!("row {} is missing: {row}", at + 1))?;
        agree(row, found, &format!("row {}", at + 1))?;
    }
    match rows.get(history.len()) {
        Some(row) => Err(format!("row {} is too many: {row}", history.len() + 1)),
        None => Ok(()),
    }
}

/// The input as text: the recorder kept objects and arrays parsed, or as their text.
pub(crate) fn input(case: &Value) -> String {
    let text = case["input"].as_str().filter(|text| text.starts_with(['{', '[']));
    text.map_or_else(|| case["input"].to_string(), ToOwned::to_owned)
}

/// The cause a function failed with where the recording only says that it does.
pub(crate) fn exception(case: &Value) -> Option<Value> {
    let behaviour = case["lambda_behaviours"][0]["behaviour"].as_str()?;
    behaviour.starts_with("error").then(|| {
        json!({
            "errorMessage": "Some exception was raised.",
            "errorType": "Exception",
            "requestId": "1",
            "stackTrace": [
                "  File \"/var/task/handler.py\", line 2, in handler\n    raise Exception(\"Some exception was raised.\")\n"
            ],
        })
    })
}
