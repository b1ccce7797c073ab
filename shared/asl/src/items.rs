//! The items of a distributed Map, out of the text of an object.

/// How an object holds its items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    JsonLines,
    /// `headers` are given, or the first row.
    Csv { headers: Option<Vec<String>>, delimiter: char },
    Manifest,
    /// The answer of listObjectsV2.
    Listing,
}
