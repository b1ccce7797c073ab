//! The characters that mean something in number pictures.

use crate::{
    error::{Fault, Outcome},
    value::{Object, Value},
};

/// A text by characters.
pub(super) type Chars = Vec<char>;

/// The characters with a meaning.
pub(super) struct Signs {
    pub(super) decimal: Chars,
    pub(super) grouping: Chars,
    pub(super) exponent: Chars,
    pub(super) minus: Chars,
    pub(super) percent: Chars,
    pub(super) per_mille: Chars,
    pub(super) zero: Chars,
    pub(super) digit: Chars,
    pub(super) pattern: Chars,
    pub(super) digits: [char; 10],
}

impl Signs {
    pub(super) fn read(options: Option<&Object>) -> Outcome<Self> {
        let sign = |name: &str, default: &str| match options.and_then(|options| options.get(name)) {
            None => Ok(default.chars().collect::<Chars>()),
            Some(Value::String(text)) => Ok(text.chars().collect()),
            Some(_) => Err(Fault::type_error("The options of $formatNumber must be strings")),
        };
        let zero = sign("zero-digit", "0")?;
        let first = zero.first().map_or(0, |zero| u32::from(*zero));
        let digits = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
        Ok(Self {
            decimal: sign("decimal-separator", ".")?,
            grouping: sign("grouping-separator", ",")?,
            exponent: sign("exponent-separator", "e")?,
            minus: sign("minus-sign", "-")?,
            percent: sign("percent", "%")?,
            per_mille: sign("per-mille", "\u{2030}")?,
            digit: sign("digit", "#")?,
            pattern: sign("pattern-separator", ";")?,
            zero,
            digits: digits.map(|digit| char::from_u32(first + digit).unwrap_or('\u{fffd}')),
        })
    }

    pub(super) fn is_digit(&self, char: char) -> bool {
        self.digits.contains(&char)
    }

    pub(super) fn is_placeholder(&self, char: char) -> bool {
        self.is_digit(char) || [char] == *self.digit
    }

    pub(super) fn is_active(&self, char: char) -> bool {
        let signs = [&self.decimal, &self.exponent, &self.grouping, &self.digit, &self.pattern];
        self.is_digit(char) || signs.iter().any(|sign| [char] == ***sign)
    }
}

/// Where `part` first stands in `text`, at or after `from`.
pub(super) fn find(text: &[char], part: &[char], from: usize) -> Option<usize> {
    if part.is_empty() {
        return Some(from.min(text.len()));
    }
    let rest = text.get(from..)?;
    rest.windows(part.len()).position(|window| window == part).map(|at| at + from)
}

pub(super) fn find_last(text: &[char], part: &[char]) -> Option<usize> {
    if part.is_empty() {
        return Some(text.len());
    }
    text.windows(part.len()).rposition(|window| window == part)
}

pub(super) fn split(text: &[char], separator: &[char]) -> Vec<Chars> {
    if separator.is_empty() {
        return text.iter().map(|char| vec![*char]).collect();
    }
    let mut parts = Vec::new();
    let mut start = 0;
    while let Some(at) = find(text, separator, start) {
        parts.push(text[start..at].to_vec());
        start = at + separator.len();
    }
    parts.push(text[start..].to_vec());
    parts
}

pub(super) fn count(text: &[char], wanted: impl Fn(char) -> bool) -> usize {
    text.iter().filter(|char| wanted(**char)).count()
}
