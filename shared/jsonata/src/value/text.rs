//! Values as JSON text: exact for callers, rounded for `$string`, clipped for messages.

use super::{Array, Object, Value, deep, number};

/// How a value is written.
pub(crate) trait Sink {
    /// What went wrong, if this sink can refuse.
    type Error;

    /// Called before `more` bytes are added.
    fn grow(&mut self, more: usize) -> Result<(), Self::Error>;
    fn out(&mut self) -> &mut String;
    fn number(&mut self, number: f64) -> Result<String, Self::Error>;
    /// What stands for a function; `None` leaves the member out.
    fn function(&mut self) -> Result<Option<&'static str>, Self::Error>;
    /// Spaces of one level of indentation; 0 writes one line.
    fn indent(&self) -> usize {
        0
    }
}

/// Writes `value`.
pub(crate) fn write<S: Sink>(value: &Value, sink: &mut S) -> Result<(), S::Error> {
    deep(value.depth(), || at_level(value, sink, 0))
}

fn at_level<S: Sink>(value: &Value, sink: &mut S, level: usize) -> Result<(), S::Error> {
    match value {
        Value::Null => put(sink, "null"),
        Value::Bool(true) => put(sink, "true"),
        Value::Bool(false) => put(sink, "false"),
        Value::Number(number) => {
            let text = sink.number(*number)?;
            put(sink, &text)
        }
        Value::String(text) => {
            sink.grow(text.len() + 2)?;
            quote(text, sink.out());
            Ok(())
        }
        Value::Array(array) => items(array, sink, level),
        Value::Object(object) => members(object, sink, level),
        Value::Function(_) => {
            let text = sink.function()?;
            put(sink, text.unwrap_or("null"))
        }
    }
}

fn put<S: Sink>(sink: &mut S, text: &str) -> Result<(), S::Error> {
    sink.grow(text.len())?;
    sink.out().push_str(text);
    Ok(())
}

fn items<S: Sink>(array: &Array, sink: &mut S, level: usize) -> Result<(), S::Error> {
    if array.is_empty() {
        return put(sink, "[]");
    }
    put(sink, "[")?;
    for (at, item) in array.iter().enumerate() {
        separate(sink, at, level + 1)?;
        at_level(item, sink, level + 1)?;
    }
    close(sink, "]", level)
}

fn members<S: Sink>(object: &Object, sink: &mut S, level: usize) -> Result<(), S::Error> {
    put(sink, "{")?;
    let mut written = 0;
    for (key, value) in object.iter() {
        if matches!(value, Value::Function(_)) && sink.function()?.is_none() {
            continue;
        }
        separate(sink, written, level + 1)?;
        sink.grow(key.len() + 4)?;
        quote(key, sink.out());
        let colon = if sink.indent() > 0 { ": " } else { ":" };
        sink.out().push_str(colon);
        at_level(value, sink, level + 1)?;
        written += 1;
    }
    if written == 0 { put(sink, "}") } else { close(sink, "}", level) }
}

fn separate<S: Sink>(sink: &mut S, before: usize, level: usize) -> Result<(), S::Error> {
    if before > 0 {
        put(sink, ",")?;
    }
    new_line(sink, level)
}

fn close<S: Sink>(sink: &mut S, bracket: &str, level: usize) -> Result<(), S::Error> {
    new_line(sink, level)?;
    put(sink, bracket)
}

fn new_line<S: Sink>(sink: &mut S, level: usize) -> Result<(), S::Error> {
    let indent = sink.indent();
    if indent == 0 {
        return Ok(());
    }
    let spaces = indent * level;
    sink.grow(spaces + 1)?;
    sink.out().push('\n');
    sink.out().extend(std::iter::repeat_n(' ', spaces));
    Ok(())
}

/// Writes a text between quotes, escaped as `JSON.stringify` does.
pub(crate) fn quote(text: &str, out: &mut String) {
    out.push('"');
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.push_str(&text[plain..at]);
        plain = at + 1;
        escape(byte, out);
    }
    out.push_str(&text[plain..]);
    out.push('"');
}

fn escape(byte: u8, out: &mut String) {
    match byte {
        b'"' => out.push_str("\\\""),
        b'\\' => out.push_str("\\\\"),
        b'\n' => out.push_str("\\n"),
        b'\r' => out.push_str("\\r"),
        b'\t' => out.push_str("\\t"),
        0x08 => out.push_str("\\b"),
        0x0c => out.push_str("\\f"),
        _ => out.push_str(&format!("\\u{byte:04x}")),
    }
}

/// The exact JSON text of a value, with functions refused by the caller beforehand.
pub(crate) struct Exact {
    pub(crate) out: String,
    pub(crate) most_bytes: usize,
}

impl Sink for Exact {
    type Error = super::NotJson;

    fn grow(&mut self, more: usize) -> Result<(), Self::Error> {
        if self.out.len() + more > self.most_bytes {
            return Err(super::NotJson::TooLarge);
        }
        Ok(())
    }

    fn out(&mut self) -> &mut String {
        &mut self.out
    }

    fn number(&mut self, number: f64) -> Result<String, Self::Error> {
        Ok(if number.is_finite() { number::to_text(number) } else { "null".to_owned() })
    }

    fn function(&mut self) -> Result<Option<&'static str>, Self::Error> {
        Err(super::NotJson::Function)
    }
}

/// Text for messages, which stops growing at a length.
struct Clipped {
    text: String,
    longest: usize,
}

impl Sink for Clipped {
    type Error = ();

    fn grow(&mut self, more: usize) -> Result<(), ()> {
        if self.text.len() + more > self.longest { Err(()) } else { Ok(()) }
    }

    fn out(&mut self) -> &mut String {
        &mut self.text
    }

    fn number(&mut self, number: f64) -> Result<String, ()> {
        Ok(if number.is_finite() { number::to_text(number) } else { "null".to_owned() })
    }

    fn function(&mut self) -> Result<Option<&'static str>, ()> {
        Ok(None)
    }
}

/// The JSON text of a value, ending in `…` where it would pass `longest` bytes.
pub(crate) fn clipped(value: &Value, longest: usize) -> String {
    let mut sink = Clipped { text: String::new(), longest };
    if write(value, &mut sink).is_err() {
        sink.text.push('…');
    }
    sink.text
}
