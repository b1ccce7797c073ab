//! Which definitions may take long for a step: those are computed apart from everything else.
//!
//! A step of a light definition costs at most its own length times the size of its data: paths,
//! comparisons, constructors, and builtins that look at each item once. Whatever loops, searches
//! or multiplies makes a definition heavy. To call a light one heavy costs some microseconds a
//! step; to call a heavy one light would let it hold up others, so doubt counts as heavy.

use serde_json::Value;

/// Builtins of JSONata that look at each item of their arguments at most a few times.
const LIGHT: [&str; 24] = [
    "abs",
    "append",
    "boolean",
    "ceil",
    "count",
    "exists",
    "floor",
    "join",
    "keys",
    "length",
    "lookup",
    "lowercase",
    "max",
    "merge",
    "min",
    "not",
    "number",
    "round",
    "string",
    "substring",
    "sum",
    "trim",
    "type",
    "uppercase",
];

/// Whether a step of this definition may take long.
pub(super) fn is_heavy(definition: &str) -> bool {
    match serde_json::from_str::<Value>(definition) {
        Ok(machine) => any(&machine),
        Err(_) => true,
    }
}

fn any(value: &Value) -> bool {
    match value {
        Value::String(text) => is_heavy_text(text),
        Value::Array(items) => items.iter().any(any),
        Value::Object(fields) => {
            let distributed = fields.get("Mode").and_then(Value::as_str) == Some("DISTRIBUTED");
            distributed || fields.values().any(any)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn is_heavy_text(text: &str) -> bool {
    match text.strip_prefix("{%").and_then(|text| text.strip_suffix("%}")) {
        Some(source) => !is_light(source),
        // JSONPath: filters and descents search, array intrinsics compare everything.
        None => {
            text.starts_with('$') && (text.contains("?(") || text.contains(".."))
                || text.contains("States.Array")
        }
    }
}

/// Whether an expression is made of nothing but what costs little.
fn is_light(source: &str) -> bool {
    let Some(bare) = without_strings(source) else { return false };
    let searching = ["..", "**", "~>", ".(", ".[", ".{", "/", "|", "^", "@", "#", "function", "λ"];
    !searching.iter().any(|mark| bare.contains(mark))
        && calls(&bare).all(|name| LIGHT.contains(&name))
        && indexes(&bare).all(|index| index.trim().parse::<i64>().is_ok())
}

/// The source without what stands in quotes and without blanks; nothing, if a quote stays open.
fn without_strings(source: &str) -> Option<String> {
    let mut bare = String::new();
    let mut letters = source.chars();
    while let Some(letter) = letters.next() {
        if !matches!(letter, '"' | '\'' | '`') {
            if !letter.is_whitespace() {
                bare.push(letter);
            }
            continue;
        }
        loop {
            match letters.next()? {
                '\\' => drop(letters.next()?),
                end if end == letter => break,
                _ => {}
            }
        }
    }
    Some(bare)
}

/// The names of what is called.
fn calls(bare: &str) -> impl Iterator<Item = &str> {
    bare.match_indices('(').filter_map(|(at, _)| {
        let before = &bare[..at];
        let begin = before.rfind(|c: char| !c.is_alphanumeric() && c != '_').map_or(0, |at| at + 1);
        let name = &before[begin..];
        (!name.is_empty() || before.ends_with('$')).then_some(name)
    })
}

/// What stands in brackets.
fn indexes(bare: &str) -> impl Iterator<Item = &str> {
    bare.split('[').skip(1).map(|rest| rest.split(']').next().unwrap_or(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selections_and_counts_are_light() {
        for source in [
            "$states.input.x",
            "$states.context.Execution.Input.mode = 'UNDO'",
            "$exists($states.input.Cause) ? $states.input.Cause : 'no / cause ..'",
            "$join($states.input.cause, '; ')",
            "($states.input.failed)[0]",
            "{ 'a': $n + 1, \"b\": $states.result.Payload }",
        ] {
            assert!(is_light(source), "{source}");
        }
    }

    #[test]
    fn loops_searches_and_products_are_heavy() {
        for source in [
            "[1..1000000000]",
            "$f := function($n) { $f($n) }",
            "( $f := λ($n) { $f($n) }; $f(1) )",
            "$map($states.input.items, $string)",
            "$states.input.items.(  $states.input.items )",
            "$states.input.items[price > 3]",
            "$match('aaaa', /(a+)+$/)",
            "$pad('x', 1000000000)",
            "$states.**.x",
            "$states.input.f(1)",
            "'open",
        ] {
            assert!(!is_light(source), "{source}");
        }
    }

    #[test]
    fn a_distributed_map_and_a_searching_path_make_a_definition_heavy() {
        assert!(is_heavy(r#"{"States": {"M": {"ProcessorConfig": {"Mode": "DISTRIBUTED"}}}}"#));
        assert!(is_heavy(r#"{"States": {"P": {"InputPath": "$.a[?(@.b == 1)]"}}}"#));
        assert!(!is_heavy(r#"{"States": {"P": {"InputPath": "$.a[0].b"}}}"#));
        assert!(is_heavy("no JSON"));
    }
}
