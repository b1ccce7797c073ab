//! Payload templates: JSON in which some strings are paths, intrinsic functions or expressions.

use serde_json::{Map, Value};

use crate::{
    definition::SCHEMA,
    doc::{self, Doc},
    env::Env,
    expression::{Expression, Refused},
    fault::Fault,
    intrinsic::Call,
    query::Query,
};

/// A template, ready to be filled in.
#[derive(Debug, Clone)]
pub(crate) enum Template {
    /// Nothing to fill in.
    Constant(Doc),
    Object(Vec<(String, Self)>),
    Array(Vec<Self>),
    /// `"field.$": "$.path"`
    Query {
        field: String,
        query: Query,
    },
    /// `"field.$": "States.X(…)"`
    Call(Call),
    /// `"{% … %}"`
    Expression(Expression),
}

/// Why a template cannot be read: the code, the message, and where below the template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) location: String,
}

impl Template {
    /// Reads a JSONPath payload template.
    pub(crate) fn with_paths(value: &Value) -> Result<Self, Broken> {
        paths(value, "")
    }

    /// Reads a JSONata template; `field` is the name errors show, such as `Output`.
    pub(crate) fn with_expressions(value: &Value, field: &str) -> Result<Self, Broken> {
        expressions(value, field, "")
    }

    /// Fills the template in.
    pub(crate) fn fill(&self, env: &Env<'_>) -> Result<Doc, Fault> {
        if let Self::Constant(doc) = self {
            return Ok(doc.clone());
        }
        let filled = self.value(env);
        if let Some(fault) = env.overdrawn() {
            return Err(fault);
        }
        let value = filled?;
        if doc::is_deeper_than(&value, doc::MAX_DEPTH) {
            let limit = doc::MAX_DEPTH;
            return Err(Fault::runtime(format!("The data is nested deeper than {limit} levels.")));
        }
        Ok(Doc::new(value))
    }

    fn value(&self, env: &Env<'_>) -> Result<Value, Fault> {
        match self {
            Self::Constant(doc) => Ok(doc.value().clone()),
            Self::Object(fields) => fields
                .iter()
                .map(|(name, part)| Ok((name.clone(), part.value(env)?)))
                .collect::<Result<Map<_, _>, Fault>>()
                .map(Value::Object),
            Self::Array(parts) => {
                parts.iter().map(|part| part.value(env)).collect::<Result<_, _>>().map(Value::Array)
            }
            Self::Query { field, query } => {
                query.value_in_template(env).map_err(|_| missing(query, field, env))
            }
            Self::Call(call) => call.value(env),
            Self::Expression(expression) => expression.value(env),
        }
    }

    /// The expression, if the whole template is one.
    pub(crate) fn as_expression(&self) -> Option<&Expression> {
        if let Self::Expression(expression) = self { Some(expression) } else { None }
    }

    /// The fields of an object's template; none for any other.
    pub(crate) fn into_fields(self) -> Vec<(String, Self)> {
        match self {
            Self::Object(parts) => parts,
            Self::Constant(doc) => {
                let Value::Object(fields) = doc.into_value() else { return Vec::new() };
                let constant = |(name, value)| (name, Self::Constant(Doc::new(value)));
                fields.into_iter().map(constant).collect()
            }
            Self::Array(_) | Self::Query { .. } | Self::Call(_) | Self::Expression(_) => Vec::new(),
        }
    }
}

/// The fault of a path in a template that selects nothing.
pub(crate) fn missing(query: &Query, field: &str, env: &Env<'_>) -> Fault {
    Fault::runtime(format!(
        "The JSONPath '{}' specified for the field '{field}' could not be found in the input '{}'",
        query.source(),
        env.root.text()
    ))
}

/// A value that is a path or an intrinsic function, with the field it stands in.
pub(crate) fn dynamic(text: &str, field: &str) -> Option<Template> {
    if let Some(query) = Query::parse(text) {
        return Some(Template::Query { field: field.to_owned(), query });
    }
    Call::parse(text).map(Template::Call)
}

fn paths(value: &Value, at: &str) -> Result<Template, Broken> {
    match value {
        Value::Object(fields) => {
            let mut parts = Vec::with_capacity(fields.len());
            for (name, value) in fields {
                parts.push(path_field(name, value, fields, at)?);
            }
            Ok(fold_object(parts, value))
        }
        Value::Array(items) => {
            let parts = items
                .iter()
                .enumerate()
                .map(|(index, item)| paths(item, &format!("{at}[{index}]")))
                .collect::<Result<Vec<_>, _>>()?;
            Ok(fold_array(parts, value))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            Ok(Template::Constant(Doc::new(value.clone())))
        }
    }
}

fn path_field(
    name: &str,
    value: &Value,
    fields: &Map<String, Value>,
    at: &str,
) -> Result<(String, Template), Broken> {
    let Some(plain) = name.strip_suffix(".$") else {
        return Ok((name.to_owned(), paths(value, &format!("{at}/{name}"))?));
    };
    let broken = |message| Broken { code: SCHEMA, message, location: at.to_owned() };
    if fields.contains_key(plain) {
        return Err(broken(format!("The fields '{plain}' and '{name}' may not both be present")));
    }
    let part = value.as_str().and_then(|text| dynamic(text, name)).ok_or_else(|| {
        broken(format!(
            "The value for the field '{name}' must be a valid JSONPath or a valid intrinsic \
             function call"
        ))
    })?;
    Ok((plain.to_owned(), part))
}

fn expressions(value: &Value, field: &str, at: &str) -> Result<Template, Broken> {
    match value {
        Value::String(text) => match Expression::inside(text) {
            None => Ok(Template::Constant(Doc::new(value.clone()))),
            Some(source) => Expression::parse(source, field).map(Template::Expression).map_err(
                |Refused { code, message }| Broken { code, message, location: at.to_owned() },
            ),
        },
        Value::Object(fields) => {
            let parts = fields
                .iter()
                .map(|(name, value)| {
                    let below =
                        expressions(value, &format!("{field}/{name}"), &format!("{at}/{name}"))?;
                    Ok((name.clone(), below))
                })
                .collect::<Result<Vec<_>, _>>()?;
            Ok(fold_object(parts, value))
        }
        Value::Array(items) => {
            let parts = items
                .iter()
                .enumerate()
                .map(|(index, item)| {
                    expressions(item, &format!("{field}[{index}]"), &format!("{at}[{index}]"))
                })
                .collect::<Result<Vec<_>, _>>()?;
            Ok(fold_array(parts, value))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {
            Ok(Template::Constant(Doc::new(value.clone())))
        }
    }
}

fn fold_object(parts: Vec<(String, Template)>, whole: &Value) -> Template {
    if parts.iter().all(|(_, part)| matches!(part, Template::Constant(_))) {
        return Template::Constant(Doc::new(whole.clone()));
    }
    Template::Object(parts)
}

fn fold_array(parts: Vec<Template>, whole: &Value) -> Template {
    if parts.iter().all(|part| matches!(part, Template::Constant(_))) {
        return Template::Constant(Doc::new(whole.clone()));
    }
    Template::Array(parts)
}
