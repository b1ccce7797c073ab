//! Transforms: a copy of the input in which what matches a pattern is changed.

use std::{collections::HashMap, sync::Arc};

use super::{Evaluator, frame::checked};
use crate::{
    error::{Fault, Outcome},
    parse::{
        signature::Arguments,
        tree::{Kind, Node, Symbol, Transform},
    },
    value::{Array, Object, Value, deep},
};

/// Objects that were changed, by where the unchanged ones are kept.
type Changed = HashMap<usize, Value>;

impl<'e> Evaluator<'e> {
    pub(super) fn transform(
        &mut self,
        index: usize,
        input: Option<Value>,
        frame: usize,
    ) -> Outcome<Option<Value>> {
        let Some(input) = input else { return Ok(None) };
        let program = self.program;
        let transform = &program.transforms[index];
        let Some(Value::Function(clone)) = self.lookup(Symbol::CLONE, frame) else {
            return Err(Fault::new("T2013").at(transform.position));
        };
        let arguments = Arguments::from_iter([Some(input)]);
        let Some(copy) = self.apply(&clone, arguments, None)? else { return Ok(None) };
        if reaches_prototype(&transform.pattern) {
            return Err(Fault::new("D1010").at(transform.position));
        }
        let matches = match self.eval(&transform.pattern, Some(&copy), frame)? {
            None => return Ok(Some(copy)),
            Some(Value::Array(matches)) => matches,
            Some(single) => Array::from(vec![single]),
        };
        let mut changed = Changed::new();
        for matched in matches.iter() {
            self.change(transform, matched, &mut changed, frame)?;
        }
        self.current(&copy, &mut changed).map(Some)
    }

    /// Updates one match and notes the outcome.
    fn change(
        &mut self,
        transform: &'e Transform,
        matched: &Value,
        changed: &mut Changed,
        frame: usize,
    ) -> Outcome<()> {
        let mut now = self.current(matched, changed)?;
        let update = self.eval(&transform.update, Some(&now), frame)?;
        match update {
            None => {}
            Some(Value::Object(update)) => now = self.merge(&now, &update)?,
            other => {
                return Err(Fault::new("T2011").at(transform.update.position).value(other));
            }
        }
        if let Some(delete) = &transform.delete {
            let deletions = self.eval(delete, Some(&now), frame)?;
            now = self.without(now, deletions, delete.position)?;
        }
        if let Value::Object(object) = matched {
            self.budget.alloc(64)?;
            changed.insert(object.address(), now);
        }
        Ok(())
    }

    fn merge(&mut self, into: &Value, update: &Object) -> Outcome<Value> {
        let Value::Object(object) = into else {
            if matches!(into, Value::Array(_) | Value::Function(_)) || update.is_empty() {
                return Ok(into.clone());
            }
            return Err(Fault::type_error("The transform expression matches what is no object"));
        };
        self.pay_members(object.len() + update.len())?;
        let members = object.iter().chain(update.iter());
        checked(Value::Object(members.map(|(key, value)| (key.clone(), value.clone())).collect()))
    }

    fn without(&mut self, from: Value, deletions: Option<Value>, position: u32) -> Outcome<Value> {
        let Some(deletions) = deletions else { return Ok(from) };
        let keys: Vec<Value> = match &deletions {
            Value::Array(keys) => keys.to_vec(),
            single => vec![single.clone()],
        };
        if keys.iter().any(|key| !matches!(key, Value::String(_))) {
            return Err(Fault::new("T2012").at(position).value(Some(deletions)));
        }
        let Value::Object(object) = &from else { return Ok(from) };
        self.pay_members(object.len())?;
        self.budget.step(object.len() * keys.len() / 8)?;
        let kept =
            object.iter().filter(|(key, _)| !keys.iter().any(|name| name.as_str() == Some(key)));
        Ok(Value::Object(kept.map(|(key, value)| (key.clone(), value.clone())).collect()))
    }

    fn pay_members(&mut self, count: usize) -> Outcome<()> {
        self.budget.step(count)?;
        self.budget.alloc(64 + count * 48)
    }

    /// A value as it stands after the changes made so far.
    fn current(&mut self, value: &Value, changed: &mut Changed) -> Outcome<Value> {
        if changed.is_empty() {
            return Ok(value.clone());
        }
        let newer = deep(value.depth(), || self.rebuild(value, changed))?;
        checked(newer.unwrap_or_else(|| value.clone()))
    }

    /// The newer form of a value, `None` if nothing in it changed: it must then stay the very
    /// same, for later matches are told apart by where they are kept.
    fn rebuild(&mut self, value: &Value, changed: &mut Changed) -> Outcome<Option<Value>> {
        self.budget.step(1)?;
        match value {
            Value::Array(array) => self.rebuild_array(array, changed),
            Value::Object(object) => {
                // Taken out meanwhile: an object may hold its own former self.
                let newer = changed.remove(&object.address());
                let found = match &newer {
                    Some(Value::Object(newer)) => newer,
                    _ => object,
                };
                let rebuilt = self.rebuild_object(found, changed);
                if let Some(newer) = &newer {
                    changed.insert(object.address(), newer.clone());
                }
                Ok(rebuilt?.or(newer))
            }
            _ => Ok(None),
        }
    }

    fn rebuild_array(&mut self, array: &Array, changed: &mut Changed) -> Outcome<Option<Value>> {
        let mut items: Option<Vec<Value>> = None;
        for (at, item) in array.iter().enumerate() {
            if let Some(newer) = self.rebuild(item, changed)? {
                if items.is_none() {
                    self.budget.alloc(64 + array.len() * 24)?;
                }
                items.get_or_insert_with(|| array.to_vec())[at] = newer;
            }
        }
        Ok(items.map(|items| Value::Array(Array::marked(items, array.marks()))))
    }

    fn rebuild_object(&mut self, object: &Object, changed: &mut Changed) -> Outcome<Option<Value>> {
        let mut newer: Vec<(Arc<str>, Value)> = Vec::new();
        for (key, member) in object.iter() {
            if let Some(member) = self.rebuild(member, changed)? {
                self.budget.alloc(40)?;
                newer.push((key.clone(), member));
            }
        }
        if newer.is_empty() {
            return Ok(None);
        }
        self.pay_members(object.len())?;
        let members = object.iter().map(|(key, member)| (key.clone(), member.clone()));
        Ok(Some(Value::Object(members.chain(newer).collect())))
    }
}

/// Whether a pattern asks for what in JavaScript would be the prototype of all objects.
fn reaches_prototype(pattern: &Node) -> bool {
    match &pattern.kind {
        Kind::Path(steps) => steps.iter().any(reaches_prototype),
        Kind::Name(name) => &**name == "__proto__" || &**name == "constructor",
        Kind::Block(parts) => parts.iter().any(reaches_prototype),
        _ => false,
    }
}
