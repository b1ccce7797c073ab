//! JSONPath in the dialect of Jayway, which Step Functions runs: parsing, selecting, writing.
//!
//! A *definite* path (names and single indexes only) selects one value or fails; every other path
//! selects a list, and an empty list is no failure.

mod eval;
mod filter;
mod function;
mod parse;
mod reference;

use std::fmt;

pub(crate) use eval::Found;
pub(crate) use filter::equal;
pub(crate) use reference::Reference;

/// A parsed JSONPath, without the prefix that says where it starts.
#[derive(Debug, Clone)]
pub(crate) struct Path {
    source: String,
    segments: Vec<Segment>,
    function: Option<function::Function>,
}

/// One step of a path.
#[derive(Debug, Clone)]
enum Segment {
    Name(String),
    Names(Vec<String>),
    Index(i64),
    Indexes(Vec<i64>),
    Slice(Option<i64>, Option<i64>),
    Wildcard,
    Filter(filter::Filter),
    Descend(Box<Self>),
}

/// Why a path selected nothing, in Jayway's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NotFound(pub(crate) String);

impl fmt::Display for NotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Path {
    /// Reads a path that starts with `$`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        parse::path(text)
    }

    /// The path as it was written.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// Whether the path is `$` alone.
    pub(crate) fn is_root(&self) -> bool {
        self.segments.is_empty() && self.function.is_none()
    }

    /// Whether the path names one place.
    pub(crate) fn is_definite(&self) -> bool {
        self.segments.iter().all(|segment| matches!(segment, Segment::Name(_) | Segment::Index(_)))
    }

    /// The leading names of the path, as far as they are names.
    pub(crate) fn leading_names(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().map_while(|segment| {
            if let Segment::Name(name) = segment { Some(name.as_str()) } else { None }
        })
    }

    /// The path without its first `count` steps.
    pub(crate) fn skip(&self, count: usize) -> Self {
        let segments = self.segments.get(count..).unwrap_or_default().to_vec();
        Self { source: self.source.clone(), segments, function: self.function }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn get(path: &str, value: &Value) -> Result<Value, String> {
        let path = Path::parse(path).ok_or_else(|| format!("unreadable: {path}"))?;
        path.get(value).map(|found| found.into_value()).map_err(|error| error.0)
    }

    #[test]
    fn definite_paths_give_the_bare_value() {
        let value = json!({"a": {"b c": [1, {"d": null}]}});
        assert_eq!(get("$.a['b c'][1].d", &value), Ok(Value::Null));
        assert_eq!(get("$.a['b c'][-2]", &value), Ok(json!(1)));
        assert_eq!(get("$", &value), Ok(value));
    }

    #[test]
    fn indefinite_paths_give_a_list_even_when_nothing_is_there() {
        let value = json!({"a": [{"x": 1}, {"x": 2}, {"y": 3}], "b": {"x": 4}});
        assert_eq!(get("$.a[*].x", &value), Ok(json!([1, 2])));
        assert_eq!(get("$..x", &value), Ok(json!([1, 2, 4])));
        assert_eq!(get("$.a[1:].x", &value), Ok(json!([2])));
        assert_eq!(get("$.a[-1:]", &value), Ok(json!([{"y": 3}])));
        assert_eq!(get("$.a[0,2]", &value), Ok(json!([{"x": 1}, {"y": 3}])));
        assert_eq!(get("$.nothing[*]", &value), Ok(json!([])));
        assert_eq!(get("$.a[?(@.x > 1)].x", &value), Ok(json!([2])));
        assert_eq!(get("$.a[?(@.y)]", &value), Ok(json!([{"y": 3}])));
        assert_eq!(get("$.a[?(!(@.y) && @.x != 2)].x", &value), Ok(json!([1])));
        assert_eq!(get("$.a[?(@.x in [2, 5] || @.y == 3)]", &value), Ok(json!([{"x":2},{"y":3}])));
    }

    #[test]
    fn functions_work_on_what_the_path_selects() {
        let value = json!({"a": [4, 1, 7], "s": "four"});
        assert_eq!(get("$.a.length()", &value), Ok(json!(3)));
        assert_eq!(get("$.s.length()", &value), Ok(json!(4)));
        assert_eq!(get("$.a.max()", &value), Ok(json!(7.0)));
        assert_eq!(get("$.a[*].sum()", &value), Ok(json!(12.0)));
        assert_eq!(get("$.a.first()", &value), Ok(json!(4)));
    }

    #[test]
    fn failures_read_like_jayway() {
        let value = json!({"a": {"b": 1}});
        assert_eq!(get("$.c", &value), Err("No results for path: $['c']".into()));
        assert_eq!(get("$.a.c", &value), Err("No results for path: $['a']['c']".into()));
        assert_eq!(get("$.no.c", &value), Err("Missing property in path $['no']".into()));
    }

    #[test]
    fn broken_paths_are_refused() {
        for text in [
            "",
            "a",
            "$.",
            "$[",
            "$['a",
            "$.a[",
            "$.a[1",
            "$.a[?(",
            "$.a b",
            "$..",
            "$.a[?(@.b ==)]",
        ] {
            assert!(Path::parse(text).is_none(), "{text}");
        }
    }
}
