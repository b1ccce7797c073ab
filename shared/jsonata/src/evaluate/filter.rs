//! Predicates: positions and conditions in square brackets.

use super::{
    Bag, Evaluator,
    bag::{finite, truth},
    tuple::{context_of, row_of},
};
use crate::{
    error::Outcome,
    parse::tree::{Kind, Node},
    value::{
        Array, Value,
        array::{SEQUENCE, TUPLES},
    },
};

impl<'e> Evaluator<'e> {
    /// The items of `input` for which the predicate holds.
    pub(super) fn filter(
        &mut self,
        predicate: &'e Node,
        input: Option<Value>,
        frame: usize,
    ) -> Outcome<Array> {
        let input = match input {
            Some(Value::Array(array)) => array,
            Some(single) => Array::from(vec![single]),
            None => {
                // The predicate is looked at even for nothing: it may be wrong in itself.
                if !matches!(predicate.kind, Kind::Number(_)) {
                    let result = self.eval(predicate, None, frame)?;
                    self.selects(result.as_ref(), 0, 1)?;
                }
                return Bag::default().finish(SEQUENCE, self.budget);
            }
        };
        let marks = SEQUENCE | (input.marks() & TUPLES);
        if let Kind::Number(position) = predicate.kind {
            return self.pick(&input, position, marks);
        }
        let mut kept = Bag::default();
        for (at, item) in input.iter().enumerate() {
            let result = self.predicate(predicate, item, input.is(TUPLES), frame)?;
            for _ in 0..self.selects(result.as_ref(), at, input.len())? {
                kept.push(item.clone(), self.budget)?;
            }
        }
        kept.finish(marks, self.budget)
    }

    /// A constant position.
    fn pick(&mut self, input: &Array, position: f64, marks: u8) -> Outcome<Array> {
        let mut picked = Bag::default();
        if let Some(at) = index(position, input.len()) {
            match &input[at] {
                Value::Array(array) => return Ok(array.clone()),
                item => picked.push(item.clone(), self.budget)?,
            }
        }
        picked.finish(marks, self.budget)
    }

    fn predicate(
        &mut self,
        predicate: &'e Node,
        item: &Value,
        is_row: bool,
        frame: usize,
    ) -> Outcome<Option<Value>> {
        if !is_row {
            return self.eval(predicate, Some(item), frame);
        }
        let row = row_of(item);
        let inside = self.open_row(row, frame)?;
        let result = self.eval(predicate, context_of(row).as_ref(), inside)?;
        self.close_frame(inside);
        Ok(result)
    }

    /// How often the item at `at` is chosen: numbers are positions, all else is a truth value.
    fn selects(&mut self, result: Option<&Value>, at: usize, length: usize) -> Outcome<usize> {
        let positions = match result {
            Some(Value::Number(number)) if finite(*number)? => {
                return Ok(usize::from(index(*number, length) == Some(at)));
            }
            Some(Value::Array(array)) => array,
            other => return Ok(usize::from(truth(other, self.budget)?)),
        };
        self.budget.step(positions.len())?;
        let mut count = 0;
        for position in positions.iter() {
            let number = match position {
                Value::Number(number) if finite(*number)? => *number,
                _ => return Ok(usize::from(truth(result, self.budget)?)),
            };
            count += usize::from(index(number, length) == Some(at));
        }
        Ok(count)
    }
}

/// The place a position means: rounded down, from the end if negative.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "no array has 2^53 items, and the range is checked"
)]
fn index(position: f64, length: usize) -> Option<usize> {
    let floor = position.floor();
    let place = if floor < 0.0 { length as f64 + floor } else { floor };
    (place >= 0.0 && place < length as f64).then_some(place as usize)
}
