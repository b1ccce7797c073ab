//! Draws a definition as a Mermaid state diagram.

use std::{collections::BTreeMap, fmt::Write};

use serde_json::Value;

use crate::definition::{Definition, FlowId, Kind, Machine, Next, State, StateId};

/// The definition as the text of a Mermaid `stateDiagram-v2`.
///
/// ```
/// # use mano_asl::{Definition, draw};
/// let definition = Definition::parse(
///     r#"{"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}"#,
/// );
/// let Ok(definition) = definition else { unreachable!() };
/// assert_eq!(
///     draw(&definition),
///     "stateDiagram-v2\n    state \"Done\" as s0\n    [*] --> s0\n    s0 --> [*]\n"
/// );
/// ```
#[must_use]
pub fn draw(definition: &Definition) -> String {
    let mut out = String::from("stateDiagram-v2\n");
    flow(&definition.0, 0, 1, &mut out);
    out
}

/// The same, with the states coloured by what the rows of a history say of them: `done`, `failed`,
/// or `under way`. Rows are JSON as `GetExecutionHistory` returns them, oldest first.
///
/// ```
/// # use mano_asl::{Definition, draw_execution};
/// # use serde_json::json;
/// let text = r#"{"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}"#;
/// let Ok(definition) = Definition::parse(text) else { unreachable!() };
/// let rows = [json!({ "id": 2, "type": "SucceedStateExited",
///     "stateExitedEventDetails": { "name": "Done" } })];
/// assert!(draw_execution(&definition, &rows).contains("class s0 done\n"));
/// ```
#[must_use]
pub fn draw_execution(definition: &Definition, rows: &[Value]) -> String {
    let mut out = draw(definition);
    for (mark, colour) in MARKS {
        line(&mut out, 1, &format!("classDef {} {colour}", mark.name()));
    }
    let marks = marks(rows);
    for (id, state) in definition.0.states.iter().enumerate() {
        if let Some(mark) = marks.get(&*state.name) {
            line(&mut out, 1, &format!("class s{id} {}", mark.name()));
        }
    }
    out
}

/// What happened to a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Done,
    Failed,
    UnderWay,
}

/// Each mark's colours, readable on light and dark grounds.
const MARKS: [(Mark, &str); 3] = [
    (Mark::Done, "fill:#c8e6c9,stroke:#2e7d32,color:#000"),
    (Mark::Failed, "fill:#ffcdd2,stroke:#c62828,color:#000"),
    (Mark::UnderWay, "fill:#bbdefb,stroke:#1565c0,color:#000"),
];

impl Mark {
    const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::UnderWay => "underway",
        }
    }
}

/// What the rows say of each state, by name. A state that was entered and not left when its
/// execution failed has failed.
fn marks(rows: &[Value]) -> BTreeMap<&str, Mark> {
    let mut marks = BTreeMap::new();
    for row in rows {
        let name = |field: &str| row[field]["name"].as_str();
        if let Some(name) = name("stateEnteredEventDetails") {
            marks.insert(name, Mark::UnderWay);
        } else if let Some(name) = name("stateExitedEventDetails") {
            marks.insert(name, Mark::Done);
        }
    }
    let over = ["ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted"];
    if rows.last().and_then(|row| row["type"].as_str()).is_some_and(|kind| over.contains(&kind)) {
        for mark in marks.values_mut().filter(|mark| **mark == Mark::UnderWay) {
            *mark = Mark::Failed;
        }
    }
    marks
}

fn flow(machine: &Machine, id: FlowId, depth: usize, out: &mut String) {
    let Some(flow) = machine.flows.get(id as usize) else { return };
    for id in &flow.states {
        if let Some(state) = machine.states.get(*id as usize) {
            declare(machine, *id, state, depth, out);
        }
    }
    line(out, depth, &format!("[*] --> s{}", flow.start));
    for id in &flow.states {
        if let Some(state) = machine.states.get(*id as usize) {
            arrows(*id, state, depth, out);
        }
    }
}

/// Names a state, and draws what is inside it.
fn declare(machine: &Machine, id: StateId, state: &State, depth: usize, out: &mut String) {
    let name = state.name.replace('"', "#quot;");
    let inside: Vec<FlowId> = match &state.kind {
        Kind::Parallel { branches } => branches.clone(),
        Kind::Map(map) => vec![map.processor],
        Kind::Choice { .. }
        | Kind::Pass { .. }
        | Kind::Task(_)
        | Kind::Wait(_)
        | Kind::Succeed
        | Kind::Fail { .. } => {
            line(out, depth, &format!("state \"{name}\" as s{id}"));
            return;
        }
    };
    line(out, depth, &format!("state \"{name}\" as s{id} {{"));
    for (index, branch) in inside.into_iter().enumerate() {
        if index > 0 {
            line(out, depth + 1, "--");
        }
        flow(machine, branch, depth + 1, out);
    }
    line(out, depth, "}");
}

fn arrows(id: StateId, state: &State, depth: usize, out: &mut String) {
    match (&state.kind, state.next) {
        (Kind::Choice { rules, default }, _) => {
            for (index, rule) in rules.iter().enumerate() {
                line(out, depth, &format!("s{id} --> s{} : rule {}", rule.next, index + 1));
            }
            if let Some(default) = default {
                line(out, depth, &format!("s{id} --> s{default} : otherwise"));
            }
        }
        (Kind::Fail { .. }, _) => line(out, depth, &format!("s{id} --> [*] : fails")),
        (_, Next::State(next)) => line(out, depth, &format!("s{id} --> s{next}")),
        (_, Next::End | Next::Elsewhere) => line(out, depth, &format!("s{id} --> [*]")),
    }
    for catcher in &state.catch {
        let errors = catcher.errors.join(", ");
        line(out, depth, &format!("s{id} --> s{} : {errors}", catcher.next));
    }
}

fn line(out: &mut String, depth: usize, text: &str) {
    let written = writeln!(out, "{:indent$}{text}", "", indent = depth * 4);
    debug_assert!(written.is_ok(), "writing to a String does not fail");
}
