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
        Ok(Some(value)) => value.to_json_text(1 << 26).map_or(Outcome::Function, Outcome::Value),
        Err(error) => Outcome::Error {
            code: error.code.to_owned(),
            message: error.message,
            position: error.position.map(|position| position as u64),
        },
    }
}

/// What the reference made of an expression, as it is and with its habits changed one by one.
struct Answer {
    plain: Outcome,
    /// Parts of constructors evaluated one after the other.
    in_order: Outcome,
    /// And nothing filtered is nothing.
    filled: Outcome,
    /// And an empty array stays empty when it is grouped.
    kept: Outcome,
}

fn theirs(folder: &Path, expressions: &[String]) -> Vec<Answer> {
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

fn read(line: &str) -> Answer {
    let json: Json = serde_json::from_str(line).unwrap();
    let plain = outcome(&json["plain"]);
    let variant = |name| json.get(name).map_or_else(|| plain.clone(), outcome);
    let (in_order, filled, kept) = (variant("inOrder"), variant("filled"), variant("kept"));
    Answer { plain, in_order, filled, kept }
}

fn outcome(json: &Json) -> Outcome {
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

/// Failures of JavaScript, and what stands here in their place: a code and the start of a sentence.
const FAILURES: [(&str, &str, &str); 3] = [
    ("Invalid regular expression", "SyntaxError", "Invalid regular expression"),
    ("str is not iterable", "TypeError", "The function expected a string, not "),
    ("Cannot create property", "TypeError", "The transform expression matches what is no object"),
];

/// Failures of JavaScript where evaluation goes on here, and what such expressions have.
const BEYOND: [(&str, &str, &str); 6] = [
    ("Maximum call stack", "~> |", INSIDE),
    ("Converting circular structure", "~> |", INSIDE),
    ("Cannot read properties of undefined (reading '@')", "@$", GROUPS),
    ("Cannot read properties of undefined (reading '@')", "#$", GROUPS),
    ("func.apply is not a function", "(", LAST),
    ("comp is not a function", "$sort(", LAST),
];
const INSIDE: &str = "a transform puts an object into itself, not its former value";
const GROUPS: &str = "items with positions or joins are grouped though there are none";
const LAST: &str = "a function that is called last is given a builtin";

/// The class of a difference that is known and meant; `None` for one that is neither.
///
/// What the changed copies of the reference answer tells the first classes apart exactly; what is
/// left is compared with a copy that has none of these habits.
fn known(expression: &str, ours: &Outcome, theirs: &Answer) -> Option<&'static str> {
    if same(ours, &theirs.in_order) {
        return Some("parts of constructors are evaluated one after the other");
    }
    if same(ours, &theirs.filled) {
        return Some("a predicate over nothing gives nothing, not a hole");
    }
    if same(ours, &theirs.kept) {
        return Some("an empty array stays empty when it is grouped");
    }
    match (ours, &theirs.kept) {
        (ours, theirs) if half(ours) || half(theirs) => Some("half a surrogate pair is U+FFFD"),
        (Outcome::Error { .. }, _) if filters_a_function(expression) => {
            Some("a function has no members to filter it by")
        }
        (ours, Outcome::Failed(failure)) => not_failed(expression, ours, failure),
        (
            Outcome::Error { code: ours, message, .. },
            Outcome::Error { code: theirs, message: other, .. },
        ) if ours == theirs && is_named_by_a_call(expression, message, other) => {
            Some("the reference names a function after another call of it in the expression")
        }
        (Outcome::Error { code, message, .. }, _)
            if code == "TypeError"
                && message.starts_with("The function expected a string, not ")
                && expression.contains("$substring(?") =>
        {
            Some("a builtin applied in part checks what it is given")
        }
        (Outcome::Error { .. }, Outcome::Nothing) if expression.contains("function($p) {") => {
            Some("a tail call that a predicate drops is never made in the reference")
        }
        _ => None,
    }
}

/// The class of an expression that makes JavaScript fail.
fn not_failed(expression: &str, ours: &Outcome, failure: &str) -> Option<&'static str> {
    let stands = |(theirs, code, sentence): &(&str, &str, &str)| {
        let is = |ours: &Outcome| {
            matches!(ours, Outcome::Error { code: ours, message, .. }
                if ours == code && message.starts_with(sentence))
        };
        failure.starts_with(theirs) && is(ours)
    };
    if FAILURES.iter().any(stands) {
        return Some("a failure of JavaScript has a code here");
    }
    let goes_on = |(start, has, _): &&(&str, &str, &str)| {
        failure.starts_with(start) && expression.contains(has)
    };
    BEYOND.iter().find(goes_on).map(|(_, _, class)| *class)
}

/// Whether two sentences differ in the function they name, and the expression calls the one that
/// the reference names elsewhere: there, functions remember how they were called last.
fn is_named_by_a_call(expression: &str, ours: &str, theirs: &str) -> bool {
    let parts = |message: &str| {
        let (before, after) = message.split_once("of function ")?;
        let (name, after) = after.split_once(' ')?;
        Some((before.to_owned(), name.trim_matches('"').to_owned(), after.to_owned()))
    };
    let (Some(ours), Some(theirs)) = (parts(ours), parts(theirs)) else { return false };
    let called = expression.contains(&format!("${}(", theirs.1));
    ours.0 == theirs.0 && ours.2 == theirs.2 && called
}

/// Whether a function behind `~>` has a predicate.
fn filters_a_function(expression: &str) -> bool {
    expression.split("~> ").skip(1).any(|after| {
        let name = after.trim_start_matches('$').trim_start_matches(char::is_alphanumeric);
        name.starts_with('[') || after.starts_with('|') && after.contains("|[")
    })
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
        *kinds.entry(kind(&theirs.plain)).or_default() += 1;
        if same(&ours, &theirs.plain) {
            elsewhere += usize::from(ours != theirs.plain);
        } else if let Some(class) = known(expression, &ours, theirs) {
            *classes.entry(class).or_default() += 1;
        } else {
            unknown.push(format!(
                "{expression}\n    ours:   {ours:?}\n    theirs: {:?}",
                theirs.filled
            ));
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
