//! Paths: each step over each item of what the step before gave.

use super::{Bag, Evaluator};
use crate::{
    error::Outcome,
    parse::tree::{Kind, More, Node, Stage},
    value::{
        Array, Value,
        array::{CONS, KEEP, SEQUENCE},
        deep,
    },
};

/// What a step works on: a single thing (or nothing), or the items of an array.
pub(super) enum Current {
    One(Option<Value>),
    Many(Array),
}

impl<'e> Evaluator<'e> {
    pub(super) fn path(
        &mut self,
        steps: &'e [Node],
        more: Option<&'e More>,
        input: Option<&Value>,
        frame: usize,
    ) -> Outcome<Option<Value>> {
        if more.is_none()
            && let Some(result) = self.plain_path(steps, input, frame)?
        {
            return Ok(result);
        }
        let start = match input {
            Some(Value::Array(array)) if !is_variable(&steps[0]) => Current::Many(array.clone()),
            other => Current::One(other.cloned()),
        };
        self.steps(steps, 0, start, more, frame)
    }

    /// Paths of names alone, from a variable or from the input: no sequences are needed as long
    /// as every step meets an object. `None` if this is not such a path.
    fn plain_path(
        &mut self,
        steps: &'e [Node],
        input: Option<&Value>,
        frame: usize,
    ) -> Outcome<Option<Option<Value>>> {
        let from_variable = is_variable(&steps[0]);
        if from_variable && steps[0].more.is_some() {
            return Ok(None);
        }
        let start = match &steps[0].kind {
            Kind::Variable(symbol, _) => self.peek(*symbol, frame),
            _ => input,
        };
        let Some(start @ Value::Object(_)) = start else { return Ok(None) };
        let Some((value, at)) = walk(steps, usize::from(from_variable), start) else {
            return Ok(Some(None));
        };
        let value = value.clone();
        self.budget.step(at)?;
        match (value, at == steps.len()) {
            (value @ Value::Array(_), true) => self.last(value).map(Some),
            (value, true) => Ok(Some(Some(value))),
            (_, false) if at == 0 => Ok(None),
            (Value::Array(array), false) if !array.is(CONS) => {
                if array.is_empty() {
                    return Ok(Some(None));
                }
                let items = array.with_marks(SEQUENCE);
                self.steps(steps, at, Current::Many(items), None, frame).map(Some)
            }
            (value, false) => {
                self.steps(steps, at, Current::One(Some(value)), None, frame).map(Some)
            }
        }
    }

    /// A single result of the last step: an array that is no sequence stays as it is.
    fn last(&mut self, value: Value) -> Outcome<Option<Value>> {
        match value {
            Value::Array(array) if array.is(SEQUENCE) => {
                let mut bag = Bag::default();
                bag.flatten(Value::Array(array), self.budget)?;
                bag.sequence(self.budget).map(Some)
            }
            other => Ok(Some(other)),
        }
    }

    /// The steps from `first` on.
    fn steps(
        &mut self,
        steps: &'e [Node],
        first: usize,
        start: Current,
        more: Option<&'e More>,
        frame: usize,
    ) -> Outcome<Option<Value>> {
        let mut current = start;
        let mut result: Option<Value> = None;
        let mut tuples: Option<Array> = None;
        let mut joined = false;
        for (at, step) in steps.iter().enumerate().skip(first) {
            joined |= step.has(|more| more.tuple);
            if at == 0 && step.has(|more| more.cons_array) {
                let whole = self.whole(&current)?;
                result = self.eval(step, Some(&whole), frame)?;
            } else if joined {
                tuples = Some(self.tuple_step(step, &current, tuples, frame)?);
            } else {
                result = Some(self.step(step, &current, at + 1 == steps.len(), frame)?);
            }
            if !joined {
                match &result {
                    None => break,
                    Some(Value::Array(array)) if array.is_empty() => break,
                    Some(_) => {}
                }
            }
            if !step.has(|more| more.focus.is_some())
                && let Some(result) = &result
            {
                current = as_current(result);
            }
        }
        self.finish_path(result, tuples, more, frame)
    }

    fn finish_path(
        &mut self,
        mut result: Option<Value>,
        tuples: Option<Array>,
        more: Option<&'e More>,
        frame: usize,
    ) -> Outcome<Option<Value>> {
        if let Some(tuples) = &tuples {
            result = Some(if more.is_some_and(|more| more.tuple) {
                Value::Array(tuples.clone())
            } else {
                self.contexts(tuples)?
            });
        }
        let Some(more) = more else { return Ok(result) };
        if more.keep_singleton {
            result = self.keep_singleton(result)?;
        }
        if let Some(group) = &more.group {
            let rows = tuples.map(Value::Array).or(result);
            return self.group(&group.pairs, group.position, rows.as_ref(), frame).map(Some);
        }
        Ok(result)
    }

    fn keep_singleton(&mut self, result: Option<Value>) -> Outcome<Option<Value>> {
        let Some(Value::Array(array)) = result else { return Ok(result) };
        let array = if array.is(CONS) && !array.is(SEQUENCE) {
            let mut bag = Bag::default();
            bag.push(Value::Array(array), self.budget)?;
            bag.finish(SEQUENCE, self.budget)?
        } else {
            array
        };
        let marks = array.marks() | KEEP;
        Ok(Some(Value::Array(array.with_marks(marks))))
    }

    /// The input of the first step as one sequence.
    fn whole(&mut self, current: &Current) -> Outcome<Value> {
        match current {
            Current::Many(array) => Ok(Value::Array(array.clone())),
            Current::One(value) => {
                let mut bag = Bag::default();
                if let Some(value) = value {
                    bag.push(value.clone(), self.budget)?;
                }
                bag.sequence(self.budget)
            }
        }
    }

    /// One step over all items.
    fn step(
        &mut self,
        step: &'e Node,
        current: &Current,
        last: bool,
        frame: usize,
    ) -> Outcome<Value> {
        if let Kind::Sort(terms) = &step.kind {
            return self.sort_step(step, terms, current, frame);
        }
        let mut gathered = Gathered::default();
        match current {
            Current::One(item) => self.step_on(step, item.as_ref(), frame, &mut gathered)?,
            Current::Many(items) => {
                for item in items.iter() {
                    self.step_on(step, Some(item), frame, &mut gathered)?;
                }
            }
        }
        gathered.finish(last, self)
    }

    fn step_on(
        &mut self,
        step: &'e Node,
        item: Option<&Value>,
        frame: usize,
        gathered: &mut Gathered,
    ) -> Outcome<()> {
        let mut result = match (&step.kind, &step.more, item) {
            // The commonest step: a member of an object.
            (Kind::Name(name), None, Some(Value::Object(object))) => {
                self.budget.step(1)?;
                match object.get(name) {
                    Some(Value::Array(_)) => self.eval(step, item, frame)?,
                    other => other.cloned(),
                }
            }
            _ => self.eval(step, item, frame)?,
        };
        if let Some(stages) = step.more.as_ref().and_then(|more| more.stages.as_ref()) {
            for stage in stages {
                if let Stage::Filter(predicate) = stage {
                    result = Some(Value::Array(self.filter(predicate, result, frame)?));
                }
            }
        }
        match result {
            Some(result) => gathered.push(result, self),
            None => Ok(()),
        }
    }

    /// A member of an object, of each object in an array.
    pub(super) fn name(&mut self, name: &str, input: Option<&Value>) -> Outcome<Option<Value>> {
        match input {
            Some(Value::Object(object)) => Ok(object.get(name).cloned()),
            Some(Value::Array(array)) => {
                let mut bag = Bag::default();
                deep(array.depth(), || self.members(name, array, &mut bag))?;
                bag.sequence(self.budget).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn members(&mut self, name: &str, array: &Array, bag: &mut Bag) -> Outcome<()> {
        for item in array.iter() {
            self.budget.step(1)?;
            match item {
                Value::Array(inner) => self.members(name, inner, bag)?,
                Value::Object(object) => match object.get(name) {
                    Some(Value::Array(found)) => bag.extend(found, self.budget)?,
                    Some(found) => bag.push(found.clone(), self.budget)?,
                    None => {}
                },
                _ => {}
            }
        }
        Ok(())
    }
}

/// Follows names from object to object; the value reached and the step to go on with.
fn walk<'v>(steps: &[Node], mut at: usize, mut value: &'v Value) -> Option<(&'v Value, usize)> {
    while let Some(Node { kind: Kind::Name(name), more: None, .. }) = steps.get(at)
        && let Value::Object(object) = value
    {
        value = object.get(name)?;
        at += 1;
    }
    Some((value, at))
}

fn is_variable(node: &Node) -> bool {
    matches!(node.kind, Kind::Variable(..) | Kind::Context)
}

fn as_current(result: &Value) -> Current {
    match result {
        Value::Array(array) => Current::Many(array.clone()),
        // Only an array constructor at the start can leave anything else: nothing to step over.
        _ => Current::Many(Array::from(Vec::new())),
    }
}

/// The results of a step; the first is held back, for it may stay whole.
#[derive(Default)]
struct Gathered {
    first: Option<Value>,
    bag: Bag,
    count: usize,
}

impl Gathered {
    fn push(&mut self, result: Value, evaluator: &mut Evaluator<'_>) -> Outcome<()> {
        self.count += 1;
        if self.count == 1 {
            self.first = Some(result);
            return Ok(());
        }
        if let Some(first) = self.first.take() {
            self.bag.flatten(first, evaluator.budget)?;
        }
        self.bag.flatten(result, evaluator.budget)
    }

    fn finish(mut self, last: bool, evaluator: &mut Evaluator<'_>) -> Outcome<Value> {
        match self.first {
            Some(Value::Array(array)) if last && !array.is(SEQUENCE) => Ok(Value::Array(array)),
            Some(first) => {
                self.bag.flatten(first, evaluator.budget)?;
                self.bag.sequence(evaluator.budget)
            }
            None => self.bag.sequence(evaluator.budget),
        }
    }
}
