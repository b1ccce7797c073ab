//! `$replace`.

use std::sync::Arc;

use smallvec::smallvec;

use super::{
    arguments::{NOTHING, any, made, missing, text},
    matching::{Match, Matches, below, between, limit},
    regex::{Hit, found},
};
use crate::{
    error::{Fault, Outcome},
    evaluate::Evaluator,
    parse::signature::Arguments,
    value::{Function, Value},
};

pub(super) fn replace(
    evaluator: &mut Evaluator<'_>,
    arguments: &Arguments,
) -> Outcome<Option<Value>> {
    let Some(text) = text(arguments, 0)? else { return NOTHING };
    let pattern = any(arguments, 1).ok_or_else(|| missing("a string or a function"))?;
    let replacement = any(arguments, 2).ok_or_else(|| missing("a string or a function"))?;
    if pattern.as_str() == Some("") {
        return Err(Fault::new("D3010").value(Some(Value::from(""))).index(2));
    }
    let limit = limit(arguments, 3, "D3011")?;
    if limit.is_some_and(|limit| limit <= 0.0) {
        return Ok(Some(Value::String(text.clone())));
    }
    match (pattern, replacement) {
        (Value::String(pattern), Value::String(replacement)) => {
            replace_text(text, pattern, replacement, limit, evaluator)
        }
        (Value::Function(matcher), _) => {
            replace_matches(text, matcher, replacement, limit, evaluator)
        }
        _ => Err(Fault::type_error("A text can only be replaced by a text")),
    }
}

fn replace_text(
    text: &Arc<str>,
    pattern: &str,
    replacement: &str,
    limit: Option<f64>,
    evaluator: &mut Evaluator<'_>,
) -> Outcome<Option<Value>> {
    evaluator.budget.scan(text.len())?;
    evaluator.budget.alloc(text.len())?;
    let mut out = String::new();
    let mut rest = &**text;
    let mut count = 0;
    while let Some(at) = rest.find(pattern).filter(|_| below(count, limit)) {
        evaluator.budget.step(1)?;
        evaluator.budget.alloc(replacement.len() * 2)?;
        out.push_str(&rest[..at]);
        out.push_str(replacement);
        rest = &rest[at + pattern.len()..];
        count += 1;
    }
    out.push_str(rest);
    made(out, evaluator)
}

fn replace_matches(
    text: &Arc<str>,
    matcher: &Function,
    replacement: &Value,
    limit: Option<f64>,
    evaluator: &mut Evaluator<'_>,
) -> Outcome<Option<Value>> {
    let mut matches = Matches::new(text, matcher, evaluator)?;
    let mut next = matches.next(evaluator)?;
    if next.is_none() {
        return Ok(Some(Value::String(text.clone())));
    }
    let mut out = String::new();
    let (mut position, mut count) = (0, 0);
    while let Some(one) = next.filter(|_| below(count, limit)) {
        add(&mut out, &between(&matches.units, position, one.hit.start, evaluator)?, evaluator)?;
        let with = substitute(&one, &matches, replacement, evaluator)?;
        if !matches!(with, Some(Value::String(_))) {
            return Err(Fault::new("D3012").value(with));
        }
        with.iter().try_for_each(|with| add(&mut out, with, evaluator))?;
        position = one.hit.start + one.hit.text.encode_utf16().count();
        count += 1;
        next = matches.next(evaluator)?;
    }
    add(&mut out, &between(&matches.units, position, usize::MAX, evaluator)?, evaluator)?;
    made(out, evaluator)
}

fn add(out: &mut String, part: &Value, evaluator: &mut Evaluator<'_>) -> Outcome<()> {
    let part = part.as_str().unwrap_or_default();
    evaluator.budget.alloc(part.len() * 2)?;
    out.push_str(part);
    Ok(())
}

/// What a match is replaced by.
fn substitute(
    one: &Match,
    matches: &Matches<'_>,
    replacement: &Value,
    evaluator: &mut Evaluator<'_>,
) -> Outcome<Option<Value>> {
    match replacement {
        Value::String(pattern) => {
            evaluator.budget.step(pattern.len())?;
            let groups: usize = one.hit.groups.iter().flatten().map(|group| group.len()).sum();
            let dollars = pattern.matches('$').count();
            let longest = one.hit.text.len().saturating_add(groups).saturating_mul(dollars);
            evaluator.budget.alloc(pattern.len().saturating_add(longest))?;
            Ok(Some(Value::from(expand(pattern, &one.hit))))
        }
        Value::Function(function) => {
            let argument = match (&one.answered, matches.regex()) {
                (Some(answer), _) => answer.clone(),
                (None, Some(regex)) => found(&one.hit, regex, matches.text, evaluator)?,
                (None, None) => return NOTHING,
            };
            evaluator.apply(function, smallvec![Some(argument)], None)
        }
        other => Ok(Some(other.clone())),
    }
}

/// Puts in `$0`, `$1`… and `$$`.
fn expand(pattern: &str, hit: &Hit) -> String {
    let mut out = String::new();
    let mut rest = pattern;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some(after) = rest.strip_prefix('0') {
            out.push_str(&hit.text);
            rest = after;
        } else if let Some((number, digits)) = group_number(rest, hit.groups.len()) {
            let group = number.checked_sub(1).and_then(|at| hit.groups.get(at)).cloned().flatten();
            out.push_str(group.as_deref().unwrap_or(""));
            rest = &rest[digits.min(rest.len())..];
        } else {
            out.push('$');
        }
    }
    out.push_str(rest);
    out
}

/// The group a `$` is followed by, and how many characters that takes: as many digits as there
/// may be groups, one less if that would be too many.
fn group_number(text: &str, groups: usize) -> Option<(usize, usize)> {
    let most = groups.max(1).to_string().len();
    let read = |length: usize| {
        // As `parseInt`: leading white space is passed over.
        let part: String = text.chars().take(length).collect();
        let digits: String = part.trim_start().chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<usize>().ok()
    };
    let mut number = read(most)?;
    if most > 1 && number > groups {
        number = read(most - 1)?;
    }
    Some((number, number.to_string().len()))
}
