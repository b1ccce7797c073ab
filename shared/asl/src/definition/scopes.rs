//! The scopes of variables: an inner one sees the outer one's; its own had better be named apart.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::fields::{Findings, below};

/// Names assigned in a scope, and the scope around it. A machine of a thousand branches has a
/// thousand scopes: none copies what it sees.
struct Names<'a> {
    own: BTreeSet<&'a str>,
    outer: Option<&'a Self>,
}

impl Names<'_> {
    fn contains(&self, name: &str) -> bool {
        self.own.contains(name) || self.outer.is_some_and(|outer| outer.contains(name))
    }
}

/// Deepest nesting that is looked at; deeper definitions are refused elsewhere.
const MAX_NESTING: usize = 32;

/// The code of the finding.
const HIDDEN: &str = "VARIABLE_HIDDEN";

/// Warns of states of branches and inline iterations that assign to a name of an outer scope. The
/// guide forbids it; recorded, such a machine is created and runs. The children of a distributed Map
/// are executions of their own and see no outer scope.
pub(super) fn check(machine: &Value, findings: &mut Findings) {
    scope(machine, "", None, 0, findings);
}

fn scope(flow: &Value, at: &str, outer: Option<&Names<'_>>, depth: usize, findings: &mut Findings) {
    let Some(states) = flow["States"].as_object().filter(|_| depth <= MAX_NESTING) else { return };
    for (name, state) in states {
        for (field, assign) in assigns(state, &below(&format!("{at}/States"), name)) {
            for variable in assign.keys().map(|key| plain(key)) {
                if outer.is_some_and(|outer| outer.contains(variable)) {
                    let message = format!(
                        "The variable '{variable}' hides the one of an outer scope, which keeps \
                         its value"
                    );
                    findings.warning(HIDDEN, &field, message);
                }
            }
        }
    }
    let own = states.values().flat_map(|state| assigns(state, ""));
    let own = own.flat_map(|(_, assign)| assign.keys().map(|key| plain(key))).collect();
    let names = Names { own, outer };
    for (name, state) in states {
        for (place, inner, is_apart) in inside(state, &below(&format!("{at}/States"), name)) {
            let outer = (!is_apart).then_some(&names);
            scope(inner, &place, outer, depth + 1, findings);
        }
    }
}

/// A name without the suffix that marks a path.
fn plain(key: &str) -> &str {
    key.strip_suffix(".$").unwrap_or(key)
}

/// Every `Assign` of a state and where it stands.
fn assigns<'a>(state: &'a Value, at: &str) -> Vec<(String, &'a Map<String, Value>)> {
    let mut found = Vec::new();
    let mut add = |holder: &'a Value, at: String| {
        found.extend(holder["Assign"].as_object().map(|assign| (format!("{at}/Assign"), assign)));
    };
    add(state, at.to_owned());
    for list in ["Choices", "Catch"] {
        for (index, one) in state[list].as_array().into_iter().flatten().enumerate() {
            add(one, format!("{at}/{list}[{index}]"));
        }
    }
    found
}

/// The flows inside a state, where they stand, and whether they are executions of their own.
fn inside<'a>(state: &'a Value, at: &str) -> Vec<(String, &'a Value, bool)> {
    let branches = state["Branches"].as_array().into_iter().flatten().enumerate();
    let mut found: Vec<_> = branches
        .map(|(index, branch)| (format!("{at}/Branches[{index}]"), branch, false))
        .collect();
    for name in ["ItemProcessor", "Iterator"] {
        if let Some(processor) = state.get(name) {
            let is_apart = processor["ProcessorConfig"]["Mode"] == "DISTRIBUTED";
            found.push((format!("{at}/{name}"), processor, is_apart));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::Definition;

    fn warned(mode: &str, inner: &str) -> Option<String> {
        let pass = json!({ "Type": "Pass", "End": true, "Assign": { inner: 1 } });
        let definition = json!({ "StartAt": "Set", "States": {
            "Set": { "Type": "Pass", "Assign": { "x": 1, "y.$": "$" }, "Next": "Each" },
            "Each": { "Type": "Map", "End": true, "ItemProcessor": {
                "ProcessorConfig": { "Mode": mode, "ExecutionType": "STANDARD" },
                "StartAt": "Inner", "States": { "Inner": pass } } } } });
        assert!(Definition::parse(&definition.to_string()).is_ok());
        Definition::check(&definition.to_string()).pop()?.location
    }

    #[test]
    fn who_hides_a_variable_of_an_outer_scope_is_warned() {
        let place = Some("/States/Each/ItemProcessor/States/Inner/Assign".to_owned());
        assert_eq!(warned("INLINE", "x"), place);
        assert_eq!(warned("INLINE", "y"), place);
        assert_eq!(warned("INLINE", "z"), None);
    }

    #[test]
    fn the_children_of_a_distributed_map_name_their_variables_as_they_like() {
        assert_eq!(warned("DISTRIBUTED", "x"), None);
    }
}
