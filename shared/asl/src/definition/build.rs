//! Reading a definition's text into a machine, noting everything that is wrong on the way.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::{
    Diagnostic, Flow, FlowId, Kind, Language, Machine, Next, Severity, State, StateId,
    fields::{Fields, Findings, SCHEMA},
    scopes,
};

/// Longest definition, in bytes.
const MAX_TEXT: usize = 1024 * 1024;
/// Longest state name, in characters.
const MAX_NAME: usize = 80;
/// Deepest nesting of branches and processors.
const MAX_NESTING: usize = 32;

/// Reads a definition. A machine comes back whenever its shape could be made out at all; it may
/// be run only if no finding is an error.
pub(super) fn build(text: &str, kind: crate::Kind) -> (Option<Machine>, Vec<Diagnostic>) {
    if text.len() > MAX_TEXT {
        return (None, vec![plain(SCHEMA, "Definition is larger than 1 MB".to_owned(), None)]);
    }
    let value: Value = match serde_json::from_str(text) {
        Ok(value) => value,
        Err(_) if text.trim().is_empty() => return (None, vec![not_an_object()]),
        Err(error) => return (None, vec![not_json(text, &error)]),
    };
    if !value.is_object() {
        return (None, vec![not_an_object()]);
    }
    let mut builder = Builder { express: kind == crate::Kind::Express, ..Builder::default() };
    let machine = builder.machine(&value);
    scopes::check(&value, &mut builder.findings);
    (machine, builder.findings.sorted())
}

fn plain(code: &'static str, message: String, location: Option<String>) -> Diagnostic {
    Diagnostic { severity: Severity::Error, code, message, location }
}

fn not_an_object() -> Diagnostic {
    plain(SCHEMA, "Definition must be a valid JSON object".to_owned(), None)
}

/// Points at the first token that is no JSON, as Jackson's parser words it.
fn not_json(text: &str, error: &serde_json::Error) -> Diagnostic {
    let word: String = text
        .trim_start()
        .chars()
        .take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '$'))
        .collect();
    let starts_with_word = word.starts_with(|c: char| c.is_alphabetic());
    let (message, line, column) = if starts_with_word {
        let lead = &text[..text.len() - text.trim_start().len()];
        let line = lead.matches('\n').count() + 1;
        let before = lead.rsplit('\n').next().unwrap_or_default().chars().count();
        let message = format!(
            "Unrecognized token '{word}': was expecting (JSON String, Number, Array, Object or \
             token 'null', 'true' or 'false')"
        );
        (message, line, before + word.chars().count() + 1)
    } else {
        (error.to_string(), error.line(), error.column())
    };
    let source = format!("[Source: (String)\"{text}\"; line: {line}, column: {column}]");
    plain("INVALID_JSON_DESCRIPTION", format!("{message}\n at {source}"), Some(source))
}

/// The machine as far as it has been read.
#[derive(Default)]
pub(super) struct Builder {
    pub(super) states: Vec<Option<State>>,
    pub(super) flows: Vec<Option<Flow>>,
    pub(super) findings: Findings,
    /// Whether it is to run as Express.
    pub(super) express: bool,
    /// Whether JSONata is the language of the whole machine; then no state may leave it.
    pub(super) whole_is_jsonata: bool,
    names: HashSet<String>,
    depth: usize,
}

/// The states a transition may name, and the language they inherit.
pub(super) struct Surroundings {
    pub(super) ids: HashMap<String, StateId>,
    pub(super) language: Language,
    pub(super) reached: HashSet<StateId>,
}

impl Surroundings {
    /// The state a transition names; reports a name that is not there.
    pub(super) fn target(
        &mut self,
        name: Option<&str>,
        at: &str,
        findings: &mut Findings,
    ) -> StateId {
        let Some(name) = name else { return 0 };
        match self.ids.get(name) {
            Some(id) => {
                self.reached.insert(*id);
                *id
            }
            None => {
                // Whatever the field is called.
                let message = format!("Missing 'Next' target: {name}");
                findings.coded("MISSING_TRANSITION_TARGET", at, message);
                0
            }
        }
    }
}

impl Builder {
    fn machine(&mut self, value: &Value) -> Option<Machine> {
        let fields = Fields::of(value, String::new(), &mut self.findings)?;
        let language = self.language(&fields, Language::JsonPath);
        self.whole_is_jsonata = language == Language::Jsonata;
        let comment = fields.text("Comment", &mut self.findings).map(ToOwned::to_owned);
        if fields.text("Version", &mut self.findings).is_some_and(|version| version != "1.0") {
            self.findings.error("/Version", "Version must be '1.0'");
        }
        let seconds = fields.number("TimeoutSeconds", 1.0..=99_999_999.0, true, &mut self.findings);
        self.flow(&fields, language);
        let states = std::mem::take(&mut self.states).into_iter().collect::<Option<Vec<_>>>()?;
        let flows = std::mem::take(&mut self.flows).into_iter().collect::<Option<Vec<_>>>()?;
        #[expect(clippy::cast_possible_truncation, reason = "at most 99999999")]
        let timeout_seconds = seconds.map(|seconds| seconds as i64);
        let has_variables = states.iter().any(State::has_variables);
        Some(Machine { comment, timeout_seconds, states, flows, has_variables })
    }

    /// The language of a machine or state.
    pub(super) fn language(&mut self, fields: &Fields<'_>, inherited: Language) -> Language {
        match fields.text("QueryLanguage", &mut self.findings) {
            None => inherited,
            Some("JSONata") => Language::Jsonata,
            Some("JSONPath") => Language::JsonPath,
            Some(_) => {
                let at = fields.place("QueryLanguage");
                self.findings.error(&at, "Value must be one of: [JSONPath, JSONata]");
                inherited
            }
        }
    }

    /// Reads `StartAt` and `States`.
    pub(super) fn flow(&mut self, fields: &Fields<'_>, language: Language) -> FlowId {
        let id = number(self.flows.len());
        self.flows.push(None);
        let required = fields.require(&["States", "StartAt"], &mut self.findings);
        if self.depth >= MAX_NESTING {
            self.findings.error(&fields.at, format!("Nested deeper than {MAX_NESTING} levels"));
            return id;
        }
        let Some(states) = fields.object("States", &mut self.findings).filter(|_| required) else {
            return id;
        };
        if states.object.is_empty() {
            self.findings.error(&states.at, "States must not be empty");
            return id;
        }
        self.depth += 1;
        let numbers = self.states(fields, &states, language);
        self.depth -= 1;
        if let Some((start, states)) = numbers
            && let Some(place) = self.flows.get_mut(id as usize)
        {
            *place = Some(Flow { start, states });
        }
        id
    }

    fn states(
        &mut self,
        fields: &Fields<'_>,
        states: &Fields<'_>,
        language: Language,
    ) -> Option<(StateId, Vec<StateId>)> {
        let first = self.states.len();
        let mut ids = HashMap::new();
        for (index, name) in states.object.keys().enumerate() {
            self.name(name, &states.place(name));
            ids.insert(name.clone(), number(first + index));
            self.states.push(None);
        }
        let mut around = Surroundings { ids, language, reached: HashSet::new() };
        let start = fields.text("StartAt", &mut self.findings);
        let at = fields.place("StartAt");
        let start = around.target(start, &at, &mut self.findings);
        for (index, (name, value)) in states.object.iter().enumerate() {
            let state = Fields::of(value, states.place(name), &mut self.findings)
                .and_then(|fields| self.state(name, &fields, &mut around));
            if let Some(place) = self.states.get_mut(first + index) {
                *place = state;
            }
        }
        let numbers: Vec<StateId> = (0..states.object.len()).map(|at| number(first + at)).collect();
        if self.never_ends(&numbers) {
            self.findings.endless();
            return Some((start, numbers));
        }
        for (name, id) in states.object.keys().zip(&numbers) {
            if !around.reached.contains(id) {
                let message = format!("State \"{name}\" is not reachable.");
                self.findings.coded("MISSING_TRANSITION_TARGET", &states.place(name), message);
            }
        }
        Some((start, numbers))
    }

    /// Whether every state goes on to another one; of a state that could not be read nobody knows.
    fn never_ends(&self, states: &[StateId]) -> bool {
        states.iter().all(|id| {
            let state = self.states.get(*id as usize).and_then(Option::as_ref);
            state.is_some_and(|state| {
                state.next != Next::End && !matches!(state.kind, Kind::Fail { .. })
            })
        })
    }

    fn name(&mut self, name: &str, at: &str) {
        if name.is_empty() || name.chars().count() > MAX_NAME {
            let message = format!("State names must have 1 to {MAX_NAME} characters");
            self.findings.error(at, message);
        }
        if !self.names.insert(name.to_owned()) {
            self.findings.coded(
                "DUPLICATE_STATE_NAME",
                at,
                format!("Duplicate State name: {name}"),
            );
        }
    }
}

/// A place in a list as a number; definitions of 1 MB have far fewer than 2³² states.
pub(super) fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
