//! JSONata expressions in a definition: the only file that speaks with `mano-jsonata`.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use mano_jsonata::{Bindings, Budget, Host, NotJson, Object};
use serde_json::Value;

use crate::{
    entropy::Place,
    env::{Context, Env, Item},
    fault::Fault,
    time,
};

/// A JSON value as JSONata holds it: cloned for free.
pub(crate) type Shared = mano_jsonata::Value;

/// Steps and bytes one evaluation may spend; with what its result takes as JSON (`MAX_COPIED`) that
/// is 64 MiB.
const MAX_STEPS: u64 = 10_000_000;
const MAX_BYTES: u64 = 40 << 20;
/// Steps all evaluations of one turn may spend: a selector is evaluated for every item of a Map.
const MAX_TURN_STEPS: u64 = 200_000_000;

/// What AWS says of an expression that needs too much memory; there the limit is lower.
const TOO_MUCH: &str = "threw an error during evaluation: Expression evaluation memory limit \
                        exceeded: Check for excessive memory usage";

/// An expression, ready to be evaluated.
#[derive(Debug, Clone)]
pub(crate) struct Expression {
    code: mano_jsonata::Expression,
    field: Arc<str>,
    /// Whether it may look at the context object.
    needs_context: bool,
}

/// Why an expression is no part of a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl Expression {
    /// The text between `{%` and `%}`, if those enclose the whole string.
    pub(crate) fn inside(text: &str) -> Option<&str> {
        let inner = text.strip_prefix("{%")?.strip_suffix("%}")?;
        Some(inner.trim())
    }

    /// Reads an expression; `field` is where it stands, such as `Output/total`.
    pub(crate) fn parse(source: &str, field: &str) -> Result<Self, Refused> {
        let code = mano_jsonata::Expression::parse(source).map_err(|error| Refused {
            code: "INVALID_JSONATA_EXPRESSION",
            message: error.message,
        })?;
        if let Some(name) = code.names_in_input().next() {
            let message = format!("Reference to '{name}' at the top level is not supported.");
            return Err(Refused { code: "UNSUPPORTED_JSONATA_EXPRESSION", message });
        }
        let needs_context = needs_context(source);
        Ok(Self { code, field: Arc::from(field), needs_context })
    }

    /// Evaluates to a JSON value.
    pub(crate) fn value(&self, env: &Env<'_>) -> Result<Value, Fault> {
        let mut bindings = Bindings::new();
        for name in self.code.free_variables() {
            if name == "states" {
                bindings.set(name, self.states(env));
            } else if let Some(doc) = env.variable(name) {
                bindings.set(name, doc.shared().clone());
            }
        }
        let drawn = AtomicU64::new(0);
        let host = World { place: env.entropy.place(), drawn, now: env.now };
        let spent = env.spent.get();
        let steps = MAX_STEPS.min(MAX_TURN_STEPS.saturating_sub(spent));
        let mut budget = Budget::new(steps, MAX_BYTES);
        let found = self.code.evaluate(None, &bindings, &host, &mut budget);
        env.spent.set(spent.saturating_add(steps.saturating_sub(budget.remaining().0)));
        match found {
            Ok(Some(value)) => self.json(&value, env),
            Ok(None) => Err(self.fault("returned nothing (undefined).".to_owned())),
            Err(_) if budget.remaining().1 == 0 => Err(self.fault(TOO_MUCH.to_owned())),
            Err(error) => Err(self.fault(format!(
                "threw an error during evaluation. {}: {}",
                error.code, error.message
            ))),
        }
    }

    /// The result as JSON, within what all results of the template may take together.
    fn json(&self, value: &Shared, env: &Env<'_>) -> Result<Value, Fault> {
        env.copy_within(|room| value.to_json(room)).map_err(|reason| {
            self.fault(match reason {
                NotJson::Function | NotJson::TooDeep => {
                    "returned an unsupported result type.".to_owned()
                }
                NotJson::TooLarge => TOO_MUCH.to_owned(),
            })
        })
    }

    /// `$states`.
    fn states(&self, env: &Env<'_>) -> Shared {
        let mut fields = vec![(Arc::from("input"), env.input.shared().clone())];
        if self.needs_context {
            fields.push((Arc::from("context"), context(&env.context)));
        }
        if let Some(result) = env.result {
            fields.push((Arc::from("result"), result.shared().clone()));
        }
        if let Some(error) = env.error {
            fields.push((Arc::from("errorOutput"), error.shared().clone()));
        }
        object(fields)
    }

    /// The fault of a result of the wrong type.
    pub(crate) fn unexpected(&self, expected: &str, value: &Value) -> Fault {
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        self.fault(format!(
            "returned an unexpected result type. Expected '{expected}', but was '{kind}' for \
             value: {value}"
        ))
    }

    fn fault(&self, what: String) -> Fault {
        Fault::evaluation(
            Some(self.field.to_string()),
            format!(
                "The JSONata expression '{}' specified for the field '{}' {what}",
                self.code.source(),
                self.field
            ),
        )
    }
}

/// Whether an expression looks at more of `$states` than its input, result and error. When in
/// doubt it does; the context object is the one part that must be built for each evaluation.
fn needs_context(source: &str) -> bool {
    source.split("$states").skip(1).any(|rest| {
        ![".input", ".result", ".errorOutput"].iter().any(|known| rest.starts_with(known))
    })
}

fn object(fields: Vec<(Arc<str>, Shared)>) -> Shared {
    Shared::Object(fields.into_iter().collect::<Object>())
}

/// The context object, sharing the documents it shows.
fn context(context: &Context<'_>) -> Shared {
    if context.identity.given_context.is_some() {
        return Shared::from(&context.object());
    }
    let identity = context.identity;
    let mut execution = vec![
        (Arc::from("Id"), Shared::from(identity.arn.as_str())),
        (Arc::from("Input"), identity.input.shared().clone()),
        (Arc::from("Name"), Shared::from(identity.name.as_str())),
        (Arc::from("RoleArn"), Shared::from(&*identity.role_arn)),
        (Arc::from("StartTime"), Shared::from(time::format(identity.started_at))),
        (Arc::from("RedriveCount"), whole(identity.redrive_count)),
    ];
    if let Some(at) = identity.redriven_at {
        execution.push((Arc::from("RedriveTime"), Shared::from(time::format(at))));
    }
    let machine = vec![
        (Arc::from("Id"), Shared::from(identity.state_machine_arn.as_str())),
        (Arc::from("Name"), Shared::from(identity.state_machine_name.as_str())),
    ];
    let mut state = vec![
        (Arc::from("Name"), Shared::from(context.state)),
        (Arc::from("EnteredTime"), Shared::from(time::format(context.entered_at))),
    ];
    if let Some(count) = context.retry_count {
        state.push((Arc::from("RetryCount"), whole(count)));
    }
    let mut fields = vec![
        (Arc::from("Execution"), object(execution)),
        (Arc::from("StateMachine"), object(machine)),
        (Arc::from("State"), object(state)),
    ];
    if let Some(token) = context.token {
        let task = vec![(Arc::from("Token"), Shared::from(token))];
        fields.push((Arc::from("Task"), object(task)));
    }
    if let Some(item) = context.item {
        let map = vec![(Arc::from("Item"), map_item(item))];
        fields.push((Arc::from("Map"), object(map)));
    }
    object(fields)
}

fn map_item(item: &Item) -> Shared {
    object(vec![
        (Arc::from("Index"), whole(item.index as u64)),
        (Arc::from("Value"), item.value.shared().clone()),
    ])
}

/// A count; JSONata's numbers are exact up to 2⁵³.
fn whole(count: u64) -> Shared {
    Shared::from(u32::try_from(count).map_or(f64::MAX, f64::from))
}

/// Time and chance for one evaluation, both from the execution's record.
struct World<'a> {
    place: Place<'a>,
    drawn: AtomicU64,
    now: i64,
}

impl Host for World<'_> {
    fn now_millis(&self) -> i64 {
        self.now
    }

    fn random(&self) -> f64 {
        self.place.unit(self.drawn.fetch_add(1, Ordering::Relaxed))
    }

    fn uuid(&self) -> String {
        self.place.uuid(self.drawn.fetch_add(1, Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_string_is_an_expression() {
        assert_eq!(Expression::inside("{% 1 + 1 %}"), Some("1 + 1"));
        assert_eq!(Expression::inside(" {% 1 %}"), None);
        assert_eq!(Expression::inside("{% 1 %} and more"), None);
        assert_eq!(Expression::inside("{%"), None);
    }

    #[test]
    fn the_context_object_is_built_only_for_who_may_look_at_it() {
        assert!(!needs_context("$states.input.a + $states.result.b"));
        assert!(needs_context("$states.context.State.Name"));
        assert!(needs_context("$lookup($states, 'con' & 'text')"));
        assert!(needs_context("$states.*"));
        assert!(!needs_context("$x + 1"));
    }
}
