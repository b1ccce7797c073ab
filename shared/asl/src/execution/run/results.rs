//! Batches of items, and the files a map run's results fill.

use std::sync::Arc;

use serde_json::{Map as Fields, Value, json};

use super::{MapRun, count};
use crate::{
    definition::{Amount, Batcher, State},
    doc::Doc,
    event::{Ending, ResultFile, Status},
    execution::{frame::Frame, turn::Turn},
    fault::Fault,
};

impl Turn<'_> {
    pub(super) fn batches(
        &self,
        frame: &Frame,
        state: &State,
        batcher: &Batcher,
        root: &Doc,
        inputs: Vec<Doc>,
    ) -> Result<Vec<Doc>, Fault> {
        let most = |amount: Option<&Amount>, name: &str| {
            let number = amount
                .map(|amount| self.amount(frame, state, amount, name, true, root))
                .transpose()?;
            if number.is_some_and(|number| number < 1.0) {
                return Err(Fault::runtime(format!("{name} must be positive.")));
            }
            Ok(number.map_or(usize::MAX, count))
        };
        let max_items = most(batcher.max_items.as_ref(), "MaxItemsPerBatch")?;
        let max_bytes = most(batcher.max_bytes.as_ref(), "MaxInputBytesPerBatch")?;
        let fixed = match &batcher.input {
            Some(template) => Some(self.fill(frame, state, template, root)?),
            None => None,
        };
        let overhead = fixed.as_ref().map_or(0, |doc| doc.text().len() + 15) + 12;
        let mut batches = Vec::new();
        let mut batch = Vec::new();
        let mut bytes = overhead;
        for input in inputs {
            let size = input.text().len() + 1;
            if !batch.is_empty() && (batch.len() >= max_items || bytes + size > max_bytes) {
                batches.push(batch_input(std::mem::take(&mut batch), fixed.as_ref()));
                bytes = overhead;
            }
            bytes += size;
            batch.push(input.into_value());
        }
        if !batch.is_empty() {
            batches.push(batch_input(batch, fixed.as_ref()));
        }
        Ok(batches)
    }
}

impl MapRun {
    /// The files a `ResultWriter` leaves: a manifest, and the endings by kind.
    pub(super) fn files(&self) -> Vec<ResultFile> {
        let entries = |wanted: fn(Status) -> bool| -> Vec<Value> {
            self.inputs
                .iter()
                .zip(&self.endings)
                .filter_map(|(input, ending)| {
                    let ending = ending.as_ref().filter(|ending| wanted(ending.status))?;
                    Some(entry(input, ending))
                })
                .collect()
        };
        let kinds: [(&str, Vec<Value>); 3] = [
            ("SUCCEEDED", entries(|status| status == Status::Succeeded)),
            ("FAILED", entries(|status| status != Status::Succeeded)),
            ("PENDING", Vec::new()),
        ];
        let mut files = Vec::new();
        let mut listed = Fields::new();
        for (kind, entries) in kinds {
            let mut list = Vec::new();
            if !entries.is_empty() {
                let key = format!("{}/{kind}_0.json", self.uuid);
                let content = Value::Array(entries).to_string();
                list.push(json!({ "Key": key, "Size": content.len() }));
                files.push(ResultFile { key, content });
            }
            listed.insert(kind.to_owned(), Value::Array(list));
        }
        let manifest = json!({ "MapRunArn": self.arn, "ResultFiles": listed });
        let key = format!("{}/manifest.json", self.uuid);
        files.push(ResultFile { key, content: manifest.to_string() });
        files
    }
}

fn batch_input(items: Vec<Value>, fixed: Option<&Doc>) -> Doc {
    let mut fields = Fields::new();
    if let Some(fixed) = fixed {
        fields.insert("BatchInput".to_owned(), fixed.value().clone());
    }
    fields.insert("Items".to_owned(), Value::Array(items));
    Doc::new(Value::Object(fields))
}

fn entry(input: &Doc, ending: &Ending) -> Value {
    let mut fields = Fields::new();
    let mut add = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            fields.insert(name.to_owned(), Value::String(value.to_owned()));
        }
    };
    add("Cause", ending.cause.as_deref());
    add("Error", ending.error.as_deref());
    let text: Arc<str> = input.text();
    add("Input", Some(&text));
    add("Output", ending.output.as_deref());
    let mut entry = Value::Object(fields);
    entry["Status"] = json!(ending.status);
    entry
}
