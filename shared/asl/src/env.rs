//! What an expression in a state can see: its input and result, variables, the context object.

use std::{cell::Cell, collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    doc::Doc,
    entropy::Entropy,
    fault::Fault,
    path::{NotFound, Path},
    time,
};

/// The variables of one scope.
pub(crate) type Variables = BTreeMap<Arc<str>, Doc>;

/// The facts about an execution that never change while it runs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Identity {
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) state_machine_arn: String,
    pub(crate) state_machine_name: String,
    pub(crate) role_arn: Arc<str>,
    pub(crate) input: Doc,
    pub(crate) started_at: i64,
    pub(crate) redrive_count: u64,
    pub(crate) redriven_at: Option<i64>,
    /// A context object given by the caller of TestState, instead of all of the above.
    pub(crate) given_context: Option<Doc>,
}

/// The item a Map iteration works on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Item {
    pub(crate) index: usize,
    pub(crate) value: Doc,
}

/// The state the context object speaks of.
pub(crate) struct Context<'a> {
    pub(crate) identity: &'a Identity,
    pub(crate) state: &'a str,
    pub(crate) entered_at: i64,
    /// Only states that may be retried count.
    pub(crate) retry_count: Option<u64>,
    pub(crate) token: Option<&'a str>,
    pub(crate) item: Option<&'a Item>,
}

/// Everything an expression can see.
pub(crate) struct Env<'a> {
    /// `$` of a JSONPath.
    pub(crate) root: &'a Doc,
    /// `$states.input`.
    pub(crate) input: &'a Doc,
    /// `$states.result`.
    pub(crate) result: Option<&'a Doc>,
    /// `$states.errorOutput`.
    pub(crate) error: Option<&'a Doc>,
    /// Innermost scope first.
    pub(crate) scopes: &'a [&'a Variables],
    pub(crate) context: Context<'a>,
    pub(crate) entropy: Entropy<'a>,
    pub(crate) now: i64,
    /// Bytes copied so far, against templates that copy much data often.
    pub(crate) copied: Cell<usize>,
    /// Steps of evaluation the turn has spent so far.
    pub(crate) spent: Cell<u64>,
}

/// Most bytes one template may copy.
const MAX_COPIED: usize = 24 << 20;

impl Env<'_> {
    /// Notes that bytes are about to be copied; `false` if that is too much.
    pub(crate) fn may_copy(&self, bytes: usize) -> bool {
        let copied = self.copied.get().saturating_add(bytes);
        self.copied.set(copied);
        copied <= MAX_COPIED
    }

    /// Hands `copy` the bytes that may still be copied; what it leaves of them is left.
    pub(crate) fn copy_within<R>(&self, copy: impl FnOnce(&mut usize) -> R) -> R {
        let mut room = MAX_COPIED.saturating_sub(self.copied.get());
        let copied = copy(&mut room);
        self.copied.set(self.copied.get().max(MAX_COPIED - room));
        copied
    }

    /// The fault of a template that copies too much.
    pub(crate) fn overdrawn(&self) -> Option<Fault> {
        let what = "The template makes more data than a state may hold.";
        (self.copied.get() > MAX_COPIED).then(|| Fault::runtime(what))
    }

    /// The value of a variable.
    pub(crate) fn variable(&self, name: &str) -> Option<&Doc> {
        self.scopes.iter().find_map(|scope| scope.get(name))
    }
}

impl Context<'_> {
    /// Looks a path up in the context object, building only what it needs.
    pub(crate) fn visit<R>(
        &self,
        path: &Path,
        look: impl FnOnce(&Value) -> R,
    ) -> Result<R, NotFound> {
        if self.identity.given_context.is_none() {
            let mut names = path.leading_names();
            let inside = match (names.next(), names.next(), names.next()) {
                (Some("Execution"), Some("Input"), _) => Some((&self.identity.input, 2)),
                (Some("Map"), Some("Item"), Some("Value")) => {
                    self.item.map(|item| (&item.value, 3))
                }
                _ => None,
            };
            if let Some((doc, used)) = inside {
                let rest = path.skip(used);
                return rest.visit_in(doc.value(), look);
            }
        }
        path.visit_in(&self.object(), look)
    }

    /// The whole context object.
    pub(crate) fn object(&self) -> Value {
        let mut context = match &self.identity.given_context {
            Some(given) => given.value().clone(),
            None => self.own_object(),
        };
        if let Some(fields) = context.as_object_mut() {
            if let Some(token) = self.token {
                fields.entry("Task").or_insert_with(|| json!({ "Token": token }));
            }
            if let Some(item) = self.item {
                fields.insert("Map".to_owned(), json!({ "Item": item.object() }));
            }
        }
        context
    }

    fn own_object(&self) -> Value {
        let identity = self.identity;
        let mut execution = Map::new();
        execution.insert("Id".to_owned(), json!(identity.arn));
        execution.insert("Input".to_owned(), identity.input.value().clone());
        execution.insert("Name".to_owned(), json!(identity.name));
        execution.insert("RoleArn".to_owned(), json!(identity.role_arn));
        execution.insert("StartTime".to_owned(), json!(time::format(identity.started_at)));
        execution.insert("RedriveCount".to_owned(), json!(identity.redrive_count));
        if let Some(at) = identity.redriven_at {
            execution.insert("RedriveTime".to_owned(), json!(time::format(at)));
        }
        let mut state = Map::new();
        state.insert("Name".to_owned(), json!(self.state));
        state.insert("EnteredTime".to_owned(), json!(time::format(self.entered_at)));
        if let Some(count) = self.retry_count {
            state.insert("RetryCount".to_owned(), json!(count));
        }
        json!({
            "Execution": execution,
            "StateMachine": {
                "Id": identity.state_machine_arn,
                "Name": identity.state_machine_name,
            },
            "State": state,
        })
    }
}

impl Item {
    fn object(&self) -> Value {
        let mut fields = Map::new();
        fields.insert("Index".to_owned(), json!(self.index));
        fields.insert("Value".to_owned(), self.value.value().clone());
        Value::Object(fields)
    }
}

impl Path {
    /// Hands what the path selects in `root` to `look`.
    pub(crate) fn visit_in<R>(
        &self,
        root: &Value,
        look: impl FnOnce(&Value) -> R,
    ) -> Result<R, NotFound> {
        use crate::path::Found;
        Ok(match self.get(root)? {
            Found::One(value) => look(value),
            found @ (Found::Many(_) | Found::Made(_)) => look(&found.into_value()),
        })
    }
}
