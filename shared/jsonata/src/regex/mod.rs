//! Regular expressions as JavaScript has them, matched one paid step at a time.
//!
//! ```text
//! pattern ──▶ parse ──▶ tree ──▶ compile ──▶ program ──▶ matcher(UTF-16 units, budget)
//! ```
//!
//! Matching backtracks, as the language demands (back references, look-around, which alternative
//! wins); a pattern that explodes ends when the budget does. There is no recursion over the text.

mod class;
mod compile;
mod escapes;
mod matcher;
mod parse;
mod tree;

use std::sync::Arc;

use self::compile::Program;
use crate::{budget::Budget, error::Outcome};

/// A regular expression, ready to be matched.
pub(crate) struct Regex {
    source: Arc<str>,
    program: Program,
}

/// Where a match and its groups lie, in UTF-16 units.
pub(crate) type Spans = Vec<Option<(usize, usize)>>;

impl Regex {
    /// Reads a pattern; `flags` are those JSONata allows, `i` and `m`.
    ///
    /// # Errors
    /// JavaScript's sentence about what is wrong.
    pub(crate) fn parse(pattern: &str, flags: &str) -> Result<Self, String> {
        if flags.matches('i').count() > 1 || flags.matches('m').count() > 1 {
            return Err(format!("Invalid flags supplied to RegExp constructor '{flags}g'"));
        }
        let sorted = ["i", "m"].into_iter().filter(|flag| flags.contains(flag)).collect::<String>();
        let read = parse::parse(pattern);
        let (tree, groups) =
            read.map_err(|why| format!("Invalid regular expression: /{pattern}/g{sorted}: {why}"))?;
        let program = compile::compile(&tree, groups, flags.contains('i'), flags.contains('m'));
        Ok(Self { source: Arc::from(pattern), program })
    }

    /// The pattern it was read from.
    pub(crate) fn source(&self) -> &Arc<str> {
        &self.source
    }

    /// The first match at or after `from`; the first span is the whole match.
    pub(crate) fn find(
        &self,
        text: &[u16],
        from: usize,
        budget: &mut Budget,
    ) -> Outcome<Option<Spans>> {
        matcher::find(&self.program, text, from, budget)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(pattern: &str, flags: &str, text: &str) -> Option<Vec<Option<String>>> {
        let regex = Regex::parse(pattern, flags).unwrap();
        let units: Vec<u16> = text.encode_utf16().collect();
        let mut budget = Budget::new(1_000_000, 1 << 24);
        let spans = regex.find(&units, 0, &mut budget).unwrap()?;
        let text = |span: Option<(usize, usize)>| {
            span.map(|(start, end)| String::from_utf16_lossy(&units[start..end]))
        };
        Some(spans.into_iter().map(text).collect())
    }

    fn whole(pattern: &str, flags: &str, text: &str) -> Option<String> {
        groups(pattern, flags, text)?.remove(0)
    }

    #[test]
    fn patterns_match_as_in_javascript() {
        for (pattern, flags, text, expected) in [
            ("a+b", "", "xaab", Some("aab")),
            ("a+?", "", "aaa", Some("a")),
            ("^b$", "m", "a\nb\nc", Some("b")),
            ("HeLLo", "i", "say hello", Some("hello")),
            ("(?<=\\$)\\d+(?!\\d|%)", "", "5% $42", Some("42")),
            ("(?<!a)b", "", "abb", Some("b")),
            ("[^a-c\\d]+", "", "ab1xyz2", Some("xyz")),
            ("(a|ab)(c|bcd)(d*)", "", "abcd", Some("abcd")),
            ("(z)((a+)?(b+)?(c))*", "", "zaacbbbcac", Some("zaacbbbcac")),
            ("\\bfoo\\b", "", "a foo b", Some("foo")),
            ("x{2,3}?y", "", "xxxxy", Some("xxxy")),
            ("a{,2}", "", "a{,2}", Some("a{,2}")),
            ("(?<y>\\d{4})-\\k<y>", "", "2020-2020", Some("2020-2020")),
            ("(a*)*b", "", "aab", Some("aab")),
            ("\\x41\\u0042\\103", "", "ABC", Some("ABC")),
            ("[\\]x]+", "", "a]x]", Some("]x]")),
            ("q", "", "abc", None),
        ] {
            assert_eq!(whole(pattern, flags, text).as_deref(), expected, "{pattern}");
        }
    }

    #[test]
    fn groups_of_a_former_round_are_forgotten() {
        let found = groups("(z)((a+)?(b+)?(c))*", "", "zaacbbbcac").unwrap();
        let found: Vec<_> = found.iter().map(Option::as_deref).collect();
        assert_eq!(found, [Some("zaacbbbcac"), Some("z"), Some("ac"), Some("a"), None, Some("c")]);
    }

    #[test]
    fn malformed_patterns_are_refused_with_javascripts_words() {
        for (pattern, why) in [
            ("(", "Unterminated group"),
            ("[a", "Unterminated character class"),
            ("a**", "Nothing to repeat"),
            ("x)", "Unmatched ')'"),
            ("[b-a]", "Range out of order in character class"),
            ("a{2,1}", "numbers out of order in {} quantifier"),
        ] {
            let message = Regex::parse(pattern, "").err().unwrap();
            assert_eq!(message, format!("Invalid regular expression: /{pattern}/g: {why}"));
        }
    }

    #[test]
    fn a_catastrophic_pattern_ends_with_the_budget() {
        let regex = Regex::parse("^(a+)+$", "").unwrap();
        let units: Vec<u16> = format!("{}!", "a".repeat(40)).encode_utf16().collect();
        let mut budget = Budget::new(100_000, 1 << 24);
        assert!(regex.find(&units, 0, &mut budget).is_err());
        assert_eq!(budget.remaining().0, 0);
    }
}
