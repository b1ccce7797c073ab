//! How many transitions a second one core makes, with the full history.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement talks to a person")]

use std::time::Instant;

use mano_asl::{Definition, Execution, Limits, Start};
use serde_json::{Value, json};

/// A ring of Pass states that only the event limit ends.
fn passes() -> Value {
    json!({
        "StartAt": "A",
        "States": {
            "A": { "Type": "Pass", "Next": "B" },
            "B": { "Type": "Pass", "Next": "A" },
        },
    })
}

/// Counts down in the state's data.
fn countdown() -> Value {
    json!({
        "StartAt": "Count",
        "States": {
            "Count": {
                "Type": "Pass",
                "Parameters": { "n.$": "States.MathAdd($.n, -1)", "keep.$": "$.keep" },
                "Next": "More",
            },
            "More": {
                "Type": "Choice",
                "Choices": [{ "Variable": "$.n", "NumericGreaterThan": 0, "Next": "Count" }],
                "Default": "Done",
            },
            "Done": { "Type": "Succeed" },
        },
    })
}

/// The same in JSONata, with a variable.
fn countdown_in_jsonata() -> Value {
    json!({
        "StartAt": "Count",
        "QueryLanguage": "JSONata",
        "States": {
            "Count": {
                "Type": "Pass",
                "Output": { "n": "{% $states.input.n - 1 %}", "keep": "{% $states.input.keep %}" },
                "Assign": { "last": "{% $states.input.n %}" },
                "Next": "More",
            },
            "More": {
                "Type": "Choice",
                "Choices": [{ "Condition": "{% $states.input.n > 0 %}", "Next": "Count" }],
                "Default": "Done",
            },
            "Done": { "Type": "Succeed" },
        },
    })
}

fn each() -> Value {
    json!({
        "StartAt": "Each",
        "States": {
            "Each": {
                "Type": "Map",
                "ItemsPath": "$.items",
                "ItemSelector": { "value.$": "$$.Map.Item.Value", "keep.$": "$.keep" },
                "ItemProcessor": {
                    "StartAt": "Do",
                    "States": { "Do": { "Type": "Pass", "End": true } },
                },
                "End": true,
            },
        },
    })
}

fn measure(name: &str, definition: &Value, input: &Value, events_per_transition: f64) {
    let definition = Definition::parse(&definition.to_string()).unwrap();
    let limits = Limits { max_events: 400_000, max_bytes: 4 << 20 };
    let begin = Instant::now();
    let mut rows = 0;
    for _ in 0..3 {
        let start = Start { limits, ..Start::new("bench", &input.to_string()) };
        let (execution, outcome) = Execution::start(&definition, start).unwrap();
        rows += outcome.rows.len();
        assert!(execution.ending().is_some());
    }
    let seconds = begin.elapsed().as_secs_f64();
    let rows = f64::from(u32::try_from(rows).unwrap());
    println!("{name:<34} {:>12.0} transitions/s", rows / events_per_transition / seconds);
}

fn main() {
    let items: Vec<u32> = (0..1000).collect();
    measure("Pass", &passes(), &json!({ "n": 1 }), 2.0);
    measure("Choice loop, JSONPath", &countdown(), &json!({ "n": 90_000, "keep": "x" }), 2.0);
    let input = json!({ "n": 90_000, "keep": "x" });
    measure("Choice loop, JSONata", &countdown_in_jsonata(), &input, 2.0);
    measure("Map of 1000", &each(), &json!({ "items": items, "keep": "x" }), 4.0);
}
