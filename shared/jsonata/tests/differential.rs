//! Random expressions, here and in the language's own implementation, where that is present.
//!
//! `JSONATA_REFERENCE` names a folder with `node_modules/jsonata` 2.0.6, `JSONATA_EXPRESSIONS` how
//! many to try (2,000 if unset), `JSONATA_SEED` where to begin.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot run its reference fails"
)]

mod generator;
mod host;

use std::{
    collections::BTreeMap,
    env,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use mano_jsonata::{Bindings, Budget, Value};
use serde_json::Value as Json;

use crate::generator::{Generator, INPUT};

/// What one side made of an expression.
#[derive(Debug, PartialEq, Clone)]
enum Outcome {
    Nothing,
    Function,
    Value(String),
    Error {
        code: String,
        message: String,
        position: Option<u64>,
    },
    /// A failure of JavaScript itself, without a code.
    Failed(String),
}

fn reference() -> Option<PathBuf> {
    let folder = env::var_os("JSONATA_REFERENCE").map(PathBuf::from);
    let node = Command::new("node").arg("--version").output().is_ok();
    match folder {
        Some(folder) if node && folder.join("node_modules/jsonata").is_dir() => Some(folder),
        _ => {
            println!(
                "skipped: node, or jsonata in the folder JSONATA_REFERENCE names, is not here"
            );
            None
        }
    }
}

fn number_from(name: &str, default: u64) -> u64 {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn ours(expression: &str, input: &Value) -> Outcome {
    let mut budget = Budget::new(5_000_000, 1 << 28);
    match host::evaluate(expression, Some(input), &Bindings::new(), &mut budget) {
        Ok(None) => Outcome::Nothing,
        Ok(Some(value)) => value.to_json_text().map_or(Outcome::Function, Outcome::Value),
        Err(error) => Outcome::Error {
            code: error.code.to_owned(),
            message: error.message,
            position: error.position.map(|position| position as u64),
        },
    }
}

fn theirs(folder: &Path, expressions: &[String]) -> Vec<Outcome> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/differential.js");
    let mut node = Command::new("node")
        .arg(script)
        .arg(folder)
        .env("TZ", "UTC")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let input: Json = serde_json::from_str(INPUT).unwrap();
    let lines: Vec<String> = expressions
        .iter()
        .map(|expression| serde_json::json!({"expression": expression, "input": input}).to_string())
        .collect();
    let mut stdin = node.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all((lines.join("\n") + "\n").as_bytes()));
    let output = node.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(read).collect()
}

fn read(line: &str) -> Outcome {
    let json: Json = serde_json::from_str(line).unwrap();
    let text = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
    if json.get("nothing").is_some() {
        Outcome::Nothing
    } else if json.get("function").is_some() {
        Outcome::Function
    } else if json.get("value").is_some() {
        Outcome::Value(text("value"))
    } else if json.get("failed").is_some() {
        Outcome::Failed(text("failed"))
    } else {
        Outcome::Error {
            code: text("code"),
            message: text("message"),
            position: json["position"].as_u64(),
        }
    }
}

/// Whether half a surrogate pair shows.
fn half(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Value(text) | Outcome::Error { message: text, .. } => {
            text.contains('\u{fffd}') || text.contains("\\ud")
        }
        Outcome::Nothing | Outcome::Function | Outcome::Failed(_) => false,
    }
}

/// The class of a difference that is known and meant; `None` for one that is neither.
fn known(expression: &str, ours: &Outcome, theirs: &Outcome) -> Option<&'static str> {
    let constructs = expression.contains('[') || expression.contains('{');
    match (ours, theirs) {
        _ if half(ours) || half(theirs) => Some("half a surrogate pair is U+FFFD"),
        (Outcome::Error { .. }, Outcome::Failed(_)) => {
            Some("a failure of JavaScript has a code here")
        }
        (_, Outcome::Failed(_)) => Some("no failure here where JavaScript fails"),
        (Outcome::Error { code, .. }, _) if code == "TypeError" && expression.contains("(?") => {
            Some("a builtin applied in part checks what it is given")
        }
        (
            Outcome::Error { code: ours, message, .. },
            Outcome::Error { code: theirs, message: other, .. },
        ) if ours == theirs && without_function(message) == without_function(other) => {
            Some("the reference names a function after an earlier call of it")
        }
        (Outcome::Error { code, .. }, _) if code == "T2006" && expression.contains("~>") => {
            Some("a function has no members to filter it by")
        }
        (Outcome::Value(ours), Outcome::Value(theirs))
            if expression.contains('{') && theirs.replace("[null]", "[]") == *ours =>
        {
            Some("the reference writes into an empty array when it groups it")
        }
        (Outcome::Value(_) | Outcome::Nothing, Outcome::Value(theirs))
            if expression.contains('[') && theirs.contains("null") =>
        {
            Some("a predicate that holds for nothing leaves holes in the reference")
        }
        (Outcome::Error { .. }, Outcome::Nothing) if expression.contains("function($p) {") => {
            Some("a tail call that a predicate drops is never made in the reference")
        }
        (Outcome::Value(_) | Outcome::Nothing, Outcome::Error { code, message, .. })
            if expression.contains('[') && (code == "T0410" || message.contains("[null")) =>
        {
            Some("a predicate that holds for nothing leaves holes in the reference")
        }
        (Outcome::Error { code, .. }, _) if code == "U1001" => Some("a limit of this crate"),
        (Outcome::Error { code: ours, .. }, Outcome::Error { code: theirs, .. })
            if ours != theirs && constructs =>
        {
            Some(
                "parts of constructors are evaluated one after the other, so another error is first",
            )
        }
        (
            Outcome::Error { code: ours, message, .. },
            Outcome::Error { code: theirs, message: other, .. },
        ) if ours == theirs && (constructs || holds_function(message, other)) => {
            Some(if holds_function(message, other) {
                "a function quoted in a sentence is `undefined`"
            } else {
                "parts of constructors are evaluated one after the other, so another error is first"
            })
        }
        _ => None,
    }
}

/// A sentence without the function it names.
fn without_function(message: &str) -> String {
    match message.split_once("of function ") {
        Some((before, after)) => {
            let rest = after.trim_start_matches('"').split_once('"').map_or("", |(_, rest)| rest);
            format!("{before}{rest}")
        }
        None => message.to_owned(),
    }
}

fn holds_function(ours: &str, theirs: &str) -> bool {
    theirs.contains("_jsonata_") || ours.contains("undefined")
}

/// Whether both say the same; positions are compared apart.
fn same(ours: &Outcome, theirs: &Outcome) -> bool {
    match (ours, theirs) {
        (
            Outcome::Error { code, message, .. },
            Outcome::Error { code: other_code, message: other, .. },
        ) => code == other_code && message == other,
        _ => ours == theirs,
    }
}

#[test]
fn random_expressions_evaluate_as_in_the_languages_own_implementation() {
    let Some(folder) = reference() else { return };
    let count = number_from("JSONATA_EXPRESSIONS", 2_000);
    let mut generator = Generator::new(number_from("JSONATA_SEED", 1));
    let expressions: Vec<String> = (0..count).map(|_| generator.expression()).collect();
    let answers = theirs(&folder, &expressions);
    assert_eq!(answers.len(), expressions.len(), "the reference answers every expression");
    let input = Value::from_json_text(INPUT).unwrap();
    let mut classes: BTreeMap<&str, usize> = BTreeMap::new();
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    let mut unknown = Vec::new();
    let mut elsewhere = 0;
    for (expression, theirs) in expressions.iter().zip(&answers) {
        let ours = ours(expression, &input);
        *kinds.entry(kind(theirs)).or_default() += 1;
        if same(&ours, theirs) {
            elsewhere += usize::from(ours != *theirs);
        } else if let Some(class) = known(expression, &ours, theirs) {
            *classes.entry(class).or_default() += 1;
        } else {
            unknown.push(format!("{expression}\n    ours:   {ours:?}\n    theirs: {theirs:?}"));
        }
    }
    println!("{count} expressions: {kinds:?}; {elsewhere} errors at another position");
    classes.iter().for_each(|(class, count)| println!("{count:6} {class}"));
    assert!(
        unknown.is_empty(),
        "{} differ:\n{}",
        unknown.len(),
        unknown[..unknown.len().min(40)].join("\n")
    );
}

fn kind(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Nothing => "nothing",
        Outcome::Function => "functions",
        Outcome::Value(_) => "values",
        Outcome::Error { .. } => "errors",
        Outcome::Failed(_) => "failures",
    }
}
