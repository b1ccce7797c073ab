//! JSONata's sentences by code, and how values are put into them.

use crate::{
    error::Details,
    sentences,
    value::{Value, text},
};

/// No sentence grows past this many bytes, whatever value it quotes.
const LONGEST: usize = 32_768;

/// Writes the sentence of a fault.
pub(crate) fn render(details: &Details, position: Option<usize>) -> String {
    let Some(template) = template(details.code) else {
        return details.text.as_deref().unwrap_or(details.code).to_owned();
    };
    let field = |name: &str| field(details, position, name);
    let raw = |name: &str| match field(name) {
        Some(Value::String(text)) => text.to_string(),
        other => json_or_undefined(other.as_ref()),
    };
    let once = fill(template, "{{{", "}}}", raw);
    cut(fill(&once, "{{", "}}", |name| json_or_undefined(field(name).as_ref())))
}

/// Replaces each `open name close`; what was put in is not looked at again.
fn fill(template: &str, open: &str, close: &str, value: impl Fn(&str) -> String) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some(start) = rest.find(open) {
        let name_on = &rest[start + open.len()..];
        let end = name_on.find('}');
        let Some(end) = end.filter(|end| *end > 0 && name_on[*end..].starts_with(close)) else {
            let (head, tail) = rest.split_at(start + 1);
            out.push_str(head);
            rest = tail;
            continue;
        };
        out.push_str(&rest[..start]);
        out.push_str(&value(&name_on[..end]));
        rest = &name_on[end + close.len()..];
        if out.len() > LONGEST {
            break;
        }
    }
    out.push_str(rest);
    out
}

fn field(details: &Details, position: Option<usize>, name: &str) -> Option<Value> {
    match name {
        "code" => Some(Value::from(details.code)),
        "message" => details.text.as_ref().map(|text| Value::String(text.clone())),
        "position" => position.map(number),
        "token" => details.token.clone(),
        "value" => details.value.clone(),
        "value2" => details.value2.clone(),
        "exp" => details.exponent.clone(),
        "index" => details.index.map(number),
        "type" => details.item_type.map(Value::from),
        "functionName" => details.function.map(Value::from),
        _ => None,
    }
}

#[expect(clippy::cast_precision_loss, reason = "positions and indexes are far below 2^53")]
fn number(count: usize) -> Value {
    Value::Number(count as f64)
}

/// A value as JSON text, cut where it grows too long; functions and nothing are `undefined`.
pub(crate) fn json_or_undefined(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Function(_)) => "undefined".to_owned(),
        Some(value) => text::clipped(value, LONGEST),
    }
}

fn cut(mut text: String) -> String {
    if text.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
    }
    text
}

/// The sentence of a code; `None` for those that bring their own.
fn template(code: &str) -> Option<&'static str> {
    sentences::SENTENCES.iter().find(|(known, _)| *known == code).map(|(_, sentence)| *sentence)
}
