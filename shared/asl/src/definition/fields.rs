//! Reading the fields of one JSON object of a definition, and saying what is wrong with them.

use serde::Serialize;
use serde_json::{Map, Value};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Severity {
    /// The definition cannot run.
    Error,
    /// The definition runs, but probably not as meant.
    Warning,
}

/// One finding about a definition, as `ValidateStateMachineDefinition` reports it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// A stable word: `SCHEMA_VALIDATION_FAILED`.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// Where, as a path from the root: `/States/Wait/Seconds`. Absent if it is everywhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
}

impl std::fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.message)?;
        match &self.location {
            Some(location) => write!(f, " at {location}"),
            None => Ok(()),
        }
    }
}

/// Collects findings, as many as a person could read.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    kept: Vec<Diagnostic>,
    errors: usize,
    warnings: usize,
    is_endless: bool,
}

/// Bytes that errors, and warnings, may fill; one more is kept, the rest is left out. A text of
/// 1 MB can earn hundreds of thousands of findings, each with a long place.
const MAX_BYTES: usize = 1 << 20;

/// Longest name in a place, in bytes. Names of states are shorter.
const MAX_SHOWN: usize = 400;

/// The code of most findings.
pub(crate) const SCHEMA: &str = "SCHEMA_VALIDATION_FAILED";

impl Findings {
    pub(crate) fn error(&mut self, at: &str, message: impl Into<String>) {
        self.add(Severity::Error, SCHEMA, at, message.into());
    }

    pub(crate) fn coded(&mut self, code: &'static str, at: &str, message: impl Into<String>) {
        self.add(Severity::Error, code, at, message.into());
    }

    pub(crate) fn warning(&mut self, code: &'static str, at: &str, message: impl Into<String>) {
        self.add(Severity::Warning, code, at, message.into());
    }

    /// The workflow, or a flow inside of it, never ends: an error at no place, said once.
    pub(crate) fn endless(&mut self) {
        if !self.is_endless {
            let (severity, code) = (Severity::Error, "MISSING_END_STATE");
            let message = "Workflow has no terminal state".to_owned();
            self.kept.push(Diagnostic { severity, code, message, location: None });
        }
        self.is_endless = true;
    }

    fn add(&mut self, severity: Severity, code: &'static str, at: &str, message: String) {
        let filled = match severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        };
        if *filled < MAX_BYTES {
            let location = Some(if at.is_empty() { "/".to_owned() } else { at.to_owned() });
            *filled += message.len() + at.len() + size_of::<Diagnostic>();
            self.kept.push(Diagnostic { severity, code, message, location });
        }
    }

    /// What was found, errors first.
    pub(crate) fn sorted(mut self) -> Vec<Diagnostic> {
        self.kept.sort_by_key(|finding| finding.severity == Severity::Warning);
        self.kept
    }
}

/// The place of a name below another place. Of a name longer than any legal one the head is enough:
/// places of what stands below it are made again and again.
pub(crate) fn below(at: &str, name: &str) -> String {
    format!("{at}/{}", &name[..name.floor_char_boundary(MAX_SHOWN)])
}

/// One object of the definition and its place.
pub(crate) struct Fields<'a> {
    pub(crate) object: &'a Map<String, Value>,
    pub(crate) at: String,
    /// How much of the place is that of the state.
    state: usize,
}

impl<'a> Fields<'a> {
    /// The object at a place; reports what is none.
    pub(crate) fn of(value: &'a Value, at: String, findings: &mut Findings) -> Option<Self> {
        let Some(object) = value.as_object() else {
            findings.error(&at, "Expected value of type Object");
            return None;
        };
        let state = at.len();
        Some(Self { object, at, state })
    }

    /// The objects in a list, which belong to the same state; reports what is none.
    pub(crate) fn objects(&self, name: &str, findings: &mut Findings) -> Option<Vec<Option<Self>>> {
        let list = self.list(name, findings)?;
        let items = list.iter().enumerate().map(|(index, value)| {
            let inner = Self::of(value, format!("{}[{index}]", self.place(name)), findings)?;
            Some(Self { state: self.state, ..inner })
        });
        Some(items.collect())
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.object.contains_key(name)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&'a Value> {
        self.object.get(name)
    }

    /// How errors at run time name a field: its place below the state, `Choices[0]/Condition`.
    pub(crate) fn named(&self, name: &str) -> String {
        self.place(name).get(self.state + 1..).unwrap_or(name).to_owned()
    }

    /// The place of a field.
    pub(crate) fn place(&self, name: &str) -> String {
        below(&self.at, name)
    }

    /// Reports required fields that are missing, together.
    pub(crate) fn require(&self, names: &[&str], findings: &mut Findings) -> bool {
        let missing: Vec<&str> = names.iter().copied().filter(|name| !self.has(name)).collect();
        if !missing.is_empty() {
            let list = missing.join(", ");
            findings.error(&self.at, format!("These fields are required: [{list}]"));
        }
        missing.is_empty()
    }

    pub(crate) fn text(&self, name: &str, findings: &mut Findings) -> Option<&'a str> {
        let value = self.get(name)?;
        let text = value.as_str();
        if text.is_none() {
            findings.error(&self.place(name), "Expected value of type String");
        }
        text
    }

    pub(crate) fn list(&self, name: &str, findings: &mut Findings) -> Option<&'a Vec<Value>> {
        let value = self.get(name)?;
        let list = value.as_array();
        if list.is_none() {
            findings.error(&self.place(name), "Expected value of type Array");
        }
        list
    }

    pub(crate) fn object(&self, name: &str, findings: &mut Findings) -> Option<Self> {
        let inner = Self::of(self.get(name)?, self.place(name), findings)?;
        Some(Self { state: self.state, ..inner })
    }

    pub(crate) fn flag(&self, name: &str, findings: &mut Findings) -> bool {
        match self.get(name) {
            None => false,
            Some(Value::Bool(flag)) => *flag,
            Some(_) => {
                findings.error(&self.place(name), "Expected value of type Boolean");
                false
            }
        }
    }

    /// A number within bounds.
    pub(crate) fn number(
        &self,
        name: &str,
        bounds: std::ops::RangeInclusive<f64>,
        whole: bool,
        findings: &mut Findings,
    ) -> Option<f64> {
        let value = self.get(name)?;
        let number =
            value.as_f64().filter(|number| !whole || value.is_i64() || number.fract() == 0.0);
        let Some(number) = number else {
            let kind = if whole { "Integer" } else { "Number" };
            findings.error(&self.place(name), format!("Expected value of type {kind}"));
            return None;
        };
        let shown = |bound: &f64| if whole { format!("{bound}") } else { format!("{bound:?}") };
        let message = if number < *bounds.start() {
            format!("Minimum value is {}", shown(bounds.start()))
        } else if number > *bounds.end() {
            format!("Maximum value is {}", shown(bounds.end()))
        } else {
            return Some(number);
        };
        findings.error(&self.place(name), message);
        None
    }
}
