//! Reading patterns: the grammar browsers share, without the `u` flag.

use super::tree::{Repeat, Tree};

/// How deep groups may nest.
const DEEPEST: usize = 250;

pub(super) type Read<T> = Result<T, &'static str>;

/// The tree of a pattern and the number of its groups, the whole match included.
pub(super) fn parse(pattern: &str) -> Read<(Tree, usize)> {
    let units: Vec<u16> = pattern.encode_utf16().collect();
    let names = group_names(&units)?;
    let total = names.len();
    let mut parser = Parser { units: &units, at: 0, names, groups: 1, depth: 0 };
    let tree = parser.either()?;
    if parser.at < units.len() {
        return Err("Unmatched ')'");
    }
    Ok((tree, total + 1))
}

pub(super) struct Parser<'p> {
    pub(super) units: &'p [u16],
    pub(super) at: usize,
    /// The names of all groups of the pattern, in order.
    pub(super) names: Vec<Option<Vec<u16>>>,
    groups: usize,
    depth: usize,
}

pub(super) fn unit(char: char) -> u16 {
    u16::try_from(u32::from(char)).unwrap_or(0)
}

/// Looks ahead for the groups, which back references may name before they are reached.
fn group_names(units: &[u16]) -> Read<Vec<Option<Vec<u16>>>> {
    let mut names: Vec<Option<Vec<u16>>> = Vec::new();
    let mut at = 0;
    let mut in_class = false;
    while at < units.len() {
        match char_of(units[at]) {
            '\\' => at += 1,
            '[' => in_class = true,
            ']' => in_class = false,
            '(' if !in_class => {
                let name = group_name(&units[at + 1..])?;
                if name.is_some() || units.get(at + 1) != Some(&unit('?')) {
                    if name.is_some() && names.contains(&name) {
                        return Err("Duplicate capture group name");
                    }
                    names.push(name);
                }
            }
            _ => {}
        }
        at += 1;
    }
    Ok(names)
}

/// The name in `?<name>`.
fn group_name(units: &[u16]) -> Read<Option<Vec<u16>>> {
    let starts = units.first() == Some(&unit('?')) && units.get(1) == Some(&unit('<'));
    if !starts || matches!(units.get(2).map(|unit| char_of(*unit)), Some('=' | '!')) {
        return Ok(None);
    }
    let name: Vec<u16> =
        units[2..].iter().copied().take_while(|other| *other != unit('>')).collect();
    let valid = |(at, unit): (usize, &u16)| {
        let char = char_of(*unit);
        char == '$' || char == '_' || char.is_alphabetic() || (at > 0 && char.is_alphanumeric())
    };
    if name.is_empty() || name.len() + 2 >= units.len() || !name.iter().enumerate().all(valid) {
        return Err("Invalid capture group name");
    }
    Ok(Some(name))
}

pub(super) fn char_of(unit: u16) -> char {
    char::from_u32(u32::from(unit)).unwrap_or(char::REPLACEMENT_CHARACTER)
}

impl Parser<'_> {
    pub(super) fn peek(&self) -> Option<char> {
        self.units.get(self.at).map(|unit| char_of(*unit))
    }

    pub(super) fn eat(&mut self, text: &str) -> bool {
        let wanted: Vec<u16> = text.encode_utf16().collect();
        let found = self.units[self.at..].starts_with(&wanted);
        if found {
            self.at += wanted.len();
        }
        found
    }

    fn either(&mut self) -> Read<Tree> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("Regular expression too large");
        }
        let mut choices = vec![self.all()?];
        while self.eat("|") {
            choices.push(self.all()?);
        }
        self.depth -= 1;
        Ok(if choices.len() == 1 { choices.swap_remove(0) } else { Tree::Either(choices) })
    }

    fn all(&mut self) -> Read<Tree> {
        let mut parts = Vec::new();
        while !matches!(self.peek(), None | Some('|' | ')')) {
            parts.push(self.term()?);
        }
        Ok(match parts.len() {
            0 => Tree::Empty,
            1 => parts.swap_remove(0),
            _ => Tree::All(parts),
        })
    }

    fn term(&mut self) -> Read<Tree> {
        let first = self.groups;
        let behind = self.units[self.at..].starts_with(&[unit('('), unit('?'), unit('<')]);
        let atom = self.atom()?;
        match &atom {
            Tree::LineStart | Tree::LineEnd | Tree::WordEdge(_) if self.quantified() => {
                return Err("Nothing to repeat");
            }
            Tree::Look { .. } if behind && self.quantified() => return Err("Invalid quantifier"),
            _ => {}
        }
        self.repeat(atom, first)
    }

    /// Whether a quantifier stands here.
    fn quantified(&mut self) -> bool {
        let at = self.at;
        let found = matches!(self.quantifier(), Ok(Some(_)) | Err(_));
        self.at = at;
        found
    }

    fn repeat(&mut self, atom: Tree, first: usize) -> Read<Tree> {
        let Some((least, most)) = self.quantifier()? else { return Ok(atom) };
        let greedy = !self.eat("?");
        let groups = (first, self.groups);
        Ok(Tree::Repeat(Box::new(Repeat { inner: atom, least, most, greedy, groups })))
    }

    fn quantifier(&mut self) -> Read<Option<(u32, Option<u32>)>> {
        Ok(match self.peek() {
            Some('*') => self.skip((0, None)),
            Some('+') => self.skip((1, None)),
            Some('?') => self.skip((0, Some(1))),
            Some('{') => self.braces()?,
            _ => None,
        })
    }

    fn skip<T>(&mut self, meaning: T) -> Option<T> {
        self.at += 1;
        Some(meaning)
    }

    /// `{2}`, `{2,}`, `{2,3}`; anything else is not a quantifier but text.
    fn braces(&mut self) -> Read<Option<(u32, Option<u32>)>> {
        let start = self.at;
        self.at += 1;
        let bounds = self.number().map(|least| {
            let most = if self.eat(",") { self.number() } else { Some(least) };
            (least, most)
        });
        match bounds {
            Some((least, most)) if self.eat("}") => {
                if most.is_some_and(|most| most < least) {
                    return Err("numbers out of order in {} quantifier");
                }
                Ok(Some((least, most)))
            }
            _ => {
                self.at = start;
                Ok(None)
            }
        }
    }

    pub(super) fn number(&mut self) -> Option<u32> {
        let start = self.at;
        let mut number = 0_u32;
        while let Some(digit) = self.peek().and_then(|char| char.to_digit(10)) {
            number = number.saturating_mul(10).saturating_add(digit);
            self.at += 1;
        }
        (self.at > start).then_some(number)
    }

    fn atom(&mut self) -> Read<Tree> {
        let at = self.at;
        let Some(char) = self.peek() else { return Ok(Tree::Empty) };
        self.at += 1;
        Ok(match char {
            '^' => Tree::LineStart,
            '$' => Tree::LineEnd,
            '.' => Tree::Any,
            '(' => return self.group(),
            '[' => Tree::Class(self.class()?),
            '\\' => return self.escape(),
            '*' | '+' | '?' => return Err("Nothing to repeat"),
            '{' => {
                self.at = at;
                if self.braces()?.is_some() {
                    return Err("Nothing to repeat");
                }
                self.at = at + 1;
                Tree::Unit(self.units[at])
            }
            _ => Tree::Unit(self.units[at]),
        })
    }

    fn group(&mut self) -> Read<Tree> {
        let look =
            [("?=", true, false), ("?!", true, true), ("?<=", false, false), ("?<!", false, true)];
        for (mark, ahead, negated) in look {
            if self.eat(mark) {
                let inner = Box::new(self.closed()?);
                return Ok(Tree::Look { ahead, negated, inner });
            }
        }
        if self.eat("?:") {
            return Ok(Tree::Group { number: None, inner: Box::new(self.closed()?) });
        }
        let name = group_name(&self.units[self.at..])?;
        match name {
            Some(name) => self.at += name.len() + 3,
            None if self.eat("?") => return Err("Invalid group"),
            None => {}
        }
        let number = self.groups;
        self.groups += 1;
        Ok(Tree::Group { number: Some(number), inner: Box::new(self.closed()?) })
    }

    /// The rest of a group.
    fn closed(&mut self) -> Read<Tree> {
        let inner = self.either()?;
        if self.eat(")") { Ok(inner) } else { Err("Unterminated group") }
    }
}
