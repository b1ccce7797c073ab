//! Regular expressions called as functions, and the matches they give.

use std::sync::Arc;

use super::arguments::{any, missing};
use crate::{
    error::{Fault, Outcome},
    evaluate::{Bag, Evaluator},
    parse::signature::Arguments,
    regex::{Regex, Spans},
    value::{Function, Value, function::Kind, object::Builder},
};

/// A match: what matched, where (in UTF-16 units), and its groups.
pub(crate) struct Hit {
    pub(crate) text: Arc<str>,
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) groups: Vec<Option<Arc<str>>>,
}

/// A text as JavaScript counts it.
pub(crate) fn units(text: &str, evaluator: &mut Evaluator<'_>) -> Outcome<Vec<u16>> {
    evaluator.budget.scan(text.len())?;
    evaluator.budget.alloc(text.len() * 2)?;
    Ok(text.encode_utf16().collect())
}

/// A part of such a text.
pub(crate) fn slice(
    units: &[u16],
    start: usize,
    end: usize,
    evaluator: &mut Evaluator<'_>,
) -> Outcome<Arc<str>> {
    let end = end.min(units.len());
    let part = units.get(start.min(end)..end).unwrap_or_default();
    evaluator.budget.alloc(part.len() * 4 + 32)?;
    Ok(Arc::from(String::from_utf16_lossy(part)))
}

/// The first match at or after `from`.
pub(crate) fn find(
    regex: &Regex,
    units: &[u16],
    from: usize,
    evaluator: &mut Evaluator<'_>,
) -> Outcome<Option<Hit>> {
    match regex.find(units, from, evaluator.budget)? {
        Some(spans) => hit(&spans, units, evaluator).map(Some),
        None => Ok(None),
    }
}

/// The match after one that ended at `from`; one of nothing would never end.
pub(crate) fn find_next(
    regex: &Regex,
    units: &[u16],
    from: usize,
    evaluator: &mut Evaluator<'_>,
) -> Outcome<Option<Hit>> {
    if from >= units.len() {
        return Ok(None);
    }
    let hit = find(regex, units, from, evaluator)?;
    if hit.as_ref().is_some_and(|hit| hit.text.is_empty()) {
        let source = Value::String(regex.source().clone());
        return Err(Fault::new("D1004").value(Some(source)));
    }
    Ok(hit)
}

fn hit(spans: &Spans, units: &[u16], evaluator: &mut Evaluator<'_>) -> Outcome<Hit> {
    let mut texts = Vec::with_capacity(spans.len());
    for span in spans {
        texts.push(match span {
            Some((start, end)) => Some(slice(units, *start, *end, evaluator)?),
            None => None,
        });
    }
    let (start, end) = spans.first().copied().flatten().unwrap_or((0, 0));
    let groups = texts.split_off(1.min(texts.len()));
    let text = texts.pop().flatten().unwrap_or_else(|| Arc::from(""));
    Ok(Hit { text, start, end, groups })
}

/// The groups as an array; one that took no part is null.
pub(crate) fn groups(hit: &Hit, evaluator: &mut Evaluator<'_>) -> Outcome<Value> {
    let mut bag = Bag::default();
    for group in &hit.groups {
        let group = group.clone().map_or(Value::Null, Value::String);
        bag.push(group, evaluator.budget)?;
    }
    bag.array(evaluator.budget)
}

/// The object a regular expression gives when it is called.
pub(crate) fn found(
    hit: &Hit,
    regex: &Arc<Regex>,
    text: &Arc<str>,
    evaluator: &mut Evaluator<'_>,
) -> Outcome<Value> {
    evaluator.budget.alloc(400)?;
    let mut builder = Builder::with_capacity(5);
    builder.put(Arc::from("match"), Value::String(hit.text.clone()));
    builder.put(Arc::from("start"), super::arguments::count(hit.start));
    builder.put(Arc::from("end"), super::arguments::count(hit.end));
    builder.put(Arc::from("groups"), groups(hit, evaluator)?);
    let next = Kind::Next { regex: regex.clone(), text: text.clone(), from: hit.end };
    let next = Function::made(next).into_argument();
    builder.put(Arc::from("next"), Value::Function(next));
    Ok(Value::Object(builder.finish()))
}

/// `/regex/(text, from)`
pub(crate) fn call(
    evaluator: &mut Evaluator<'_>,
    regex: &Arc<Regex>,
    arguments: &Arguments,
) -> Outcome<Option<Value>> {
    let text = match any(arguments, 0) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => super::string::text_of(other, false, evaluator.budget)?,
        None => return Err(missing("a string")),
    };
    let from = match any(arguments, 1) {
        Some(Value::Number(from)) => place(*from),
        _ => 0,
    };
    let units = units(&text, evaluator)?;
    match find(regex, &units, from, evaluator)? {
        Some(hit) => found(&hit, regex, &text, evaluator).map(Some),
        None => Ok(None),
    }
}

/// `next` of a match.
pub(crate) fn next(
    evaluator: &mut Evaluator<'_>,
    regex: &Arc<Regex>,
    text: &Arc<str>,
    from: usize,
) -> Outcome<Option<Value>> {
    let units = units(text, evaluator)?;
    match find_next(regex, &units, from, evaluator)? {
        Some(hit) => found(&hit, regex, text, evaluator).map(Some),
        None => Ok(None),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
pub(crate) fn place(from: f64) -> usize {
    from.max(0.0) as usize
}
