//! Reading fields that hold paths, templates, expressions and numbers.

use serde_json::Value;

use super::{
    Amount, Language,
    build::Builder,
    fields::{Fields, below},
};
use crate::{
    expression::Expression,
    query::Query,
    template::{self, Template},
};

impl Builder {
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
        let value = fields.get(name)?;
        self.forgotten_dollars(value, &fields.place(name), 0);
        let template = Template::with_paths(value);
        self.template(template, fields, name)
    }

    /// Warns of strings that look like paths or expressions and will stay plain text.
    fn forgotten_dollars(&mut self, value: &Value, at: &str, depth: usize) {
        let fields = value.as_object().into_iter().flatten();
        for (name, value) in fields.filter(|_| depth < 64) {
            let place = below(at, name);
            match value.as_str() {
                Some(text) if !name.ends_with(".$") && text.starts_with("$.") => {
                    let message = format!(
                        "No .$ on a field named '{name}' whose value looks like a JSONPath"
                    );
                    self.findings.warning("NO_DOLLAR", &place, message);
                }
                Some(text) if text.starts_with("{%") && text.ends_with("%}") => {
                    let message = format!(
                        "The field '{name}' holds a JSONata expression in a state whose \
                         QueryLanguage is JSONPath"
                    );
                    self.findings.warning("EXPRESSION_IN_JSONPATH", &place, message);
                }
                _ => self.forgotten_dollars(value, &place, depth + 1),
            }
        }
    }

    /// A field that holds a JSONata template.
    pub(super) fn expressions(&mut self, fields: &Fields<'_>, name: &str) -> Option<Template> {
        let template = Template::with_expressions(fields.get(name)?, &fields.named(name));
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
                self.findings.coded(broken.code, &at, broken.message);
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
        if let Some(value) = fields.get(&path) {
            if language == Language::Jsonata {
                self.other_language(fields, &path, language);
            }
            if fields.has(name) {
                let message =
                    format!("There should only be one of the following fields: [{name}, {path}]");
                self.findings.error(&fields.at, message);
            }
            let query = value.as_str().and_then(Query::parse).filter(|query| !query.is_context());
            if query.is_none() {
                self.findings.error(&fields.place(&path), "Value is not a Reference Path");
            }
            return query.map(Amount::Path);
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
        match Expression::parse(source, &fields.named(name)) {
            Ok(expression) => Some(expression),
            Err(refused) => {
                self.findings.coded(refused.code, &fields.place(name), refused.message);
                None
            }
        }
    }

    /// Reports a field of the other language.
    pub(super) fn other_language(&mut self, fields: &Fields<'_>, name: &str, language: Language) {
        let (set, other) = match language {
            Language::JsonPath => ("JSONPath", "JSONata"),
            Language::Jsonata => ("JSONata", "JSONPath"),
        };
        let message = format!(
            "The QueryLanguage is set to '{set}', but field '{name}' is only supported for the \
             '{other}' QueryLanguage"
        );
        self.findings.error(&fields.at, message);
    }
}
