//! Object constructors, which are groupings of their input.

use std::{collections::HashMap, sync::Arc};

use super::{
    Evaluator,
    frame::checked,
    tuple::{context_of, row_of},
};
use crate::{
    error::{Fault, Outcome},
    parse::tree::{Node, Symbol},
    value::{Array, Value, array::TUPLES, object},
};

/// What fell under one key.
struct Entry {
    key: Arc<str>,
    pair: usize,
    data: Data,
}

enum Data {
    /// One item, or nothing at all.
    One(Option<Value>),
    Many(Vec<Value>),
}

#[derive(Default)]
struct Groups {
    entries: Vec<Entry>,
    places: HashMap<Arc<str>, usize>,
}

const FEW: usize = 8;

impl<'e> Evaluator<'e> {
    /// Groups `input` by the keys of the pairs and evaluates the values over the groups.
    pub(super) fn group(
        &mut self,
        pairs: &'e [(Node, Node)],
        position: u32,
        input: Option<&Value>,
        frame: usize,
    ) -> Outcome<Value> {
        let mut groups = Groups::default();
        let rows = matches!(input, Some(Value::Array(array)) if array.is(TUPLES));
        match input {
            Some(Value::Array(items)) if !items.is_empty() => {
                for item in items.iter() {
                    self.keys_of(pairs, position, Some(item), rows, frame, &mut groups)?;
                }
            }
            // Nothing to group still makes an object.
            Some(Value::Array(_)) | None => {
                self.keys_of(pairs, position, None, false, frame, &mut groups)?;
            }
            single => self.keys_of(pairs, position, single, false, frame, &mut groups)?,
        }
        let mut builder = object::Builder::with_capacity(groups.entries.len());
        self.budget.alloc(64 + groups.entries.len() * 48)?;
        for entry in groups.in_order() {
            let value = self.value_of(&pairs[entry.pair].1, entry.data, rows, frame)?;
            if let Some(value) = value {
                builder.put(entry.key, value);
            }
        }
        checked(Value::Object(builder.finish()))
    }

    fn keys_of(
        &mut self,
        pairs: &'e [(Node, Node)],
        position: u32,
        item: Option<&Value>,
        is_row: bool,
        frame: usize,
        groups: &mut Groups,
    ) -> Outcome<()> {
        let inside = match item {
            Some(item) if is_row => Some(self.open_row(row_of(item), frame)?),
            _ => None,
        };
        let row_context = item.filter(|_| is_row).and_then(|item| context_of(row_of(item)));
        let context = if is_row { row_context.as_ref() } else { item };
        for (pair, (key, _)) in pairs.iter().enumerate() {
            let key = match self.eval(key, context, inside.unwrap_or(frame))? {
                None => continue,
                Some(Value::String(key)) => key,
                Some(other) => return Err(Fault::new("T1003").at(position).value(Some(other))),
            };
            self.add(groups, key, pair, item, position)?;
        }
        if let Some(inside) = inside {
            self.close_frame(inside);
        }
        Ok(())
    }

    fn add(
        &mut self,
        groups: &mut Groups,
        key: Arc<str>,
        pair: usize,
        item: Option<&Value>,
        position: u32,
    ) -> Outcome<()> {
        self.budget.step(1)?;
        let Some(place) = groups.place(&key) else {
            self.budget.alloc(64)?;
            groups.push(Entry { key, pair, data: Data::One(item.cloned()) });
            return Ok(());
        };
        let entry = &mut groups.entries[place];
        if entry.pair != pair {
            return Err(Fault::new("D1009").at(position).value(Some(Value::String(key))));
        }
        let Some(item) = item else { return Ok(()) };
        let grown = entry.data.add(item);
        self.budget.step(grown / 8)?;
        self.budget.alloc(grown * 24)
    }

    fn value_of(
        &mut self,
        value: &'e Node,
        data: Data,
        rows: bool,
        frame: usize,
    ) -> Outcome<Option<Value>> {
        if rows {
            let tuples = match data {
                Data::One(tuple) => tuple.into_iter().collect(),
                Data::Many(tuples) => tuples,
            };
            let row = self.reduce_rows(&tuples)?;
            let context = context_of(&row);
            let row: Vec<_> =
                row.into_iter().filter(|(symbol, _)| *symbol != Symbol::CONTEXT).collect();
            let inside = self.open_row(&row, frame)?;
            let result = self.eval(value, context.as_ref(), inside)?;
            self.close_frame(inside);
            return Ok(result);
        }
        let context = match data {
            Data::One(item) => item,
            Data::Many(items) => {
                self.budget.alloc(64)?;
                Some(Value::Array(Array::from(items)))
            }
        };
        self.eval(value, context.as_ref(), frame)
    }
}

impl Groups {
    /// The groups as the object will list them: the first one that fails decides the error.
    fn in_order(mut self) -> Vec<Entry> {
        if self.entries.iter().any(|entry| object::array_index(&entry.key).is_some()) {
            self.entries.sort_by_key(|entry| object::array_index(&entry.key).unwrap_or(u32::MAX));
        }
        self.entries
    }

    fn place(&self, key: &str) -> Option<usize> {
        if self.entries.len() <= FEW {
            return self.entries.iter().position(|entry| &*entry.key == key);
        }
        self.places.get(key).copied()
    }

    fn push(&mut self, entry: Entry) {
        let place = self.entries.len();
        if place >= FEW {
            if place == FEW {
                let known = self.entries.iter().enumerate();
                self.places.extend(known.map(|(place, entry)| (entry.key.clone(), place)));
            }
            self.places.insert(entry.key.clone(), place);
        }
        self.entries.push(entry);
    }
}

impl Data {
    /// Adds an item as `$append` would; answers how many items were added.
    fn add(&mut self, item: &Value) -> usize {
        let mut items = match std::mem::replace(self, Self::One(None)) {
            Self::Many(items) => items,
            Self::One(None) => {
                *self = Self::One(Some(item.clone()));
                return 1;
            }
            Self::One(Some(Value::Array(array))) => array.to_vec(),
            Self::One(Some(single)) => vec![single],
        };
        let before = items.len();
        match item {
            Value::Array(array) => items.extend_from_slice(array),
            single => items.push(single.clone()),
        }
        let added = items.len() - before;
        *self = Self::Many(items);
        added + 1
    }
}
