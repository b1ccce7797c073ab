//! Walking over the text of a filter, and saying where it goes wrong.

use crate::Refusal;

/// A place in the text.
pub(super) struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    /// At the beginning.
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// What is still to be read.
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Bytes read so far.
    pub(super) const fn position(&self) -> usize {
        self.at
    }

    /// Whether nothing is left.
    pub(super) fn end(&self) -> bool {
        self.rest().is_empty()
    }

    /// Steps over a character if it is the next one.
    pub(super) fn take(&mut self, wanted: char) -> bool {
        let found = self.rest().starts_with(wanted);
        self.at += if found { wanted.len_utf8() } else { 0 };
        found
    }

    /// Steps over a character that must be the next one.
    pub(super) fn expect(&mut self, wanted: char, what: &str) -> Result<(), Refusal> {
        if self.take(wanted) { Ok(()) } else { Err(self.refuse(&format!("expected {what}"))) }
    }

    /// The text up to the next comma, which is stepped over.
    pub(super) fn until_comma(&mut self, what: &str) -> Result<&'a str, Refusal> {
        let rest = self.rest();
        let end = rest.find([',', '(', ')', ';', '\'']).unwrap_or(rest.len());
        let found = rest.get(..end).unwrap_or_default();
        self.at += end;
        self.expect(',', &format!("',' after {what}"))?;
        Ok(found)
    }

    /// A value, plain or in quotes.
    pub(super) fn value(&mut self) -> Result<String, Refusal> {
        if self.take('\'') { self.quoted() } else { self.plain() }
    }

    /// A value without quotes.
    fn plain(&mut self) -> Result<String, Refusal> {
        let rest = self.rest();
        let end = rest.find([',', ')', '\'']).unwrap_or(rest.len());
        let found = rest.get(..end).unwrap_or_default();
        if found.is_empty() {
            return Err(self.refuse("expected a value; an empty text is written ''"));
        }
        self.at += end;
        Ok(found.into())
    }

    /// The rest of a value in quotes; `''` is one quote.
    fn quoted(&mut self) -> Result<String, Refusal> {
        let mut value = String::new();
        loop {
            let rest = self.rest();
            let Some(end) = rest.find('\'') else {
                return Err(self.refuse("the quote that opens here is never closed"));
            };
            value.push_str(rest.get(..end).unwrap_or_default());
            self.at += end + 1;
            if !self.take('\'') {
                return Ok(value);
            }
            value.push('\'');
        }
    }

    /// The refusal at this place.
    pub(super) fn refuse(&self, what: &str) -> Refusal {
        self.refuse_at(self.at, what)
    }

    /// The refusal at a place; positions count characters from 1.
    pub(super) fn refuse_at(&self, at: usize, what: &str) -> Refusal {
        let before = self.text.get(..at).unwrap_or(self.text).chars().count();
        Refusal::malformed(format!("the filter is wrong at character {}: {what}", before + 1))
    }
}
