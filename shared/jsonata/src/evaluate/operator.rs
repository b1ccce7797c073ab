//! Operators between values, and the array constructor.

use super::{
    Bag, Evaluator,
    bag::{finite, truth},
};
use crate::{
    error::{Fault, Outcome},
    functions::string::text_of,
    parse::tree::{Kind, Node, Op},
    value::{
        Value,
        array::{CONS, SEQUENCE},
        compare,
    },
};

/// The longest array `..` may make.
const LONGEST_RANGE: f64 = 1e7;

impl<'e> Evaluator<'e> {
    pub(super) fn binary(
        &mut self,
        op: Op,
        (left, right): &'e (Node, Node),
        position: u32,
        input: Option<&Value>,
        frame: usize,
    ) -> Outcome<Option<Value>> {
        let left = self.eval(left, input, frame)?;
        let result = if matches!(op, Op::And | Op::Or) {
            self.logic(op, left.as_ref(), right, input, frame)
        } else {
            let right = self.eval(right, input, frame)?;
            self.operate(op, left, right)
        };
        result.map_err(|fault| fault.at(position).token(op.text()))
    }

    fn logic(
        &mut self,
        op: Op,
        left: Option<&Value>,
        right: &'e Node,
        input: Option<&Value>,
        frame: usize,
    ) -> Outcome<Option<Value>> {
        let left = truth(left, self.budget)?;
        if left == (op == Op::Or) {
            return Ok(Some(Value::Bool(left)));
        }
        let right = self.eval(right, input, frame)?;
        Ok(Some(Value::Bool(truth(right.as_ref(), self.budget)?)))
    }

    fn operate(
        &mut self,
        op: Op,
        left: Option<Value>,
        right: Option<Value>,
    ) -> Outcome<Option<Value>> {
        match op {
            Op::Add | Op::Subtract | Op::Multiply | Op::Divide | Op::Remainder => {
                arithmetic(op, left, right)
            }
            Op::Equal => {
                Ok(Some(Value::Bool(self.equal(left.as_ref(), right.as_ref())? == Some(true))))
            }
            Op::NotEqual => {
                Ok(Some(Value::Bool(self.equal(left.as_ref(), right.as_ref())? == Some(false))))
            }
            Op::Less | Op::LessEqual | Op::Greater | Op::GreaterEqual => {
                self.compare(op, left, right)
            }
            Op::Concat => self.concat(left.as_ref(), right.as_ref()).map(Some),
            Op::Range => self.range(left, right),
            Op::In => self.includes(left.as_ref(), right.as_ref()),
            Op::And | Op::Or => Ok(None),
        }
    }

    /// Nothing is neither equal nor unequal to anything.
    fn equal(&mut self, left: Option<&Value>, right: Option<&Value>) -> Outcome<Option<bool>> {
        match (left, right) {
            (Some(left), Some(right)) => compare::equal(left, right, self.budget).map(Some),
            _ => Ok(None),
        }
    }

    fn compare(
        &mut self,
        op: Op,
        left: Option<Value>,
        right: Option<Value>,
    ) -> Outcome<Option<Value>> {
        let comparable =
            |side: &Option<Value>| matches!(side, None | Some(Value::String(_) | Value::Number(_)));
        if !comparable(&left) || !comparable(&right) {
            let known = matches!(left, Some(Value::String(_) | Value::Number(_)));
            return Err(Fault::new("T2010").value(if known { right } else { left }));
        }
        let order = match (&left, &right) {
            (None, _) | (_, None) => return Ok(None),
            (Some(Value::Number(left)), Some(Value::Number(right))) => left.partial_cmp(right),
            (Some(Value::String(left)), Some(Value::String(right))) => {
                self.budget.scan(left.len().min(right.len()))?;
                Some(compare::texts(left, right))
            }
            _ => return Err(Fault::new("T2009").value(left).value2(right)),
        };
        let holds = order.is_some_and(|order| match op {
            Op::Less => order.is_lt(),
            Op::LessEqual => order.is_le(),
            Op::Greater => order.is_gt(),
            _ => order.is_ge(),
        });
        Ok(Some(Value::Bool(holds)))
    }

    fn concat(&mut self, left: Option<&Value>, right: Option<&Value>) -> Outcome<Value> {
        let left = left.map(|left| text_of(left, false, self.budget)).transpose()?;
        let right = right.map(|right| text_of(right, false, self.budget)).transpose()?;
        let (left, right) = (left.as_deref().unwrap_or(""), right.as_deref().unwrap_or(""));
        self.budget.alloc(left.len() + right.len() + 32)?;
        let mut text = String::with_capacity(left.len() + right.len());
        text.push_str(left);
        text.push_str(right);
        Ok(Value::from(text))
    }

    fn range(&mut self, left: Option<Value>, right: Option<Value>) -> Outcome<Option<Value>> {
        let whole = |side: &Option<Value>| match side {
            None => true,
            Some(Value::Number(number)) => number.is_finite() && number.fract() == 0.0,
            Some(_) => false,
        };
        if !whole(&left) {
            return Err(Fault::new("T2003").value(left));
        }
        if !whole(&right) {
            return Err(Fault::new("T2004").value(right));
        }
        let (Some(Value::Number(first)), Some(Value::Number(last))) = (left, right) else {
            return Ok(None);
        };
        if first > last {
            return Ok(None);
        }
        let size = last - first + 1.0;
        if size > LONGEST_RANGE {
            return Err(Fault::new("D2014").value(Some(Value::Number(size))));
        }
        self.count_up(first, size).map(Some)
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 < size <= 1e7")]
    fn count_up(&mut self, first: f64, size: f64) -> Outcome<Value> {
        let count = size as usize;
        self.budget.step(count / 8)?;
        let mut bag = Bag::with_room(count, self.budget)?;
        for at in 0..u32::try_from(count).unwrap_or(u32::MAX) {
            bag.push(Value::Number(first + f64::from(at)), self.budget)?;
        }
        bag.finish(SEQUENCE, self.budget).map(Value::Array)
    }

    fn includes(&mut self, left: Option<&Value>, right: Option<&Value>) -> Outcome<Option<Value>> {
        let found = match (left, right) {
            (Some(left), Some(Value::Array(items))) => {
                self.budget.step(items.len() / 4)?;
                items.iter().any(|item| compare::identical(item, left))
            }
            (Some(left), Some(right)) => compare::identical(left, right),
            _ => false,
        };
        Ok(Some(Value::Bool(found)))
    }

    pub(super) fn negate(
        &mut self,
        inner: &'e Node,
        position: u32,
        input: Option<&Value>,
        frame: usize,
    ) -> Outcome<Option<Value>> {
        match self.eval(inner, input, frame)? {
            None => Ok(None),
            Some(Value::Number(number)) if finite(number)? => Ok(Some(Value::Number(-number))),
            other => Err(Fault::new("D1002").at(position).token("-").value(other)),
        }
    }

    /// `[a, b, …]`: arrays within are spread, unless they are constructors themselves.
    pub(super) fn array(
        &mut self,
        items: &'e [Node],
        node: &Node,
        input: Option<&Value>,
        frame: usize,
    ) -> Outcome<Option<Value>> {
        let cons = node.has(|more| more.cons_array);
        let mut bag = Bag::default();
        for item in items {
            match self.eval(item, input, frame)? {
                None => {}
                Some(value) if matches!(item.kind, Kind::Array(_)) => {
                    bag.push(value, self.budget)?;
                }
                Some(Value::Array(array)) => bag.extend(&array, self.budget)?,
                Some(value) => bag.push(value, self.budget)?,
            }
        }
        bag.finish(if cons { CONS } else { 0 }, self.budget).map(|array| Some(Value::Array(array)))
    }
}

fn arithmetic(op: Op, left: Option<Value>, right: Option<Value>) -> Outcome<Option<Value>> {
    let left = operand("T2001", left)?;
    let right = operand("T2002", right)?;
    let (Some(left), Some(right)) = (left, right) else { return Ok(None) };
    Ok(Some(Value::Number(match op {
        Op::Add => left + right,
        Op::Subtract => left - right,
        Op::Multiply => left * right,
        Op::Divide => left / right,
        _ => left % right,
    })))
}

fn operand(code: &'static str, side: Option<Value>) -> Outcome<Option<f64>> {
    match side {
        None => Ok(None),
        Some(Value::Number(number)) if finite(number)? => Ok(Some(number)),
        other => Err(Fault::new(code).value(other)),
    }
}
