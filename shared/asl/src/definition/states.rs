//! Reading one state: what all kinds share, and the simple kinds.

use std::sync::Arc;

use serde_json::Value;

use super::{
    Assign, Data, Kind, Language, Next, Pick, ResultPath, State, WaitFor,
    build::{Builder, Surroundings},
    fields::Fields,
};
use crate::{
    doc::Doc,
    path::Reference,
    template::{self, Template},
    time,
};

/// Fields that belong to JSONPath alone.
const PATH_ONLY: [&str; 11] = [
    "InputPath",
    "OutputPath",
    "Parameters",
    "ResultSelector",
    "ResultPath",
    "ItemsPath",
    "SecondsPath",
    "TimestampPath",
    "ErrorPath",
    "CausePath",
    "Result",
];
/// Fields that belong to JSONata alone.
const EXPRESSION_ONLY: [&str; 3] = ["Arguments", "Output", "Items"];

impl Builder {
    pub(super) fn state(
        &mut self,
        name: &str,
        fields: &Fields<'_>,
        around: &mut Surroundings,
    ) -> Option<State> {
        if !fields.require(&["Type"], &mut self.findings) {
            return None;
        }
        let language = self.state_language(fields, around.language);
        self.foreign_fields(fields, language);
        let kind = self.kind(fields, language, around)?;
        self.misplaced_fields(fields, &kind);
        let next = self.next(fields, &kind, around);
        let arguments = matches!(kind, Kind::Task(_) | Kind::Parallel { .. });
        let data = self.data(fields, language, arguments);
        let assign = self.assign(fields, language);
        let retry = self.retriers(fields);
        let catch = self.catchers(fields, language, around);
        Some(State { name: Arc::from(name), language, kind, data, next, assign, retry, catch })
    }

    fn state_language(&mut self, fields: &Fields<'_>, inherited: Language) -> Language {
        let language = self.language(fields, inherited);
        if self.whole_is_jsonata && language == Language::JsonPath {
            let message =
                "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine";
            self.findings.error(&fields.at, message);
        }
        language
    }

    fn foreign_fields(&mut self, fields: &Fields<'_>, language: Language) {
        let foreign: &[&str] = match language {
            Language::JsonPath => &EXPRESSION_ONLY,
            Language::Jsonata => &PATH_ONLY,
        };
        for field in foreign.iter().filter(|field| fields.has(field)) {
            self.other_language(fields, field, language);
        }
    }

    /// Fields that only other kinds of states have.
    fn misplaced_fields(&mut self, fields: &Fields<'_>, kind: &Kind) {
        let only_tasks: &[&str] = if kind.as_task().is_none() { &["TimeoutSeconds"] } else { &[] };
        let handlers: &[&str] = if kind.may_be_retried() { &[] } else { &["Retry", "Catch"] };
        let goes_on = !matches!(kind, Kind::Choice { .. } | Kind::Succeed | Kind::Fail { .. });
        let ways: &[&str] = if goes_on { &[] } else { &["Next", "End"] };
        for field in [only_tasks, handlers, ways].concat() {
            if fields.has(field) {
                self.unsupported(fields, field);
            }
        }
    }

    /// Reports a field that does not belong where it stands.
    pub(super) fn unsupported(&mut self, fields: &Fields<'_>, name: &str) {
        self.findings.error(&fields.at, format!("Field '{name}' is not supported"));
    }

    fn kind(
        &mut self,
        fields: &Fields<'_>,
        language: Language,
        around: &mut Surroundings,
    ) -> Option<Kind> {
        match fields.text("Type", &mut self.findings)? {
            "Pass" => {
                let result = fields.get("Result").map(|value| Doc::new(value.clone()));
                Some(Kind::Pass { result })
            }
            "Task" => self.task(fields, language).map(|task| Kind::Task(Box::new(task))),
            "Choice" => self.choice(fields, language, around),
            "Wait" => self.wait(fields, language).map(Kind::Wait),
            "Succeed" => Some(Kind::Succeed),
            "Fail" => {
                let error = self.fail_text(fields, language, "Error");
                let cause = self.fail_text(fields, language, "Cause");
                Some(Kind::Fail { error, cause })
            }
            "Parallel" => self.parallel(fields),
            "Map" => self.map(fields, language).map(|map| Kind::Map(Box::new(map))),
            other => {
                let message = format!(
                    "Value '{other}' is not one of: [Pass, Task, Choice, Wait, Succeed, Fail, \
                     Parallel, Map]"
                );
                self.findings.error(&fields.place("Type"), message);
                None
            }
        }
    }

    fn next(&mut self, fields: &Fields<'_>, kind: &Kind, around: &mut Surroundings) -> Next {
        if matches!(kind, Kind::Choice { .. } | Kind::Succeed | Kind::Fail { .. }) {
            return if matches!(kind, Kind::Succeed) { Next::End } else { Next::Elsewhere };
        }
        let end = fields.flag("End", &mut self.findings);
        match (end, fields.has("Next")) {
            (true, false) => Next::End,
            (false, true) => {
                let name = fields.text("Next", &mut self.findings);
                let at = fields.place("Next");
                Next::State(around.target(name, &at, &mut self.findings))
            }
            (true, true) => {
                let message = "There should only be one of the following fields: [Next, End]";
                self.findings.error(&fields.at, message);
                Next::End
            }
            (false, false) => {
                self.findings.error(&fields.at, "One of these fields is required: [Next, End]");
                Next::End
            }
        }
    }

    fn data(&mut self, fields: &Fields<'_>, language: Language, arguments: bool) -> Data {
        let parameters = match language {
            Language::Jsonata => arguments.then(|| self.expressions(fields, "Arguments")).flatten(),
            // In a Map `Parameters` is the old name of `ItemSelector`.
            Language::JsonPath if fields.get("Type").is_some_and(|kind| kind == "Map") => None,
            Language::JsonPath => self.paths(fields, "Parameters"),
        };
        Data {
            input_path: self.pick(fields, "InputPath"),
            parameters,
            result_selector: self.paths(fields, "ResultSelector"),
            result_path: self.result_path(fields),
            output_path: self.pick(fields, "OutputPath"),
            output: match language {
                Language::Jsonata => self.expressions(fields, "Output"),
                Language::JsonPath => None,
            },
        }
    }

    fn pick(&mut self, fields: &Fields<'_>, name: &str) -> Pick {
        match fields.get(name) {
            None => Pick::Whole,
            Some(Value::Null) => Pick::Nothing,
            Some(_) => match self.query(fields, name) {
                Some(query) if query.is_input() => Pick::Whole,
                Some(query) => Pick::At(query),
                None => Pick::Whole,
            },
        }
    }

    pub(super) fn result_path(&mut self, fields: &Fields<'_>) -> ResultPath {
        match fields.get("ResultPath") {
            None => ResultPath::Whole,
            Some(Value::Null) => ResultPath::Drop,
            Some(value) => match value.as_str().and_then(Reference::parse) {
                Some(path) if path.is_root() => ResultPath::Whole,
                Some(path) => ResultPath::At(path),
                None => {
                    self.findings
                        .error(&fields.place("ResultPath"), "Value is not a Reference Path");
                    ResultPath::Whole
                }
            },
        }
    }

    fn fail_text(
        &mut self,
        fields: &Fields<'_>,
        language: Language,
        name: &str,
    ) -> Option<Template> {
        let path = format!("{name}Path");
        if let Some(value) = fields.get(&path) {
            if fields.has(name) {
                let message =
                    format!("There should only be one of the following fields: [{name}, {path}]");
                self.findings.error(&fields.at, message);
            }
            let template = value.as_str().and_then(|text| template::dynamic(text, &path));
            if template.is_none() {
                let message = format!(
                    "The value for the field '{path}' must be a valid JSONPath or a valid \
                     intrinsic function call"
                );
                self.findings.error(&fields.place(&path), message);
            }
            return template;
        }
        fields.text(name, &mut self.findings)?;
        match language {
            Language::Jsonata => self.expressions(fields, name),
            Language::JsonPath => {
                fields.get(name).map(|value| Template::Constant(Doc::new(value.clone())))
            }
        }
    }

    fn wait(&mut self, fields: &Fields<'_>, language: Language) -> Option<WaitFor> {
        const NAMES: [&str; 4] = ["Seconds", "SecondsPath", "Timestamp", "TimestampPath"];
        let given: Vec<&str> = NAMES.into_iter().filter(|name| fields.has(name)).collect();
        let [name] = given[..] else {
            let message = "Exactly one of these fields is required: [Seconds, SecondsPath, Timestamp, TimestampPath]";
            self.findings.error(&fields.at, message);
            return None;
        };
        let expression = language == Language::Jsonata
            && fields.get(name).and_then(Value::as_str).is_some_and(|text| text.starts_with("{%"));
        match name {
            "SecondsPath" => self.query(fields, name).map(WaitFor::SecondsPath),
            "TimestampPath" => self.query(fields, name).map(WaitFor::TimestampPath),
            "Seconds" if expression => {
                self.expression(fields, name).map(WaitFor::SecondsExpression)
            }
            "Timestamp" if expression => {
                self.expression(fields, name).map(WaitFor::TimestampExpression)
            }
            "Seconds" => {
                let seconds = fields.number(name, 0.0..=99_999_999.0, true, &mut self.findings)?;
                #[expect(clippy::cast_possible_truncation, reason = "at most 99999999")]
                Some(WaitFor::Seconds(seconds as i64))
            }
            _ => {
                let instant = time::parse(fields.text(name, &mut self.findings)?);
                if instant.is_none() {
                    let message = "String does not match RFC3339 timestamp";
                    self.findings.error(&fields.place(name), message);
                }
                instant.map(WaitFor::Timestamp)
            }
        }
    }

    pub(super) fn assign(&mut self, fields: &Fields<'_>, language: Language) -> Option<Assign> {
        let given = fields.object("Assign", &mut self.findings)?;
        let parts = self.either(fields, "Assign", language)?.into_fields();
        Some(
            parts.into_iter().map(|(name, part)| (self.variable(&name, &given.at), part)).collect(),
        )
    }

    fn variable(&mut self, name: &str, at: &str) -> Arc<str> {
        let legal = name.chars().enumerate().all(|(index, c)| {
            c == '_' || if index == 0 { c.is_alphabetic() } else { c.is_alphanumeric() }
        });
        if !legal || name.is_empty() || name.chars().count() > 80 || name == "states" {
            self.findings.error(at, format!("'{name}' is not a valid variable name"));
        }
        Arc::from(name)
    }
}
