//! Reading the text of an intrinsic function call.

use serde_json::Value;

use super::{Argument, Call, FUNCTIONS, MAX_NESTING, Piece};
use crate::query::Query;

/// Reads a whole call.
pub(super) fn call(text: &str) -> Option<Call> {
    let mut reader = Reader { rest: text.trim() };
    let call = reader.call(1)?;
    reader.rest.is_empty().then_some(call)
}

/// Splits a format string at its `{}`.
pub(super) fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for (index, part) in text.split("{}").enumerate() {
        if index > 0 {
            pieces.push(Piece::Hole);
        }
        pieces.push(Piece::Text(part.to_owned()));
    }
    pieces
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn take(&mut self, token: char) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn spaces(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn call(&mut self, depth: usize) -> Option<Call> {
        if depth > MAX_NESTING {
            return None;
        }
        let whole = self.rest;
        self.rest = self.rest.strip_prefix("States.")?;
        let name = self.until(|c| !c.is_ascii_alphanumeric());
        let (_, function, fewest, most) = *FUNCTIONS.iter().find(|(known, ..)| *known == name)?;
        self.spaces();
        if !self.take('(') {
            return None;
        }
        let arguments = self.arguments(depth)?;
        if !(fewest..=most).contains(&arguments.len()) {
            return None;
        }
        let source = whole[..whole.len() - self.rest.len()].to_owned();
        Some(Call { source, function, arguments })
    }

    fn arguments(&mut self, depth: usize) -> Option<Vec<Argument>> {
        let mut arguments = Vec::new();
        self.spaces();
        if self.take(')') {
            return Some(arguments);
        }
        loop {
            self.spaces();
            arguments.push(self.argument(depth)?);
            self.spaces();
            if self.take(')') {
                return Some(arguments);
            }
            if !self.take(',') {
                return None;
            }
        }
    }

    fn argument(&mut self, depth: usize) -> Option<Argument> {
        if self.rest.starts_with('\'') {
            return self.quoted().map(Argument::Text);
        }
        if self.rest.starts_with('$') {
            let text = self.path();
            return Query::parse(text.trim_end()).map(Argument::Query);
        }
        if self.rest.starts_with("States.") {
            return self.call(depth + 1).map(Argument::Call);
        }
        let word = self.until(|c| c == ',' || c == ')' || c.is_whitespace());
        let value: Value = serde_json::from_str(word).ok()?;
        (!value.is_string() && !value.is_array() && !value.is_object())
            .then_some(Argument::Literal(value))
    }

    /// Text in single quotes. `\'`, `\\`, `\{` and `\}` are the only escapes.
    fn quoted(&mut self) -> Option<Vec<Piece>> {
        let mut characters = self.rest.char_indices().skip(1).peekable();
        let mut pieces = Vec::new();
        let mut text = String::new();
        while let Some((at, c)) = characters.next() {
            match c {
                '\'' => {
                    self.rest = &self.rest[at + 1..];
                    pieces.push(Piece::Text(text));
                    return Some(pieces);
                }
                '\\' => match characters.next()?.1 {
                    escaped @ ('\'' | '\\' | '{' | '}') => text.push(escaped),
                    _ => return None,
                },
                '{' if characters.peek().is_some_and(|(_, next)| *next == '}') => {
                    characters.next();
                    pieces.push(Piece::Text(std::mem::take(&mut text)));
                    pieces.push(Piece::Hole);
                }
                c => text.push(c),
            }
        }
        None
    }

    /// A path up to the comma or parenthesis that ends the argument.
    fn path(&mut self) -> &'a str {
        let mut open = 0_usize;
        let mut quote = None;
        let mut end = self.rest.len();
        for (at, c) in self.rest.char_indices() {
            match (quote, c) {
                (Some(q), c) if q == c => quote = None,
                (Some(_), _) => {}
                (None, '\'' | '"') => quote = Some(c),
                (None, '(' | '[') => open += 1,
                (None, ')' | ',') if open == 0 => {
                    end = at;
                    break;
                }
                (None, ')' | ']') => open = open.saturating_sub(1),
                (None, _) => {}
            }
        }
        let (path, rest) = self.rest.split_at(end);
        self.rest = rest;
        path
    }

    fn until(&mut self, stop: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(stop).unwrap_or(self.rest.len());
        let (head, rest) = self.rest.split_at(end);
        self.rest = rest;
        head
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_nest_ten_deep_and_no_deeper() {
        let nested =
            |depth: usize| format!("{}1{}", "States.Array(".repeat(depth), ")".repeat(depth));
        assert!(call(&nested(10)).is_some());
        assert!(call(&nested(11)).is_none());
    }

    #[test]
    fn unknown_functions_escapes_and_counts_are_refused() {
        for text in [
            "States.Nothing()",
            "States.Array(1",
            "States.Format('a\\n')",
            "States.Format('a\\\"')",
            "States.UUID(1)",
            "States.MathAdd(1)",
            "States.Array('a)",
            "States.Array(a)",
            "States.Array(1) ,",
        ] {
            assert!(call(text).is_none(), "{text}");
        }
    }

    #[test]
    fn paths_with_commas_and_parentheses_stay_whole() {
        for text in
            ["States.Array($.a[0,1], $.b[?(@.c == ')')])", "States.Array($['a,b'], $$.Task)"]
        {
            assert_eq!(call(text).map(|call| call.arguments.len()), Some(2), "{text}");
        }
    }
}
