//! Golden traces: what a person would read of an execution. Rewritten with `make golden`.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::{fmt::Write, path::PathBuf};

use mano_asl::{
    Definition, draw,
    runner::{RunOptions, Script, run},
};
use serde_json::Value;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// A case: definition, input, scripted tasks, objects.
fn trace(case: &Value) -> String {
    let definition = case["definition"].to_string();
    let mut script = Script::parse(&case["tasks"].to_string()).unwrap_or_default();
    let objects = case["objects"].clone();
    let mut written = String::new();
    let options = RunOptions {
        tasks: Box::new(|call| script.answer(call)),
        blobs: Box::new(move |request| {
            let key = request.arguments["Key"].as_str().unwrap_or_default();
            let text = objects[key].as_str().map(ToOwned::to_owned);
            text.ok_or_else(|| format!("there is no object {key}"))
        }),
        writes: Box::new(|_, files| {
            for file in files {
                writeln!(written, "wrote {} {}", file.key, file.content).unwrap();
            }
        }),
        ..RunOptions::default()
    };
    let report = run(&definition, &case["input"].to_string(), options).unwrap();
    let mut out = String::new();
    for event in &report.events {
        let mut row = event.to_json();
        let seconds = (event.at_millis - 1_700_000_000_000) / 1000;
        for name in ["id", "previousEventId", "timestamp", "type"] {
            row.as_object_mut().unwrap().shift_remove(name);
        }
        let details = row.as_object().unwrap().values().next().cloned().unwrap_or_default();
        let details = if details.is_null() { String::new() } else { details.to_string() };
        let (id, previous, kind) = (event.id, event.previous_event_id, event.kind);
        writeln!(out, "{id:>3} <- {previous:<3} +{seconds}s {kind} {details}").unwrap();
    }
    let ending = (report.status, report.output, report.error, report.cause);
    writeln!(out, "{ending:?}").unwrap();
    out.push_str(&written);
    out.push_str(&draw(&Definition::parse(&definition).unwrap()));
    out
}

#[test]
fn traces_read_as_before() {
    let write = std::env::var_os("MANO_GOLDEN").is_some();
    let mut differing = Vec::new();
    let mut count = 0;
    let mut files: Vec<_> =
        std::fs::read_dir(folder()).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    for file in files.iter().filter(|file| file.extension().is_some_and(|kind| kind == "json")) {
        count += 1;
        let case: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        let found = trace(&case);
        let golden = file.with_extension("txt");
        if write {
            std::fs::write(&golden, &found).unwrap();
        } else if std::fs::read_to_string(&golden).unwrap_or_default() != found {
            differing.push(format!("{}:\n{found}", golden.display()));
        }
    }
    assert!(count >= 6, "the golden cases are missing");
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}
