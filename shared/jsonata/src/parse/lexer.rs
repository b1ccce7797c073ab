//! Source text to tokens, one at a time, because `/` means two things.

use std::sync::Arc;

use crate::{
    error::{Fault, Outcome},
    regex::Regex,
    value::Value,
};

/// A token and where it ends (byte offset): the place the language gives for it.
#[derive(Clone)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) position: u32,
}

#[derive(Clone)]
pub(super) enum TokenKind {
    Operator(&'static str),
    Text(Arc<str>),
    Number(f64),
    /// `true`, `false`, `null`.
    Word(Value),
    Name(Arc<str>),
    Variable(Arc<str>),
    Regex(Arc<Regex>),
}

const DOUBLE: [&str; 7] = ["..", ":=", "!=", ">=", "<=", "**", "~>"];
const SINGLE: [&str; 24] = [
    ".", "[", "]", "{", "}", "(", ")", ",", "@", "#", ";", ":", "?", "+", "-", "*", "/", "%", "|",
    "=", "<", ">", "^", "&",
];
/// No operators, but names end before them.
const STOPS: [&str; 2] = ["!", "~"];

pub(super) struct Lexer<'s> {
    source: &'s str,
    at: usize,
}

impl<'s> Lexer<'s> {
    pub(super) fn new(source: &'s str) -> Self {
        Self { source, at: 0 }
    }

    fn rest(&self) -> &'s str {
        self.source.get(self.at..).unwrap_or("")
    }

    #[expect(clippy::cast_possible_truncation, reason = "sources are at most 2^20 bytes")]
    fn position(&self) -> u32 {
        self.at as u32
    }

    /// The next token; after an operand (`infix`) a slash divides, elsewhere it opens a regex.
    pub(super) fn next(&mut self, infix: bool) -> Outcome<Option<Token>> {
        self.skip()?;
        let Some(first) = self.rest().chars().next() else { return Ok(None) };
        let kind = match first {
            '/' if !infix => self.regex()?,
            '"' | '\'' => self.text(first)?,
            '0'..='9' => self.number()?,
            '`' => self.quoted_name()?,
            _ => self.operator().unwrap_or_else(|| self.name()),
        };
        Ok(Some(Token { kind, position: self.position() }))
    }

    /// Passes over white space and comments.
    fn skip(&mut self) -> Outcome<()> {
        loop {
            self.at = self.source.len() - self.rest().trim_start_matches(is_space).len();
            if !self.rest().starts_with("/*") {
                return Ok(());
            }
            let Some(end) = self.source.get(self.at + 2..).and_then(|rest| rest.find("*/")) else {
                return Err(Fault::new("S0106").at(self.position()));
            };
            self.at += end + 4;
        }
    }

    fn operator(&mut self) -> Option<TokenKind> {
        let rest = self.rest();
        let known = DOUBLE.iter().chain(&SINGLE).chain(&STOPS);
        let operator = known.into_iter().find(|operator| rest.starts_with(**operator))?;
        self.at += operator.len();
        Some(TokenKind::Operator(operator))
    }

    fn number(&mut self) -> Outcome<TokenKind> {
        let text = &self.rest()[..number_length(self.rest())];
        let number: f64 = text.parse().unwrap_or(f64::NAN);
        if !number.is_finite() {
            return Err(Fault::new("S0102").at(self.position()).token(text));
        }
        self.at += text.len();
        Ok(TokenKind::Number(number))
    }

    fn quoted_name(&mut self) -> Outcome<TokenKind> {
        let start = self.at + 1;
        let Some(length) = self.source[start..].find('`') else {
            self.at = self.source.len();
            return Err(Fault::new("S0105").at(self.position()));
        };
        self.at = start + length + 1;
        Ok(TokenKind::Name(Arc::from(&self.source[start..start + length])))
    }

    fn name(&mut self) -> TokenKind {
        let rest = self.rest();
        let end = rest.find(|char| is_space(char) || ends_name(char)).unwrap_or(rest.len());
        self.at += end;
        let name = &rest[..end];
        if let Some(variable) = name.strip_prefix('$') {
            return TokenKind::Variable(Arc::from(variable));
        }
        match name {
            "or" => TokenKind::Operator("or"),
            "in" => TokenKind::Operator("in"),
            "and" => TokenKind::Operator("and"),
            "true" => TokenKind::Word(Value::Bool(true)),
            "false" => TokenKind::Word(Value::Bool(false)),
            "null" => TokenKind::Word(Value::Null),
            _ => TokenKind::Name(Arc::from(name)),
        }
    }

    fn text(&mut self, quote: char) -> Outcome<TokenKind> {
        self.at += 1;
        let mut out = Unescaped::default();
        while let Some(char) = self.rest().chars().next() {
            self.at += char.len_utf8();
            if char == quote {
                return Ok(TokenKind::Text(Arc::from(out.finish())));
            }
            if char == '\\' { self.escape(&mut out)? } else { out.push(char) }
        }
        Err(Fault::new("S0101").at(self.position()))
    }

    /// What follows a backslash in a text.
    fn escape(&mut self, out: &mut Unescaped) -> Outcome<()> {
        let escaped = self.rest().chars().next();
        let position = self.position();
        self.at += escaped.map_or(0, char::len_utf8);
        match escaped {
            Some(char @ ('"' | '\\' | '/')) => out.push(char),
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('u') => out.unit(self.four_digits().ok_or(Fault::new("S0104").at(position))?),
            other => {
                let token = other.map(String::from).unwrap_or_default();
                return Err(Fault::new("S0103").at(position).token(&token));
            }
        }
        Ok(())
    }

    fn four_digits(&mut self) -> Option<u16> {
        let digits: String = self.rest().chars().take(4).collect();
        if !digits.chars().all(|char| char.is_ascii_hexdigit()) {
            return None;
        }
        self.at += digits.len();
        u16::from_str_radix(&digits, 16).ok()
    }

    /// The slash was seen: finds the closing one, which is outside all brackets.
    fn regex(&mut self) -> Outcome<TokenKind> {
        let start = self.at + 1;
        let bytes = self.source.as_bytes();
        let mut depth = 0_i64;
        for at in start..bytes.len() {
            if bytes[at] == b'/' && depth == 0 && backslashes_before(bytes, at).is_multiple_of(2) {
                return self.finish_regex(start, at);
            }
            let escaped = bytes[at - 1] == b'\\';
            match bytes[at] {
                b'(' | b'[' | b'{' if !escaped => depth += 1,
                b')' | b']' | b'}' if !escaped => depth -= 1,
                _ => {}
            }
        }
        self.at = bytes.len();
        Err(Fault::new("S0302").at(self.position()))
    }

    fn finish_regex(&mut self, start: usize, end: usize) -> Outcome<TokenKind> {
        let pattern = &self.source[start..end];
        self.at = end;
        if pattern.is_empty() {
            return Err(Fault::new("S0301").at(self.position()));
        }
        self.at = end + 1;
        let flags_end = self.rest().find(|char| char != 'i' && char != 'm');
        let flags = &self.rest()[..flags_end.unwrap_or(self.rest().len())];
        self.at += flags.len();
        let regex = Regex::parse(pattern, flags);
        let regex = regex.map_err(|why| Fault::said("SyntaxError", &why).at(self.position()))?;
        Ok(TokenKind::Regex(Arc::new(regex)))
    }
}

fn backslashes_before(bytes: &[u8], at: usize) -> usize {
    bytes[..at].iter().rev().take_while(|byte| **byte == b'\\').count()
}

fn is_space(char: char) -> bool {
    matches!(char, ' ' | '\t' | '\n' | '\r' | '\u{b}')
}

fn ends_name(char: char) -> bool {
    char.is_ascii() && SINGLE.iter().chain(&STOPS).any(|stop| stop.starts_with(char))
}

/// How much of the text is a JSON number.
fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits =
        |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut end = if bytes[0] == b'0' { 1 } else { digits(0) };
    if bytes.get(end) == Some(&b'.') && digits(end + 1) > 0 {
        end += 1 + digits(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let from = end + 1 + sign;
        if from <= bytes.len() && digits(from) > 0 {
            end = from + digits(from);
        }
    }
    end
}

/// A text literal's content; escaped surrogate pairs become one character.
#[derive(Default)]
struct Unescaped {
    text: String,
    high: Option<u16>,
}

impl Unescaped {
    fn push(&mut self, char: char) {
        self.flush();
        self.text.push(char);
    }

    fn unit(&mut self, unit: u16) {
        if let Some(high) = self.high.take() {
            if let Some(Ok(char)) = char::decode_utf16([high, unit]).next() {
                return self.text.push(char);
            }
            self.text.push(char::REPLACEMENT_CHARACTER);
        }
        match char::from_u32(u32::from(unit)) {
            Some(char) => self.text.push(char),
            None => self.high = Some(unit),
        }
    }

    /// Half a pair has no place in UTF-8.
    fn flush(&mut self) {
        if self.high.take().is_some() {
            self.text.push(char::REPLACEMENT_CHARACTER);
        }
    }

    fn finish(mut self) -> String {
        self.flush();
        self.text
    }
}
