//! What is wrong with a package, where, and what to do: findings, and the refusal made of them.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::rules::{Rule, archive};

/// A value and the place in the package where it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Located<T> {
    /// The value itself.
    pub value: T,
    /// File inside the archive.
    pub file: Arc<str>,
    /// Line in that file, from 1.
    pub line: u32,
}

/// A position in a package: a file inside the archive and, where known, a line from 1.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Place {
    /// File inside the archive; empty when the archive itself is meant.
    pub file: Arc<str>,
    /// Line in the file, from 1.
    pub line: Option<u32>,
}

impl Place {
    /// The archive as a whole.
    #[must_use]
    pub fn archive() -> Self {
        Self::default()
    }

    /// A whole file.
    pub fn file(file: impl Into<Arc<str>>) -> Self {
        Self { file: file.into(), line: None }
    }

    /// A line of a file.
    pub fn line(file: impl Into<Arc<str>>, line: u32) -> Self {
        Self { file: file.into(), line: Some(line) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.file.is_empty(), self.line) {
            (true, _) => f.write_str("the archive"),
            (false, None) => f.write_str(&self.file),
            (false, Some(line)) => write!(f, "{}:{line}", self.file),
        }
    }
}

/// One deviation: the rule, what was found, where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Number of the rule, as listed in `docs/sol001-rules.md`.
    pub rule: &'static str,
    /// What was found, in one sentence.
    pub message: String,
    /// What to do about it.
    pub help: &'static str,
    /// File inside the archive; empty when the archive itself is meant.
    pub file: Arc<str>,
    /// Line in that file, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

impl Finding {
    pub(crate) fn new(rule: &Rule, message: impl Into<String>, place: Place) -> Self {
        let Place { file, line } = place;
        Self { rule: rule.id, message: shortened(message.into()), help: rule.help, file, line }
    }

    /// Whether it was the reading that failed, and not the content.
    #[must_use]
    pub fn is_unread(&self) -> bool {
        self.rule == archive::READ_FAILED.id
    }

    /// Where the finding was made.
    #[must_use]
    pub fn place(&self) -> Place {
        Place { file: Arc::clone(&self.file), line: self.line }
    }
}

/// Longest message in bytes: what is quoted comes from a stranger.
const MESSAGE_BYTES: usize = 600;

fn shortened(mut message: String) -> String {
    if message.len() > MESSAGE_BYTES {
        let end = (0..=MESSAGE_BYTES).rev().find(|&i| message.is_char_boundary(i)).unwrap_or(0);
        message.truncate(end);
        message.push('…');
    }
    message
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {} ({})", self.rule, self.place(), self.message, self.help)
    }
}

impl std::error::Error for Finding {}

/// Why a package is not accepted: at least one error, and what else was noticed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// What forbids the package; never empty.
    pub errors: Vec<Finding>,
    /// What was noticed besides.
    pub warnings: Vec<Finding>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.errors.iter().enumerate() {
            if i > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}
