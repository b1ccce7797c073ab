//! `$contains`, `$match` and `$split`, and the matches all of them go through.

use std::sync::Arc;

use super::{
    arguments::{NOTHING, any, count, function, number, text},
    regex::{self, Hit, units},
};
use crate::{
    error::{Fault, Outcome},
    evaluate::{Bag, Evaluator, checked},
    parse::signature::Arguments,
    regex::Regex,
    value::{Function, Value, function::What, object::Builder},
};

/// The matches of a regular expression, or of a function that behaves like one.
pub(super) struct Matches<'m> {
    pub(super) text: &'m Arc<str>,
    pub(super) units: Vec<u16>,
    by: By<'m>,
    began: bool,
}

enum By<'m> {
    Regex { regex: &'m Arc<Regex>, from: usize },
    Function(Option<Function>),
}

/// A match; of a function's, what it answered is kept.
pub(super) struct Match {
    pub(super) hit: Hit,
    pub(super) answered: Option<Value>,
}

impl<'m> Matches<'m> {
    pub(super) fn new(
        text: &'m Arc<str>,
        matcher: &'m Function,
        evaluator: &mut Evaluator<'_>,
    ) -> Outcome<Self> {
        let by = match &matcher.what {
            What::Regex(regex) => By::Regex { regex, from: 0 },
            What::Builtin(_) | What::Made(_) => By::Function(Some(matcher.clone())),
        };
        Ok(Self { text, units: units(text, evaluator)?, by, began: false })
    }

    pub(super) fn regex(&self) -> Option<&'m Arc<Regex>> {
        match &self.by {
            By::Regex { regex, .. } => Some(regex),
            By::Function(_) => None,
        }
    }

    pub(super) fn next(&mut self, evaluator: &mut Evaluator<'_>) -> Outcome<Option<Match>> {
        evaluator.budget.step(1)?;
        let first = !std::mem::replace(&mut self.began, true);
        match &mut self.by {
            By::Regex { regex, from } => {
                let hit = if first {
                    regex::find(regex, &self.units, 0, evaluator)?
                } else {
                    regex::find_next(regex, &self.units, *from, evaluator)?
                };
                Ok(hit.map(|hit| {
                    *from = hit.end;
                    Match { hit, answered: None }
                }))
            }
            By::Function(next) => {
                let Some(function) = next.take() else { return Ok(None) };
                let argument = first.then(|| Value::String(self.text.clone()));
                let arguments = Arguments::from_iter(argument.map(Some));
                let Some(answer) = evaluator.apply(&function, arguments, None)? else {
                    return Ok(None);
                };
                let (found, following) = read_answer(answer)?;
                *next = following;
                Ok(Some(found))
            }
        }
    }
}

/// Takes apart what a matching function answered: it must look like a match.
fn read_answer(answer: Value) -> Outcome<(Match, Option<Function>)> {
    let member = |name: &str| answer.get(name).cloned();
    let (start, end, groups) = (member("start"), member("end"), member("groups"));
    let next = match member("next") {
        Some(Value::Function(next)) => Some(next),
        _ => None,
    };
    let looks_right = matches!(start, Some(Value::Number(_)))
        || matches!(groups, Some(Value::Array(_)))
        || next.is_some();
    if !looks_right {
        return Err(Fault::new("T1010"));
    }
    let place =
        |value: &Option<Value>| value.as_ref().and_then(Value::as_f64).map_or(0, regex::place);
    let text = match member("match") {
        Some(Value::String(text)) => text,
        _ => Arc::from(""),
    };
    let groups = match &groups {
        Some(Value::Array(groups)) => groups.iter().map(as_text).collect(),
        _ => Vec::new(),
    };
    let hit = Hit { text, start: place(&start), end: place(&end), groups };
    Ok((Match { hit, answered: Some(answer) }, next))
}

fn as_text(value: &Value) -> Option<Arc<str>> {
    match value {
        Value::String(text) => Some(text.clone()),
        _ => None,
    }
}

/// A limit on how many; `code` says that it is negative.
pub(super) fn limit(arguments: &Arguments, at: usize, code: &'static str) -> Outcome<Option<f64>> {
    match number(arguments, at)? {
        Some(limit) if limit < 0.0 => {
            Err(Fault::new(code).value(Some(Value::Number(limit))).index(at + 1))
        }
        other => Ok(other),
    }
}

#[expect(clippy::cast_precision_loss, reason = "nothing in memory counts up to 2^53")]
pub(super) fn below(count: usize, limit: Option<f64>) -> bool {
    limit.is_none_or(|limit| (count as f64) < limit)
}

pub(super) fn contains(
    evaluator: &mut Evaluator<'_>,
    arguments: &Arguments,
) -> Outcome<Option<Value>> {
    let Some(text) = text(arguments, 0)? else { return NOTHING };
    let found = match any(arguments, 1) {
        Some(Value::String(part)) => {
            evaluator.budget.scan(text.len())?;
            text.contains(&**part)
        }
        Some(Value::Function(matcher)) => {
            Matches::new(text, matcher, evaluator)?.next(evaluator)?.is_some()
        }
        _ => return Err(super::arguments::missing("a string or a function")),
    };
    Ok(Some(Value::Bool(found)))
}

pub(super) fn matches(
    evaluator: &mut Evaluator<'_>,
    arguments: &Arguments,
) -> Outcome<Option<Value>> {
    let Some(text) = text(arguments, 0)? else { return NOTHING };
    let limit = limit(arguments, 2, "D3040")?;
    let mut results = Bag::default();
    if limit.is_none_or(|limit| limit > 0.0) {
        let mut found = Matches::new(text, function(arguments, 1)?, evaluator)?;
        let mut next = found.next(evaluator)?;
        while let Some(one) = next.filter(|_| below(results.len(), limit)) {
            let described = describe(&one, evaluator)?;
            results.push(described, evaluator.budget)?;
            next = found.next(evaluator)?;
        }
    }
    results.sequence(evaluator.budget).map(Some)
}

fn describe(one: &Match, evaluator: &mut Evaluator<'_>) -> Outcome<Value> {
    evaluator.budget.alloc(250)?;
    let mut builder = Builder::with_capacity(3);
    let given = |name: &str| one.answered.as_ref().map(|answer| answer.get(name).cloned());
    let text = given("match").unwrap_or_else(|| Some(Value::String(one.hit.text.clone())));
    let start = given("start").unwrap_or_else(|| Some(count(one.hit.start)));
    let groups = match given("groups") {
        Some(groups) => groups,
        None => Some(regex::groups(&one.hit, evaluator)?),
    };
    for (key, value) in [("match", text), ("index", start), ("groups", groups)] {
        if let Some(value) = value {
            builder.put(Arc::from(key), value);
        }
    }
    checked(Value::Object(builder.finish()))
}

pub(super) fn split(
    evaluator: &mut Evaluator<'_>,
    arguments: &Arguments,
) -> Outcome<Option<Value>> {
    let Some(text) = text(arguments, 0)? else { return NOTHING };
    let limit = limit(arguments, 2, "D3020")?;
    if limit.is_some_and(|limit| limit <= 0.0) {
        return Bag::default().array(evaluator.budget).map(Some);
    }
    match any(arguments, 1) {
        Some(Value::String(separator)) => split_text(text, separator, limit, evaluator),
        Some(Value::Function(matcher)) => split_matches(text, matcher, limit, evaluator),
        _ => Err(super::arguments::missing("a string or a function")),
    }
}

fn split_text(
    text: &str,
    separator: &str,
    limit: Option<f64>,
    evaluator: &mut Evaluator<'_>,
) -> Outcome<Option<Value>> {
    evaluator.budget.scan(text.len())?;
    let limit = limit.map_or(usize::MAX, regex::place);
    let mut parts = Bag::default();
    let mut push = |part: &str| {
        evaluator.budget.step(1)?;
        evaluator.budget.alloc(part.len() + 32)?;
        parts.push(Value::from(part), evaluator.budget)
    };
    if separator.is_empty() {
        let mut buffer = [0; 4];
        text.chars().take(limit).try_for_each(|char| push(char.encode_utf8(&mut buffer)))?;
    } else {
        text.split(separator).take(limit).try_for_each(push)?;
    }
    parts.array(evaluator.budget).map(Some)
}

fn split_matches(
    text: &Arc<str>,
    matcher: &Function,
    limit: Option<f64>,
    evaluator: &mut Evaluator<'_>,
) -> Outcome<Option<Value>> {
    let mut parts = Bag::default();
    let mut found = Matches::new(text, matcher, evaluator)?;
    let mut start = 0;
    let mut next = found.next(evaluator)?;
    if next.is_none() {
        parts.push(Value::String(text.clone()), evaluator.budget)?;
        return parts.array(evaluator.budget).map(Some);
    }
    while let Some(one) = next.filter(|_| below(parts.len(), limit)) {
        let part = between(&found.units, start, one.hit.start, evaluator)?;
        parts.push(part, evaluator.budget)?;
        start = one.hit.end;
        next = found.next(evaluator)?;
    }
    if below(parts.len(), limit) {
        let part = between(&found.units, start, usize::MAX, evaluator)?;
        parts.push(part, evaluator.budget)?;
    }
    parts.array(evaluator.budget).map(Some)
}

/// JavaScript's `substring`, which takes its bounds in either order.
pub(super) fn between(
    units: &[u16],
    start: usize,
    end: usize,
    evaluator: &mut Evaluator<'_>,
) -> Outcome<Value> {
    regex::slice(units, start.min(end), start.max(end), evaluator).map(Value::String)
}
