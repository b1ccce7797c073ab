//! Order-by, and the merge sort it shares with `$sort`.

use std::cmp::Ordering;

use super::{
    Bag, Evaluator,
    path::Current,
    tuple::{context_of, row_of},
};
use crate::{
    error::{Fault, Outcome},
    parse::tree::{Node, Stage, Term},
    value::{Array, Value, compare},
};

impl<'e> Evaluator<'e> {
    /// A sort as a step of a path without joins.
    pub(super) fn sort_step(
        &mut self,
        step: &'e Node,
        terms: &'e [Term],
        current: &Current,
        frame: usize,
    ) -> Outcome<Value> {
        let mut sorted = self.sort_current(current, terms, step.position, frame)?;
        for stage in step.more.as_ref().and_then(|more| more.stages.as_ref()).into_iter().flatten()
        {
            if let Stage::Filter(predicate) = stage {
                sorted = self.filter(predicate, Some(Value::Array(sorted)), frame)?;
            }
        }
        Ok(Value::Array(sorted))
    }

    pub(super) fn sort_current(
        &mut self,
        current: &Current,
        terms: &'e [Term],
        position: u32,
        frame: usize,
    ) -> Outcome<Array> {
        match current {
            Current::Many(items) => self.sort(items, false, terms, position, frame),
            Current::One(item) => {
                let mut bag = Bag::default();
                if let Some(item) = item {
                    bag.push(item.clone(), self.budget)?;
                }
                bag.finish(crate::value::array::SEQUENCE, self.budget)
            }
        }
    }

    pub(super) fn sort(
        &mut self,
        items: &Array,
        rows: bool,
        terms: &'e [Term],
        position: u32,
        frame: usize,
    ) -> Outcome<Array> {
        if items.len() <= 1 {
            return Ok(items.clone());
        }
        let marks = if rows { items.marks() } else { 0 };
        let sorted = self.merge_sort(items, &mut |evaluator, left, right| {
            evaluator.comes_after(left, right, rows, terms, position, frame)
        })?;
        let mut bag = Bag::default();
        bag.extend(&sorted, self.budget)?;
        bag.finish(marks, self.budget)
    }

    /// Whether `left` belongs behind `right`.
    fn comes_after(
        &mut self,
        left: &Value,
        right: &Value,
        rows: bool,
        terms: &'e [Term],
        position: u32,
        frame: usize,
    ) -> Outcome<bool> {
        for term in terms {
            let left = self.term(&term.expression, left, rows, frame)?;
            let right = self.term(&term.expression, right, rows, frame)?;
            let order = match (left, right) {
                (None, None) => continue,
                // What has no key comes last, in either direction.
                (None, Some(_)) => return Ok(true),
                (Some(_), None) => return Ok(false),
                (Some(left), Some(right)) => self.order(left, right, position)?,
            };
            let order = if term.descending { order.reverse() } else { order };
            if order != Ordering::Equal {
                return Ok(order == Ordering::Greater);
            }
        }
        Ok(false)
    }

    fn term(
        &mut self,
        term: &'e Node,
        item: &Value,
        rows: bool,
        frame: usize,
    ) -> Outcome<Option<Value>> {
        if !rows {
            return self.eval(term, Some(item), frame);
        }
        let row = row_of(item);
        let inside = self.open_row(row, frame)?;
        let result = self.eval(term, context_of(row).as_ref(), inside)?;
        self.close_frame(inside);
        Ok(result)
    }

    fn order(&mut self, left: Value, right: Value, position: u32) -> Outcome<Ordering> {
        match (&left, &right) {
            (Value::Number(left), Value::Number(right)) => {
                // Numbers that do not compare count as greater, as in JavaScript's `else`.
                Ok(left.partial_cmp(right).unwrap_or(Ordering::Greater))
            }
            (Value::String(left), Value::String(right)) => {
                self.budget.scan(left.len().min(right.len()))?;
                Ok(compare::texts(left, right))
            }
            (Value::Number(_), Value::String(_)) | (Value::String(_), Value::Number(_)) => {
                Err(Fault::new("T2007").at(position).value(Some(left)).value2(Some(right)))
            }
            _ => {
                let known = matches!(left, Value::Number(_) | Value::String(_));
                let blamed = if known { right } else { left };
                Err(Fault::new("T2008").at(position).value(Some(blamed)))
            }
        }
    }

    /// A stable merge sort that asks `after(left, right)` in the order the language does.
    pub(crate) fn merge_sort(
        &mut self,
        items: &[Value],
        after: &mut dyn FnMut(&mut Self, &Value, &Value) -> Outcome<bool>,
    ) -> Outcome<Vec<Value>> {
        self.budget.alloc(std::mem::size_of_val(items))?;
        if items.len() <= 1 {
            return Ok(items.to_vec());
        }
        let (left, right) = items.split_at(items.len() / 2);
        let left = self.merge_sort(left, after)?;
        let right = self.merge_sort(right, after)?;
        self.budget.alloc(std::mem::size_of_val(items))?;
        let mut merged = Vec::with_capacity(items.len());
        let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
        while let (Some(one), Some(other)) = (left.peek(), right.peek()) {
            self.budget.step(1)?;
            if after(self, one, other)? {
                merged.extend(right.next());
            } else {
                merged.extend(left.next());
            }
        }
        merged.extend(left);
        merged.extend(right);
        Ok(merged)
    }
}
