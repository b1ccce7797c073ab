//! Selecting values with a path.

use std::fmt::Write;

use serde_json::Value;

use super::{NotFound, Path, Segment};

/// Values a path may visit before it is given up: a bound on `$..*..*`.
const MAX_VISITED: usize = 1_000_000;

/// What a path selected.
pub(crate) enum Found<'a> {
    One(&'a Value),
    Many(Vec<&'a Value>),
    Made(Value),
}

impl Found<'_> {
    /// A copy of what was selected.
    pub(crate) fn into_value(self) -> Value {
        match self {
            Self::One(value) => value.clone(),
            Self::Many(values) => Value::Array(values.into_iter().cloned().collect()),
            Self::Made(value) => value,
        }
    }
}

impl Path {
    /// Selects from `root`.
    pub(crate) fn get<'a>(&self, root: &'a Value) -> Result<Found<'a>, NotFound> {
        let found = if self.is_definite() {
            Found::One(self.one(root)?)
        } else {
            Found::Many(self.many(root)?)
        };
        match &self.function {
            None => Ok(found),
            Some(function) => function.apply(found).map(Found::Made),
        }
    }

    fn one<'a>(&self, root: &'a Value) -> Result<&'a Value, NotFound> {
        let mut value = root;
        for (position, segment) in self.segments.iter().enumerate() {
            let next = match (segment, value) {
                (Segment::Name(name), Value::Object(fields)) => fields.get(name),
                (Segment::Index(index), Value::Array(items)) => item(items, *index),
                _ => return Err(self.wrong_kind(position, value)),
            };
            value = next.ok_or_else(|| self.missing(position))?;
        }
        Ok(value)
    }

    /// Whether the path ends at an index that its array does not have.
    pub(crate) fn is_beyond_the_end(&self, root: &Value) -> bool {
        let Some((Segment::Index(index), before)) = self.segments.split_last() else {
            return false;
        };
        let mut value = Some(root);
        for segment in before {
            value = value.and_then(|value| match (segment, value) {
                (Segment::Name(name), Value::Object(fields)) => fields.get(name),
                (Segment::Index(index), Value::Array(items)) => item(items, *index),
                _ => None,
            });
        }
        let is_beyond = |items: &Vec<Value>| *index >= 0 && item(items, *index).is_none();
        self.function.is_none() && value.and_then(Value::as_array).is_some_and(is_beyond)
    }

    fn missing(&self, position: usize) -> NotFound {
        let place = self.place(position + 1);
        let is_name = matches!(self.segments.get(position), Some(Segment::Name(_)));
        NotFound(if is_name && position + 1 < self.segments.len() {
            format!("Missing property in path {place}")
        } else {
            format!("No results for path: {place}")
        })
    }

    fn wrong_kind(&self, position: usize, value: &Value) -> NotFound {
        let place = self.place(position);
        NotFound(match self.segments.get(position) {
            Some(Segment::Name(name)) => format!(
                "Expected to find an object with property ['{name}'] in path {place} but found \
                 '{}'. This is not a json object according to the JsonProvider: \
                 'com.jayway.jsonpath.spi.json.JacksonJsonProvider'.",
                java_class(value)
            ),
            Some(Segment::Index(index)) if !value.is_null() => format!(
                "Filter: [{index}] can only be applied to arrays. Current context is: {value}"
            ),
            _ => format!("The path {place} is null"),
        })
    }

    /// The first `count` steps as Jayway writes them: `$['a'][0]`.
    fn place(&self, count: usize) -> String {
        let mut text = String::from("$");
        for segment in self.segments.iter().take(count) {
            let written = match segment {
                Segment::Name(name) => write!(text, "['{name}']"),
                Segment::Index(index) => write!(text, "[{index}]"),
                Segment::Names(_)
                | Segment::Indexes(_)
                | Segment::Slice(..)
                | Segment::Wildcard
                | Segment::Filter(_)
                | Segment::Descend(_) => write!(text, "[*]"),
            };
            debug_assert!(written.is_ok(), "writing to a String does not fail");
        }
        text
    }

    fn many<'a>(&self, root: &'a Value) -> Result<Vec<&'a Value>, NotFound> {
        let mut current = vec![root];
        let mut visited = 0_usize;
        for segment in &self.segments {
            let mut next = Vec::new();
            for value in current {
                segment.select(root, value, &mut next, &mut visited)?;
            }
            current = next;
        }
        Ok(current)
    }
}

impl Segment {
    fn select<'a>(
        &self,
        root: &'a Value,
        value: &'a Value,
        out: &mut Vec<&'a Value>,
        visited: &mut usize,
    ) -> Result<(), NotFound> {
        *visited += 1;
        if *visited > MAX_VISITED {
            return Err(NotFound(format!("the path visits more than {MAX_VISITED} values")));
        }
        match (self, value) {
            (Self::Name(name), Value::Object(fields)) => out.extend(fields.get(name)),
            (Self::Names(names), Value::Object(fields)) => {
                out.extend(names.iter().filter_map(|name| fields.get(name)));
            }
            (Self::Index(index), Value::Array(items)) => out.extend(item(items, *index)),
            (Self::Indexes(indexes), Value::Array(items)) => {
                out.extend(indexes.iter().filter_map(|index| item(items, *index)));
            }
            (Self::Slice(from, to), Value::Array(items)) => out.extend(slice(items, *from, *to)),
            (Self::Wildcard, Value::Array(items)) => out.extend(items),
            (Self::Wildcard, Value::Object(fields)) => out.extend(fields.values()),
            (Self::Filter(filter), Value::Array(items)) => {
                out.extend(items.iter().filter(|item| filter.accepts(root, item)));
            }
            (Self::Filter(filter), Value::Object(_)) => {
                out.extend(filter.accepts(root, value).then_some(value));
            }
            (Self::Descend(inner), _) => {
                inner.select(root, value, out, visited)?;
                for child in children(value) {
                    self.select(root, child, out, visited)?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn children(value: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match value {
        Value::Array(items) => Box::new(items.iter()),
        Value::Object(fields) => Box::new(fields.values()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            Box::new(std::iter::empty())
        }
    }
}

fn item(items: &[Value], index: i64) -> Option<&Value> {
    let position = usize::try_from(index.unsigned_abs()).ok()?;
    items.get(if index < 0 { items.len().checked_sub(position)? } else { position })
}

fn slice(items: &[Value], from: Option<i64>, to: Option<i64>) -> &[Value] {
    let bound = |index: i64| {
        let distance = usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX);
        if index < 0 { items.len().saturating_sub(distance) } else { distance.min(items.len()) }
    };
    let (from, to) = (from.map_or(0, bound), to.map_or(items.len(), bound));
    items.get(from..to).unwrap_or_default()
}

fn java_class(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "java.lang.Boolean",
        Value::Number(number) if number.is_f64() => "java.lang.Double",
        Value::Number(_) => "java.lang.Integer",
        Value::String(_) => "java.lang.String",
        Value::Array(_) => "java.util.ArrayList",
        Value::Object(_) => "java.util.LinkedHashMap",
    }
}
