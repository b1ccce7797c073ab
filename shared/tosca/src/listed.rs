//! An entry of a manifest or of TOSCA.meta: a file, its digest, its signature.

use std::sync::Arc;

use serde::Serialize;

use crate::finding::Place;
use crate::rules::{Report, archive as rule};

/// A file as a manifest (`Source:`) or TOSCA.meta (`Name:`) lists it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Listed {
    /// Path in the archive, or URI of an external file.
    pub source: String,
    /// Digest algorithm as written.
    pub algorithm: Option<String>,
    /// Digest as written.
    pub hash: Option<String>,
    /// File with this file's own signature.
    pub signature: Option<String>,
    /// File with the certificate for that signature.
    pub certificate: Option<String>,
    /// Media type (TOSCA.meta only).
    pub content_type: Option<String>,
    /// The non-MANO artifact set the entry stands in.
    pub set: Option<String>,
    /// File the entry stands in.
    pub file: Arc<str>,
    /// Line of the entry in that file, from 1.
    pub line: u32,
}

impl Listed {
    /// Whether the file is outside the archive.
    #[must_use]
    pub fn is_external(&self) -> bool {
        self.source.contains("://")
    }

    /// Takes one `key: value` line; `false` when the key is not one of a listing's.
    pub(crate) fn take(&mut self, key: &str, value: &str, line: u32, report: &mut Report) -> bool {
        let slot = match key {
            "algorithm" => &mut self.algorithm,
            "hash" => &mut self.hash,
            "signature" => &mut self.signature,
            "certificate" => &mut self.certificate,
            "content-type" => &mut self.content_type,
            _ => return false,
        };
        let place = Place::line(Arc::clone(&self.file), line);
        if value.is_empty() {
            let said = format!("`{key}` of `{}` has no value", self.source);
            report.add(&rule::VALUE_MISSING, place, said);
        } else if slot.is_some() {
            let said = format!("`{key}` of `{}` is given twice", self.source);
            report.add(&rule::LISTED_TWICE, place, said);
        }
        // An empty value still counts as given: the key is there, its fault is reported once.
        *slot = Some(value.to_owned());
        true
    }

    /// Algorithm and hash go together.
    pub(crate) fn check_complete(&self, report: &mut Report) {
        let place = Place::line(Arc::clone(&self.file), self.line);
        let missing = match (&self.algorithm, &self.hash) {
            (None, Some(_)) => "Algorithm",
            (Some(_), None) => "Hash",
            (Some(_), Some(_)) | (None, None) => return,
        };
        report.add(&rule::KEY_MISSING, place, format!("`{}` has no {missing}", self.source));
    }
}

/// A path without a leading `./`, which means the same file.
pub(crate) fn plain(path: &str) -> &str {
    path.strip_prefix("./").unwrap_or(path)
}

/// A line as `key: value`, the key in lower case; `None` when there is no colon.
pub(crate) fn key_value(line: &str) -> Option<(String, &str)> {
    let (key, value) = line.split_once(':')?;
    Some((key.trim().to_ascii_lowercase(), value.trim()))
}

/// Lines with their numbers from 1.
pub(crate) fn numbered(text: &str) -> impl Iterator<Item = (u32, &str)> {
    (1..).zip(text.lines())
}
