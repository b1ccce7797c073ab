//! `ProblemDetails`: how a failure is told to a client (SOL013 clause 6.3, RFC 7807).

use super::{Attribute, number, text};
use crate::plan::Fact;
use serde::{Deserialize, Serialize};

/// A failure, for the client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProblemDetails {
    /// Where this kind of problem is described; absent means `about:blank`.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The status in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The HTTP status code.
    pub status: u16,
    /// What was wrong, where, and what to do.
    pub detail: String,
    /// What it happened to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
}

/// Its attributes, where a resource carries one.
pub(in crate::sol) const PROBLEM: &[Attribute] = &[
    text("type"),
    text("title"),
    number("status").must(),
    text("detail").must(),
    text("instance"),
];

impl ProblemDetails {
    /// The media type of its own.
    pub const MEDIA_TYPE: &'static str = "application/problem+json";

    /// A failure with a status and a sentence.
    #[must_use]
    pub fn new(status: u16, detail: impl Into<String>) -> Self {
        Self { kind: None, title: None, status, detail: detail.into(), instance: None }
    }

    /// As a fact tells it: a detail may quote what a stranger wrote, at any length.
    #[must_use]
    pub fn brief(&self) -> Self {
        Self { detail: Fact::brief(&self.detail), ..self.clone() }
    }

    /// With the status in words.
    #[must_use]
    pub fn titled(self, title: impl Into<String>) -> Self {
        Self { title: Some(title.into()), ..self }
    }
}
