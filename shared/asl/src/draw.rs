//! Draws a definition as a Mermaid state diagram.

use std::fmt::Write;

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
