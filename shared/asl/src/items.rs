//! The items of a distributed Map, out of the text of an object.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// How an object holds its items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Format {
    /// The items are the object, or lie where a JSON pointer says.
    Json {
        pointer: Option<String>,
    },
    JsonLines,
    /// `headers` are given, or the first row.
    Csv {
        headers: Option<Vec<String>>,
        delimiter: char,
    },
    /// An S3 inventory: the files it lists hold the items.
    Manifest,
    /// The answer of listObjectsV2.
    Listing,
}

/// Reads the items of a text, at most `limit` of them.
///
/// # Errors
/// The cause of `States.ItemReaderFailed`.
pub(crate) fn read(format: &Format, text: &str, limit: usize) -> Result<Vec<Value>, String> {
    match format {
        Format::Json { pointer } => json(text, pointer.as_deref(), limit),
        Format::JsonLines => json_lines(text, limit),
        Format::Csv { headers, delimiter } => csv(text, headers.as_deref(), *delimiter, limit),
        Format::Manifest | Format::Listing => listing(text, limit),
    }
}

fn parse(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("The object is not valid JSON: {error}"))
}

fn json(text: &str, pointer: Option<&str>, limit: usize) -> Result<Vec<Value>, String> {
    let mut object = parse(text)?;
    let found = match pointer {
        None => object,
        Some(pointer) => match object.pointer_mut(pointer) {
            Some(found) => found.take(),
            None => return Err(format!("There is nothing at the ItemsPointer '{pointer}'.")),
        },
    };
    let Value::Array(mut items) = found else {
        return Err("Attempting to map over non-iterable node.".to_owned());
    };
    items.truncate(limit);
    Ok(items)
}

fn json_lines(text: &str, limit: usize) -> Result<Vec<Value>, String> {
    text.lines().filter(|line| !line.trim().is_empty()).take(limit).map(parse).collect()
}

/// The listing itself, or an answer of S3 with `Contents`.
fn listing(text: &str, limit: usize) -> Result<Vec<Value>, String> {
    let value = parse(text)?;
    let listed = value.get("Contents").unwrap_or(&value);
    let items = listed.as_array().ok_or("Attempting to map over non-iterable node.")?;
    Ok(items.iter().take(limit).cloned().collect())
}

/// An S3 inventory being read: the files left, and the rows so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Inventory {
    bucket: String,
    headers: Vec<String>,
    /// Keys, the next one last.
    files: Vec<String>,
    pub(crate) items: Vec<Value>,
}

impl Inventory {
    /// Reads a manifest: `{destinationBucket, fileSchema, files: [{key}]}`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let value = parse(text)?;
        let listed = value["files"].as_array().ok_or("The manifest has no files.")?;
        let files = listed.iter().rev().filter_map(|file| file["key"].as_str());
        let bucket = value["destinationBucket"].as_str().unwrap_or_default();
        let schema = value["fileSchema"].as_str().ok_or("The manifest has no fileSchema.")?;
        Ok(Self {
            bucket: bucket.rsplit(':').next().unwrap_or_default().to_owned(),
            headers: schema.split(',').map(|header| header.trim().to_owned()).collect(),
            files: files.map(ToOwned::to_owned).collect(),
            items: Vec::new(),
        })
    }

    /// Adds the rows of a file; the host has unpacked it.
    pub(crate) fn add(&mut self, text: &str, limit: usize) -> Result<(), String> {
        let left = limit.saturating_sub(self.items.len());
        self.items.extend(csv(text, Some(&self.headers), ',', left)?);
        Ok(())
    }

    /// The arguments that read the next file, if more items are wanted.
    pub(crate) fn next_file(&mut self, limit: usize) -> Option<Value> {
        let key = self.files.pop().filter(|_| self.items.len() < limit)?;
        Some(serde_json::json!({ "Bucket": self.bucket, "Key": key }))
    }
}

fn csv(
    text: &str,
    headers: Option<&[String]>,
    delimiter: char,
    limit: usize,
) -> Result<Vec<Value>, String> {
    let mut rows = Rows { rest: text.strip_prefix('\u{feff}').unwrap_or(text), delimiter };
    let headers = match headers {
        Some(headers) => headers.to_vec(),
        None => rows.next().unwrap_or_default(),
    };
    let mut seen = HashSet::new();
    if !headers.iter().all(|header| seen.insert(header)) {
        return Err("CSV headers cannot contain duplicates.".to_owned());
    }
    let item = |row: Vec<String>| {
        let mut cells = row.into_iter();
        let fields: Map<String, Value> = headers
            .iter()
            .map(|header| (header.clone(), Value::String(cells.next().unwrap_or_default())))
            .collect();
        Value::Object(fields)
    };
    Ok(rows.take(limit).map(item).collect())
}

/// The rows of a CSV text (RFC 4180). Empty lines are no rows.
struct Rows<'a> {
    rest: &'a str,
    delimiter: char,
}

impl Iterator for Rows<'_> {
    type Item = Vec<String>;

    fn next(&mut self) -> Option<Vec<String>> {
        loop {
            if self.rest.is_empty() {
                return None;
            }
            let row = self.row();
            if row.iter().any(|cell| !cell.is_empty()) || row.len() > 1 {
                return Some(row);
            }
        }
    }
}

impl Rows<'_> {
    fn row(&mut self) -> Vec<String> {
        let mut row = vec![String::new()];
        let mut quoted = false;
        let mut characters = self.rest.char_indices().peekable();
        while let Some((at, c)) = characters.next() {
            let cell = row.last_mut();
            match c {
                '"' if quoted && characters.peek().is_some_and(|(_, next)| *next == '"') => {
                    characters.next();
                    cell.into_iter().for_each(|cell| cell.push('"'));
                }
                '"' if quoted || cell.as_ref().is_some_and(|cell| cell.is_empty()) => {
                    quoted = !quoted;
                }
                '\n' if !quoted => {
                    self.rest = &self.rest[at + 1..];
                    return row;
                }
                '\r' if !quoted => {}
                c if !quoted && c == self.delimiter => row.push(String::new()),
                c => cell.into_iter().for_each(|cell| cell.push(c)),
            }
        }
        self.rest = "";
        row
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn given(headers: &[&str]) -> Format {
        let headers = headers.iter().map(|header| (*header).to_owned()).collect();
        Format::Csv { headers: Some(headers), delimiter: ',' }
    }

    #[test]
    fn quoted_cells_may_hold_anything() {
        let text = "\"a, \"\"b\"\"\",\"two\nlines\"\r\nplain,\n\n";
        assert_eq!(
            read(&given(&["x", "y"]), text, 10),
            Ok(vec![json!({"x": "a, \"b\"", "y": "two\nlines"}), json!({"x": "plain", "y": ""})])
        );
    }

    #[test]
    fn cells_without_a_header_are_dropped_and_missing_ones_are_empty() {
        let text = "h1,h2\n1\n1,2,3\n";
        let format = Format::Csv { headers: None, delimiter: ',' };
        assert_eq!(
            read(&format, text, 10),
            Ok(vec![json!({"h1": "1", "h2": ""}), json!({"h1": "1", "h2": "2"})])
        );
    }

    #[test]
    fn the_limit_counts_items_not_lines() {
        let format = Format::Csv { headers: None, delimiter: ';' };
        assert_eq!(read(&format, "a;b\n\n1;2\n\n3;4\n", 1), Ok(vec![json!({"a": "1", "b": "2"})]));
        assert_eq!(read(&Format::JsonLines, "1\n\n2\n3\n", 2), Ok(vec![json!(1), json!(2)]));
    }

    #[test]
    fn the_files_of_an_inventory_are_read_in_order_until_there_are_enough_rows() {
        let manifest = r#"{
            "destinationBucket": "arn:aws:s3:::logs",
            "fileSchema": "Bucket, Key",
            "files": [{ "key": "one.csv" }, { "key": "two.csv" }, { "key": "three.csv" }]
        }"#;
        let mut inventory = Inventory::parse(manifest).unwrap();
        assert_eq!(inventory.next_file(3), Some(json!({ "Bucket": "logs", "Key": "one.csv" })));
        inventory.add("\"b\",\"k1\"\n\"b\",\"k2\"\n", 3).unwrap();
        assert_eq!(inventory.next_file(3), Some(json!({ "Bucket": "logs", "Key": "two.csv" })));
        inventory.add("b,k3\nb,k4\n", 3).unwrap();
        assert_eq!(inventory.next_file(3), None);
        assert_eq!(inventory.items[2], json!({ "Bucket": "b", "Key": "k3" }));
        assert_eq!(inventory.items.len(), 3);
    }

    #[test]
    fn a_pointer_says_where_the_items_lie() {
        let at = |pointer: &str| {
            read(&Format::Json { pointer: Some(pointer.to_owned()) }, r#"{"a":{"b":[1,2]}}"#, 10)
        };
        assert_eq!(at("/a/b"), Ok(vec![json!(1), json!(2)]));
        assert_eq!(at("/a"), Err("Attempting to map over non-iterable node.".to_owned()));
        assert!(at("/a/c").is_err_and(|cause| cause.contains("/a/c")));
    }

    #[test]
    fn wrong_objects_are_refused_with_the_known_words() {
        assert_eq!(
            read(&Format::Json { pointer: None }, "{}", 10),
            Err("Attempting to map over non-iterable node.".to_owned())
        );
        assert_eq!(
            read(&given(&["a", "a"]), "", 10),
            Err("CSV headers cannot contain duplicates.".to_owned())
        );
    }
}
