//! How many transitions a second one core makes with the full history, and what another engine makes
//! of the same machines in the same run.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement talks to a person and stops at the first surprise"
)]

use std::{
    collections::BTreeMap,
    hint::black_box,
    io::Write,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use mano_asl::{Definition, Execution, Start, Status};
use serde_json::{Map, Value, json};

/// The best of so many rounds counts: other work on the machine can only make one slower.
const ROUNDS: usize = 25;
const ROUND_MILLIS: u64 = 100;

/// A machine and its input of 100 bytes.
struct Case {
    name: &'static str,
    definition: Value,
    input: Value,
    /// States entered by one execution.
    transitions: u32,
    /// Whether the other engine knows the language.
    is_shared: bool,
}

fn chain(length: usize, more: &Value) -> Value {
    let mut states = Map::new();
    for at in 0..length {
        let mut state = json!({ "Type": "Pass", "Next": format!("S{}", at + 1) });
        state.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        states.insert(format!("S{at}"), state);
    }
    let mut last = states[&format!("S{}", length - 1)].clone();
    last.as_object_mut().unwrap().remove("Next");
    last["End"] = json!(true);
    states.insert(format!("S{}", length - 1), last);
    json!({ "StartAt": "S0", "States": states })
}

/// Counts down in the state's data.
fn countdown(count: &Value, rule: &Value) -> Value {
    let mut count = count.clone();
    let mut rule = rule.clone();
    count["Type"] = json!("Pass");
    count["Next"] = json!("More");
    rule["Next"] = json!("Count");
    json!({ "StartAt": "Count", "States": {
        "Count": count,
        "More": { "Type": "Choice", "Choices": [rule], "Default": "Done" },
        "Done": { "Type": "Succeed" } } })
}

fn map(field: &str, items: &str) -> Value {
    let inner = json!({ "StartAt": "Do", "States": { "Do": { "Type": "Pass", "End": true } } });
    json!({ "StartAt": "Each", "States": {
        "Each": { "Type": "Map", field: items, "ItemProcessor": inner, "End": true } } })
}

/// A Pass, a Choice and the end.
fn three(rule: &Value) -> Value {
    let mut rule = rule.clone();
    rule["Next"] = json!("Done");
    json!({ "StartAt": "First", "States": {
        "First": { "Type": "Pass", "Next": "Which" },
        "Which": { "Type": "Choice", "Choices": [rule], "Default": "Done" },
        "Done": { "Type": "Succeed" } } })
}

/// Some data filled up to 100 bytes; items are what they are.
fn input(mut value: Value) -> Value {
    value["text"] = json!("");
    let length = value.to_string().len();
    value["text"] = json!("x".repeat(100_usize.saturating_sub(length)));
    value
}

fn cases() -> Vec<Case> {
    let jsonata = |mut machine: Value| {
        machine["QueryLanguage"] = json!("JSONata");
        machine
    };
    let order = input(json!({ "n": 7 }));
    let thousand = input(json!({ "n": 1000 }));
    // 100 items of one digit are 200 bytes; nothing smaller has 100 items.
    let items = json!({ "items": (0..100).map(|n| n % 10).collect::<Vec<_>>() });
    let down = json!({ "Parameters": { "n.$": "States.MathAdd($.n, -1)", "text.$": "$.text" } });
    let down_too = json!({ "Output": { "n": "{% $states.input.n - 1 %}",
        "text": "{% $states.input.text %}" } });
    let more = json!({ "Variable": "$.n", "NumericGreaterThan": 0 });
    let more_too = json!({ "Condition": "{% $states.input.n > 0 %}" });
    let same = json!({ "Output": "{% $states.input %}" });
    let case = |name, definition, input: &Value, transitions, is_shared| Case {
        name,
        definition,
        input: input.clone(),
        transitions,
        is_shared,
    };
    vec![
        case("100 Pass states", chain(100, &json!({})), &order, 100, true),
        case("Choice loop of 1,000", countdown(&down, &more), &thousand, 2001, true),
        case("Map of 100", map("ItemsPath", "$.items"), &items, 101, true),
        case("3 states", three(&more), &order, 3, true),
        case("100 Pass states, JSONata", jsonata(chain(100, &same)), &order, 100, false),
        case(
            "Choice loop of 1,000, JSONata",
            jsonata(countdown(&down_too, &more_too)),
            &thousand,
            2001,
            false,
        ),
        case(
            "Map of 100, JSONata",
            jsonata(map("Items", "{% $states.input.items %}")),
            &items,
            101,
            false,
        ),
        case("3 states, JSONata", jsonata(three(&more_too)), &order, 3, false),
    ]
}

/// Transitions a second; every row of the history is kept and written as JSON.
fn measure(case: &Case) -> f64 {
    let definition = Definition::parse(&case.definition.to_string()).unwrap();
    let input = case.input.to_string();
    let mut history = Vec::new();
    let mut best = 0_f64;
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        let mut transitions = 0;
        while begin.elapsed() < Duration::from_millis(ROUND_MILLIS) {
            let (execution, outcome) =
                Execution::start(&definition, Start::new("bench", &input)).unwrap();
            assert_eq!(execution.status(), Status::Succeeded);
            history.clear();
            serde_json::to_writer(&mut history, &outcome.rows).unwrap();
            black_box(&history);
            transitions += case.transitions;
        }
        best = best.max(f64::from(transitions) / begin.elapsed().as_secs_f64());
    }
    best
}

/// The same by npm's aws-local-stepfunctions; nothing where it is not at hand.
fn peer(cases: &[Case]) -> Option<BTreeMap<String, f64>> {
    let folder = std::env::var("ASL_PEER").ok()?;
    let asked: Vec<_> = cases.iter().filter(|case| case.is_shared).map(asked).collect();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peer.mjs");
    let mut node = Command::new("node")
        .args([script, &folder])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    node.stdin.take()?.write_all(json!(asked).to_string().as_bytes()).ok()?;
    let answer = node.wait_with_output().ok()?;
    serde_json::from_slice(&answer.stdout).ok()
}

fn asked(case: &Case) -> Value {
    json!({ "name": case.name, "definition": case.definition, "input": case.input,
        "transitions": case.transitions, "rounds": ROUNDS, "millis": ROUND_MILLIS })
}

fn main() {
    let cases = cases();
    let own: Vec<f64> = cases.iter().map(measure).collect();
    let peer = peer(&cases);
    if peer.is_none() {
        println!("skipped: npm's aws-local-stepfunctions is not at hand (ASL_PEER, node)");
    }
    println!("| transitions/s | mano-asl | aws-local-stepfunctions | ratio |");
    println!("|---|---|---|---|");
    for (case, own) in cases.iter().zip(own) {
        let theirs = peer.as_ref().and_then(|peer| peer.get(case.name));
        let (rate, ratio) = theirs.map_or(("-".to_owned(), "-".to_owned()), |n| {
            (format!("{n:.0}"), format!("{:.1}", own / n))
        });
        println!("| {} | {own:.0} | {rate} | {ratio} |", case.name);
    }
}
