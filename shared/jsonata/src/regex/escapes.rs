//! The parts of patterns with rules of their own: escapes and classes.

use super::{
    class::Class,
    parse::{Parser, Read, char_of, unit},
    tree::Tree,
};

impl Parser<'_> {
    pub(super) fn escape(&mut self) -> Read<Tree> {
        let Some(char) = self.peek() else { return Err("\\ at end of pattern") };
        if char == 'b' || char == 'B' {
            self.at += 1;
            return Ok(Tree::WordEdge(char == 'b'));
        }
        if char == 'k' && self.names.iter().any(Option::is_some) {
            self.at += 1;
            return self.named_reference();
        }
        if let Some(group) = self.back_reference() {
            return Ok(Tree::Back(group));
        }
        let mut class = Class::default();
        if class.add_escape(self.units[self.at]) {
            self.at += 1;
            return Ok(Tree::Class(class.finish()));
        }
        Ok(Tree::Unit(self.escaped_unit(false)))
    }

    fn named_reference(&mut self) -> Read<Tree> {
        let rest = &self.units[self.at..];
        if rest.first() != Some(&unit('<')) || !rest.contains(&unit('>')) {
            return Err("Invalid named reference");
        }
        let name: Vec<u16> =
            rest[1..].iter().copied().take_while(|other| *other != unit('>')).collect();
        self.at += name.len() + 2;
        let place = self.names.iter().position(|known| known.as_ref() == Some(&name));
        place.map(|place| Tree::Back(place + 1)).ok_or("Invalid named capture referenced")
    }

    /// `\1` to as many groups as there are; other numbers are characters.
    fn back_reference(&mut self) -> Option<usize> {
        let start = self.at;
        if !matches!(self.peek(), Some('1'..='9')) {
            return None;
        }
        let number = self.number().and_then(|number| usize::try_from(number).ok());
        let found = number.filter(|number| *number <= self.names.len());
        if found.is_none() {
            self.at = start;
        }
        found
    }

    /// The unit after a backslash.
    fn escaped_unit(&mut self, in_class: bool) -> u16 {
        let escaped = self.units[self.at];
        self.at += 1;
        match char_of(escaped) {
            't' => 9,
            'n' => 10,
            'v' => 11,
            'f' => 12,
            'r' => 13,
            '0'..='7' => {
                self.at -= 1;
                self.octal()
            }
            'x' => self.hex(2).unwrap_or(escaped),
            'u' => self.hex(4).unwrap_or(escaped),
            'c' => self.control(in_class),
            _ => escaped,
        }
    }

    fn hex(&mut self, length: usize) -> Option<u16> {
        let digits = self.units.get(self.at..self.at + length)?;
        let text: String = digits.iter().map(|unit| char_of(*unit)).collect();
        let valid = text.chars().all(|char| char.is_ascii_hexdigit());
        let unit = valid.then(|| u16::from_str_radix(&text, 16).ok())??;
        self.at += length;
        Some(unit)
    }

    /// Up to three octal digits, below 256.
    fn octal(&mut self) -> u16 {
        let mut value = 0;
        for _ in 0..3 {
            match self.peek().and_then(|char| char.to_digit(8)) {
                Some(digit) if value * 8 + digit < 256 => value = value * 8 + digit,
                _ => break,
            }
            self.at += 1;
        }
        u16::try_from(value).unwrap_or(0)
    }

    /// `\cA`; without a letter the backslash itself is meant.
    fn control(&mut self, in_class: bool) -> u16 {
        match self.peek() {
            Some(char)
                if char.is_ascii_alphabetic()
                    || (in_class && (char.is_ascii_digit() || char == '_')) =>
            {
                self.at += 1;
                unit(char) % 32
            }
            _ => {
                self.at -= 1;
                unit('\\')
            }
        }
    }

    pub(super) fn class(&mut self) -> Read<Class> {
        let mut class = Class::default();
        class.negated = self.eat("^");
        loop {
            if self.peek().is_none() {
                return Err("Unterminated character class");
            }
            if self.eat("]") {
                return Ok(class.finish());
            }
            let first = self.member(&mut class)?;
            let dashed =
                self.peek() == Some('-') && self.units.get(self.at + 1) != Some(&unit(']'));
            if !dashed || self.at + 1 >= self.units.len() {
                first.iter().for_each(|first| class.add(*first, *first));
                continue;
            }
            self.at += 1;
            let last = self.member(&mut class)?;
            match (first, last) {
                (Some(first), Some(last)) if first > last => {
                    return Err("Range out of order in character class");
                }
                (Some(first), Some(last)) => class.add(first, last),
                // A dash beside `\d` and its like is a dash.
                (first, last) => {
                    class.add(unit('-'), unit('-'));
                    first.iter().chain(&last).for_each(|one| class.add(*one, *one));
                }
            }
        }
    }

    /// One member of a class; nothing if it was a whole set.
    fn member(&mut self, class: &mut Class) -> Read<Option<u16>> {
        let plain = self.units[self.at];
        self.at += 1;
        if plain != unit('\\') {
            return Ok(Some(plain));
        }
        let Some(escaped) = self.units.get(self.at).copied() else {
            return Err("\\ at end of pattern");
        };
        if class.add_escape(escaped) {
            self.at += 1;
            return Ok(None);
        }
        if escaped == unit('b') {
            self.at += 1;
            return Ok(Some(8));
        }
        Ok(Some(self.escaped_unit(true)))
    }
}
