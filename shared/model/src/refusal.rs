//! The few ways the orchestrator says no.

use std::fmt;

/// The kind of a refusal: it decides the status a client sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Why {
    /// The request itself is wrong: syntax, parameter, header (400).
    Malformed,
    /// The caller is not known (401).
    Unauthorized,
    /// The caller may not do this, or a grant was rejected (403).
    Forbidden,
    /// There is no such thing, or no such task on this thing (404).
    Absent,
    /// No representation the caller accepts can be made (406).
    NotAcceptable,
    /// It exists, but not in a state that allows this (409).
    Conflict,
    /// It changed since the caller read it (412).
    Changed,
    /// More bytes than are taken (413).
    TooLarge,
    /// A body of a type that is not taken (415).
    Unsupported,
    /// No byte of the asked range exists (416).
    Range,
    /// Well-formed, but it cannot be carried out as written (422).
    Unprocessable,
    /// Too many requests of this caller (429).
    TooMany,
    /// Nothing can be served just now; the same call may succeed later (503).
    Unavailable,
}

/// Why the answer is no: what was wrong, where, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The kind.
    pub why: Why,
    /// One or two sentences for the person who asked.
    pub detail: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for Refusal {}

impl Refusal {
    /// A refusal of a kind.
    #[must_use]
    pub fn new(why: Why, detail: impl Into<String>) -> Self {
        Self { why, detail: detail.into() }
    }

    /// There is no `what` of this identity.
    #[must_use]
    pub fn absent(what: &str, id: &str) -> Self {
        Self::new(Why::Absent, format!("there is no {what} '{id}'"))
    }

    /// The request itself is wrong.
    #[must_use]
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(Why::Malformed, detail)
    }

    /// The state does not allow it.
    #[must_use]
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(Why::Conflict, detail)
    }

    /// It cannot be carried out as written.
    #[must_use]
    pub fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(Why::Unprocessable, detail)
    }

    /// Something has nothing of a kind under this id; says what it has.
    #[must_use]
    pub fn unknown<'a>(
        whole: &str,
        kind: &str,
        id: &str,
        known: impl Iterator<Item = &'a str>,
    ) -> Self {
        let known: Vec<_> = known.collect();
        let known = if known.is_empty() { "none".into() } else { known.join(", ") };
        Self::unprocessable(format!("{whole} has no {kind} '{id}'; it has: {known}"))
    }
}
