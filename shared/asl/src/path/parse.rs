//! Reading a JSONPath's text.

use super::{Path, Segment, filter, function};

/// Reads a whole path; `None` if it is not one.
pub(super) fn path(text: &str) -> Option<Path> {
    let mut cursor = Cursor::new(text);
    let (segments, function) = cursor.path_after_root(text.starts_with('$'))?;
    cursor.rest().is_empty().then(|| Path { source: text.to_owned(), segments, function })
}

/// A position in the text.
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn bump(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    pub(super) fn take(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    pub(super) fn expect(&mut self, token: &str) -> Option<()> {
        self.take(token).then_some(())
    }

    pub(super) fn spaces(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.bump();
        }
    }

    /// The text up to the first character that `stop` accepts.
    pub(super) fn until(&mut self, stop: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(stop).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    /// A path whose root sign is the next character.
    pub(super) fn path_after_root(
        &mut self,
        is_path: bool,
    ) -> Option<(Vec<Segment>, Option<function::Function>)> {
        if !is_path {
            return None;
        }
        self.bump();
        let mut segments = Vec::new();
        loop {
            if self.take("..") {
                let inner = self.segment_after_dots()?;
                segments.push(Segment::Descend(Box::new(inner)));
            } else if self.take(".") {
                if let Some(function) = function::Function::parse(self) {
                    return Some((segments, Some(function)));
                }
                segments.push(self.dotted()?);
            } else if self.peek() == Some('[') {
                segments.push(self.bracket()?);
            } else {
                return Some((segments, None));
            }
        }
    }

    fn segment_after_dots(&mut self) -> Option<Segment> {
        if self.peek() == Some('[') { self.bracket() } else { self.dotted() }
    }

    fn dotted(&mut self) -> Option<Segment> {
        if self.take("*") {
            return Some(Segment::Wildcard);
        }
        let name = self.until(|c| {
            matches!(c, '.' | '[' | ']' | '(' | ')' | '=' | '!' | '<' | '>' | '&' | '|' | ',')
                || c.is_whitespace()
        });
        (!name.is_empty()).then(|| Segment::Name(name.to_owned()))
    }

    fn bracket(&mut self) -> Option<Segment> {
        self.expect("[")?;
        self.spaces();
        let segment = match self.peek()? {
            '*' => {
                self.bump();
                Segment::Wildcard
            }
            '?' => {
                self.bump();
                self.spaces();
                Segment::Filter(filter::Filter::parse(self)?)
            }
            '\'' | '"' => self.names()?,
            _ => self.numbers()?,
        };
        self.spaces();
        self.expect("]")?;
        Some(segment)
    }

    fn names(&mut self) -> Option<Segment> {
        let first = self.quoted()?;
        let mut names = vec![first];
        loop {
            self.spaces();
            if !self.take(",") {
                break;
            }
            self.spaces();
            names.push(self.quoted()?);
        }
        match names.len() {
            1 => names.pop().map(Segment::Name),
            _ => Some(Segment::Names(names)),
        }
    }

    /// Text in single or double quotes; a backslash keeps the next character.
    pub(super) fn quoted(&mut self) -> Option<String> {
        let quote = self.bump().filter(|c| matches!(c, '\'' | '"'))?;
        let mut text = String::new();
        loop {
            match self.bump()? {
                '\\' => text.push(self.bump()?),
                c if c == quote => return Some(text),
                c => text.push(c),
            }
        }
    }

    fn numbers(&mut self) -> Option<Segment> {
        let inside = self.until(|c| c == ']');
        let number = |text: &str| text.trim().parse::<i64>().ok();
        if let Some((from, to)) = inside.split_once(':') {
            let bound = |text: &str| match text.trim() {
                "" => Some(None),
                text => number(text).map(Some),
            };
            return Some(Segment::Slice(bound(from)?, bound(to)?));
        }
        let mut indexes = inside.split(',').map(number).collect::<Option<Vec<_>>>()?;
        match indexes.len() {
            1 => indexes.pop().map(Segment::Index),
            _ => Some(Segment::Indexes(indexes)),
        }
    }
}
