//! Reading one state: what all kinds share, and the simple kinds.

use std::sync::Arc;

use serde_json::Value;

use super::{
    Amount, Assign, Catcher, Data, Kind, Language, Next, Pick, ResultPath, Retrier, State, WaitFor,
    build::{Builder, Surroundings},
    fields::Fields,
};
use crate::{
    doc::Doc,
    expression::Expression,
    path::Reference,
    query::Query,
    template::{self, Template},
    time,
};

/// Fields that belong to JSONPath alone.
const PATH_ONLY: [&str; 16] = [
    "InputPath", "OutputPath", "Parameters", "ResultSelector", "ResultPath", "ItemsPath",
    "SecondsPath", "TimestampPath", "TimeoutSecondsPath", "HeartbeatSecondsPath", "ErrorPath",
    "CausePath", "MaxConcurrencyPath", "ToleratedFailureCountPath",
    "ToleratedFailurePercentagePath", "Result",
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
        let (foreign, name): (&[&str], _) = match language {
            Language::JsonPath => (&EXPRESSION_ONLY, "JSONPath"),
            Language::Jsonata => (&PATH_ONLY, "JSONata"),
        };
        for field in foreign.iter().filter(|field| fields.has(field)) {
            let message = format!("Field '{field}' is not supported for QueryLanguage '{name}'");
            self.findings.error(&fields.place(field), message);
        }
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
            "Parallel" => self.parallel(fields, language),
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
            for field in ["Next", "End"].iter().filter(|field| fields.has(field)) {
                let message = format!("Field '{field}' is not supported by a {} state", kind.name());
                self.findings.error(&fields.place(field), message);
            }
            return if matches!(kind, Kind::Succeed) { Next::End } else { Next::Elsewhere };
        }
        let end = fields.flag("End", &mut self.findings);
        match (end, fields.has("Next")) {
            (true, false) => Next::End,
            (false, true) => {
                let name = fields.text("Next", &mut self.findings);
                let at = fields.place("Next");
                Next::State(around.target(name, "Next", &at, &mut self.findings))
            }
            (true, true) => {
                self.findings.error(&fields.at, "Only one of these fields is allowed: [Next, End]");
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
                    let message = "The value for the field 'ResultPath' must be a valid Reference Path";
                    self.findings.error(&fields.place("ResultPath"), message);
                    ResultPath::Whole
                }
            },
        }
    }

    /// A field that holds a path.
    pub(super) fn query(&mut self, fields: &Fields<'_>, name: &str) -> Option<Query> {
        let value = fields.get(name)?;
        let query = value.as_str().and_then(Query::parse);
        if query.is_none() {
            let message = format!("The value for the field '{name}' must be a valid JSONPath");
            self.findings.error(&fields.place(name), message);
        }
        query
    }

    /// A field that holds a JSONPath template.
    pub(super) fn paths(&mut self, fields: &Fields<'_>, name: &str) -> Option<Template> {
        let template = Template::with_paths(fields.get(name)?);
        self.template(template, fields, name)
    }

    /// A field that holds a JSONata template.
    pub(super) fn expressions(&mut self, fields: &Fields<'_>, name: &str) -> Option<Template> {
        let template = Template::with_expressions(fields.get(name)?, name);
        self.template(template, fields, name)
    }

    /// A field that holds a template of the state's language.
    pub(super) fn either(
        &mut self,
        fields: &Fields<'_>,
        name: &str,
        language: Language,
    ) -> Option<Template> {
        match language {
            Language::JsonPath => self.paths(fields, name),
            Language::Jsonata => self.expressions(fields, name),
        }
    }

    fn template(
        &mut self,
        template: Result<Template, template::Broken>,
        fields: &Fields<'_>,
        name: &str,
    ) -> Option<Template> {
        match template {
            Ok(template) => Some(template),
            Err(broken) => {
                let at = format!("{}{}", fields.place(name), broken.location);
                self.findings.error(&at, broken.message);
                None
            }
        }
    }

    /// The number in `name` or `namePath`.
    pub(super) fn amount(
        &mut self,
        fields: &Fields<'_>,
        name: &str,
        language: Language,
        bounds: std::ops::RangeInclusive<f64>,
        whole: bool,
    ) -> Option<Amount> {
        let path = format!("{name}Path");
        if fields.has(&path) {
            if fields.has(name) {
                let message = format!("Only one of these fields is allowed: [{name}, {path}]");
                self.findings.error(&fields.at, message);
            }
            return self.query(fields, &path).map(Amount::Path);
        }
        if language == Language::Jsonata
            && let Some(Value::String(_)) = fields.get(name)
        {
            return self.expression(fields, name).map(Amount::Expression);
        }
        fields.number(name, bounds, whole, &mut self.findings).map(Amount::Fixed)
    }

    /// A field that must be an expression.
    pub(super) fn expression(&mut self, fields: &Fields<'_>, name: &str) -> Option<Expression> {
        let text = fields.text(name, &mut self.findings)?;
        let Some(source) = Expression::inside(text) else {
            let message = format!("The value for the field '{name}' must be a JSONata expression");
            self.findings.error(&fields.place(name), message);
            return None;
        };
        match Expression::parse(source, name) {
            Ok(expression) => Some(expression),
            Err(message) => {
                self.findings.error(&fields.place(name), message);
                None
            }
        }
    }

    fn fail_text(&mut self, fields: &Fields<'_>, language: Language, name: &str) -> Option<Template> {
        let path = format!("{name}Path");
        if let Some(value) = fields.get(&path) {
            if fields.has(name) {
                let message = format!("Only one of these fields is allowed: [{name}, {path}]");
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
            let message =
                "Exactly one of these fields is required: [Seconds, SecondsPath, Timestamp, TimestampPath]";
            self.findings.error(&fields.at, message);
            return None;
        };
        let expression = language == Language::Jsonata
            && fields.get(name).and_then(Value::as_str).is_some_and(|text| text.starts_with("{%"));
        match name {
            "SecondsPath" => self.query(fields, name).map(WaitFor::SecondsPath),
            "TimestampPath" => self.query(fields, name).map(WaitFor::TimestampPath),
            "Seconds" if expression => self.expression(fields, name).map(WaitFor::SecondsExpression),
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
        match self.either(fields, "Assign", language)? {
            Template::Object(parts) => Some(
                parts.into_iter().map(|(name, part)| (self.variable(&name, &given.at), part)).collect(),
            ),
            Template::Constant(doc) => {
                let values = doc.into_value();
                let values = values.as_object()?.clone();
                Some(
                    values
                        .into_iter()
                        .map(|(name, value)| {
                            (self.variable(&name, &given.at), Template::Constant(Doc::new(value)))
                        })
                        .collect(),
                )
            }
            _ => None,
        }
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

    fn retriers(&mut self, fields: &Fields<'_>) -> Vec<Retrier> {
        let list = fields.list("Retry", &mut self.findings).map(Vec::as_slice).unwrap_or_default();
        let mut retriers = Vec::new();
        for (index, value) in list.iter().enumerate() {
            let at = format!("{}[{index}]", fields.place("Retry"));
            let Some(retry) = Fields::of(value, at, &mut self.findings) else { continue };
            let errors = self.error_equals(&retry, index + 1 == list.len());
            let found = &mut self.findings;
            let interval = retry.number("IntervalSeconds", 1.0..=99_999_999.0, true, found);
            let attempts = retry.number("MaxAttempts", 0.0..=99_999_998.0, true, found);
            let backoff = retry.number("BackoffRate", 1.0..=f64::MAX, false, found);
            let longest = retry.number("MaxDelaySeconds", 1.0..=31_622_399.0, true, found);
            let jitter = match retry.text("JitterStrategy", found) {
                None | Some("NONE") => false,
                Some("FULL") => true,
                Some(_) => {
                    found.error(&retry.place("JitterStrategy"), "Value must be one of: [FULL, NONE]");
                    false
                }
            };
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "between 0 and 99999998"
            )]
            let max_attempts = attempts.unwrap_or(3.0) as u64;
            retriers.push(Retrier {
                errors,
                interval_seconds: interval.unwrap_or(1.0),
                max_attempts,
                backoff_rate: backoff.unwrap_or(2.0),
                max_delay_seconds: longest,
                jitter,
            });
        }
        retriers
    }

    fn catchers(
        &mut self,
        fields: &Fields<'_>,
        language: Language,
        around: &mut Surroundings,
    ) -> Vec<Catcher> {
        let list = fields.list("Catch", &mut self.findings).map(Vec::as_slice).unwrap_or_default();
        let mut catchers = Vec::new();
        for (index, value) in list.iter().enumerate() {
            let at = format!("{}[{index}]", fields.place("Catch"));
            let Some(catch) = Fields::of(value, at, &mut self.findings) else { continue };
            let errors = self.error_equals(&catch, index + 1 == list.len());
            catch.require(&["Next"], &mut self.findings);
            let name = catch.text("Next", &mut self.findings);
            let at = catch.place("Next");
            let next = around.target(name, "Next", &at, &mut self.findings);
            catchers.push(Catcher {
                errors,
                next,
                result_path: self.result_path(&catch),
                output: match language {
                    Language::Jsonata => self.expressions(&catch, "Output"),
                    Language::JsonPath => None,
                },
                assign: self.assign(&catch, language),
            });
        }
        catchers
    }

    fn error_equals(&mut self, fields: &Fields<'_>, is_last: bool) -> Vec<String> {
        fields.require(&["ErrorEquals"], &mut self.findings);
        let at = fields.place("ErrorEquals");
        let list = fields.list("ErrorEquals", &mut self.findings);
        let names: Vec<String> = list
            .into_iter()
            .flatten()
            .filter_map(|name| name.as_str().map(ToOwned::to_owned))
            .collect();
        if list.is_some_and(|list| list.is_empty() || list.len() != names.len()) {
            self.findings.error(&at, "ErrorEquals must be a non-empty array of strings");
        }
        if names.iter().any(|name| name == "States.ALL") && (names.len() > 1 || !is_last) {
            let message = "States.ALL must appear alone, and in the last retrier or catcher";
            self.findings.error(&at, message);
        }
        names
    }
}
