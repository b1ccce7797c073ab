//! Batches of items, and the files a map run's results fill.

use serde_json::{Map as Fields, Value, json};

use super::{MapRun, count, output_of};
use crate::{
    definition::{Amount, Batcher, State, Transformation, Writer},
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

impl Turn<'_> {
    /// The files a `ResultWriter` leaves: a manifest, and the endings by kind.
    pub(super) fn files(&self, run: &MapRun, writer: &Writer) -> Vec<ResultFile> {
        let succeeded = |at: &usize| {
            let ending = run.endings.get(*at).and_then(Option::as_ref);
            ending.is_some_and(|ending| ending.status == Status::Succeeded)
        };
        let (good, bad): (Vec<usize>, Vec<usize>) = (0..run.endings.len()).partition(succeeded);
        let kinds: [(&str, Vec<Value>); 3] = [
            ("SUCCEEDED", self.transformed(run, &good, writer.transformation)),
            // What failed has no output to transform.
            ("FAILED", self.transformed(run, &bad, Transformation::None)),
            ("PENDING", Vec::new()),
        ];
        let mut files = Vec::new();
        let mut listed = Fields::new();
        for (kind, entries) in kinds {
            let mut list = Vec::new();
            if !entries.is_empty() {
                let extension = if writer.lines { "jsonl" } else { "json" };
                let key = format!("{}/{kind}_0.{extension}", run.uuid);
                let content = written(entries, writer.lines);
                list.push(json!({ "Key": key, "Size": content.len() }));
                files.push(ResultFile { key, content });
            }
            listed.insert(kind.to_owned(), Value::Array(list));
        }
        let manifest = json!({ "MapRunArn": run.arn, "ResultFiles": listed });
        let key = format!("{}/manifest.json", run.uuid);
        files.push(ResultFile { key, content: manifest.to_string() });
        files
    }

    /// What some of the children leave, in the order of their items.
    pub(super) fn transformed(
        &self,
        run: &MapRun,
        slots: &[usize],
        transformation: Transformation,
    ) -> Vec<Value> {
        let endings = slots.iter().filter_map(|slot| {
            let ending = run.endings.get(*slot).and_then(Option::as_ref)?;
            Some((*slot, ending))
        });
        match transformation {
            Transformation::None => {
                endings.filter_map(|(slot, ending)| self.entry(run, slot, ending)).collect()
            }
            Transformation::Compact => endings.map(|(_, ending)| output_of(ending)).collect(),
            Transformation::Flatten => endings
                .flat_map(|(_, ending)| match output_of(ending) {
                    Value::Array(items) => items,
                    other @ (Value::Null
                    | Value::Bool(_)
                    | Value::Number(_)
                    | Value::String(_)
                    | Value::Object(_)) => vec![other],
                })
                .collect(),
        }
    }

    /// A child's ending with what is known of it, in the fields of DescribeExecution.
    fn entry(&self, run: &MapRun, slot: usize, ending: &Ending) -> Option<Value> {
        let child = self.child_identity(run, slot);
        let input = run.inputs.get(slot)?.text();
        let mut fields = Fields::new();
        let mut add = |name: &str, value: Option<&str>| {
            if let Some(value) = value {
                fields.insert(name.to_owned(), Value::String(value.to_owned()));
            }
        };
        add("Cause", ending.cause.as_deref());
        add("Error", ending.error.as_deref());
        add("ExecutionArn", Some(&child.arn));
        add("Input", Some(&input));
        add("Name", Some(&child.name));
        add("Output", ending.output.as_deref());
        add("StateMachineArn", Some(&child.machine_arn));
        let mut entry = Value::Object(fields);
        entry["InputDetails"] = json!({ "Included": true });
        if ending.output.is_some() {
            entry["OutputDetails"] = json!({ "Included": true });
        }
        entry["Status"] = json!(ending.status);
        Some(entry)
    }
}

/// The content of a file.
fn written(entries: Vec<Value>, lines: bool) -> String {
    if !lines {
        return Value::Array(entries).to_string();
    }
    entries.iter().map(|entry| format!("{entry}\n")).collect()
}

fn batch_input(items: Vec<Value>, fixed: Option<&Doc>) -> Doc {
    let mut fields = Fields::new();
    if let Some(fixed) = fixed {
        fields.insert("BatchInput".to_owned(), fixed.value().clone());
    }
    fields.insert("Items".to_owned(), Value::Array(items));
    Doc::new(Value::Object(fields))
}
