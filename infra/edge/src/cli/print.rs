//! Results on standard output as a table, JSON or YAML; progress on standard error.

mod table;

pub(crate) use table::is_id;

use super::failure::Failure;
use clap::ValueEnum;
use console::Term;
use serde_json::Value;
use std::{
    borrow::Cow,
    fmt::Write as _,
    io::{self, Write},
};

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Table,
    /// One JSON document.
    Json,
    /// One YAML document.
    Yaml,
}

/// A column of a table: its title, and the JSON pointers of which the first that is there is shown.
pub(crate) type Column = (&'static str, &'static [&'static str]);

/// Writes a line of result; a reader that has gone away ends the program's output, not in error.
pub(crate) fn line(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{}", plain(text)).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("cannot write the result: {error}")))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Writes a line of progress; losing it loses nothing.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{}", plain(text));
}

/// Text as a terminal may have it. Much of it is others': with a control character in its name, a
/// thing could move the cursor, give colours or hide what stands before it. So these are shown, and
/// as JSON writes them, which it stays.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    let acts = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if !text.contains(acts) {
        return text.into();
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if acts(c) {
            // Writing to a text does not fail.
            let _ = write!(shown, "\\u{:04x}", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    shown.into()
}

/// The same where it must not end the line.
pub(crate) fn in_line(text: &str) -> String {
    plain(&text.replace(['\n', '\r', '\t'], " ")).into_owned()
}

/// One document, in full.
pub(crate) fn one(format: Format, value: &Value) -> Result<(), Failure> {
    match format {
        Format::Json => line(&format!("{value:#}")),
        Format::Table => line(yaml(&without_links(value))?.trim_end()),
        Format::Yaml => line(yaml(value)?.trim_end()),
    }
}

/// Many documents: the columns as a table, or all of them in full.
pub(crate) fn many(format: Format, rows: &[Value], columns: &[Column]) -> Result<(), Failure> {
    match format {
        Format::Json => line(&format!("{:#}", Value::from(rows))),
        Format::Yaml => line(yaml(&Value::from(rows))?.trim_end()),
        Format::Table => line(&table::table(rows, columns, width())),
    }
}

/// What a value says in a cell.
pub(crate) fn cell(row: &Value, pointers: &[&str]) -> String {
    let found = pointers.iter().find_map(|p| row.pointer(p).filter(|v| !v.is_null()));
    match found {
        None => "-".into(),
        Some(Value::String(text)) => in_line(text),
        Some(Value::Array(items)) => {
            items.iter().map(|i| cell(i, &[""])).collect::<Vec<_>>().join(" ")
        }
        Some(other) => in_line(&other.to_string()),
    }
}

/// The width of the terminal results go to; none if they go elsewhere.
pub(crate) fn width() -> Option<u16> {
    let term = Term::stdout();
    term.is_term().then(|| term.size().1)
}

/// YAML text.
fn yaml(value: &Value) -> Result<String, Failure> {
    serde_saphyr::to_string(value)
        .map_err(|error| Failure::new(format!("the result cannot be written as YAML: {error}")))
}

/// The document without the links that only programs follow.
fn without_links(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(name, _)| *name != "_links");
            kept.map(|(name, value)| (name.clone(), without_links(value))).collect()
        }
        Value::Array(items) => items.iter().map(without_links).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn no_text_of_others_reaches_the_terminal_as_a_command() {
        let title = "\u{1b}]0;mine\u{7}\u{9b}2J\u{7f}r\r1";
        assert_eq!(plain(title), r"\u001b]0;mine\u0007\u009b2J\u007fr\u000d1");
        assert_eq!(plain("a: b\n\tc – ü"), "a: b\n\tc – ü", "what is written stays");
        assert_eq!(plain(&plain(title)), plain(title));
        let name = json!({"name": "\u{1b}[2Jedge\nCOMPLETED", "all": ["\u{1b}", {"a": "\u{9b}"}]});
        assert_eq!(cell(&name, &["/name"]), r"\u001b[2Jedge COMPLETED");
        assert_eq!(cell(&name, &["/all"]), r#"\u001b {"a":"\u009b"}"#);
    }

    #[test]
    fn people_see_no_links_at_any_depth() {
        let value = json!({"_links": {}, "a": [{"_links": {}, "b": 1}]});
        assert_eq!(without_links(&value), json!({"a": [{"b": 1}]}));
    }

    #[test]
    fn yaml_reads_back_as_what_was_written() {
        let value = json!({"yes": "no", "n": "1.0", "text": "a: b\n", "list": [null, 2]});
        let text = yaml(&value).unwrap();
        assert!(text.contains(r#""no""#) || text.contains("'no'"), "{text}");
        assert!(text.contains(r#""1.0""#) || text.contains("'1.0'"), "{text}");
    }
}
