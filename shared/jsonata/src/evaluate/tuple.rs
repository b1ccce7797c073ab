//! Joins: paths that carry rows of bindings (`@`, `#`, `%`) instead of bare values.

use super::{Bag, Evaluator, path::Current};
use crate::{
    error::Outcome,
    parse::tree::{Kind, More, Node, Stage, Symbol},
    value::{
        Array, Function, Value,
        array::{SEQUENCE, TUPLES},
        function,
    },
};

/// The bindings of one row.
pub(super) type Row = Vec<(Symbol, Value)>;

impl<'e> Evaluator<'e> {
    /// One step of a join over all rows, or over the items that become the first rows.
    pub(super) fn tuple_step(
        &mut self,
        step: &'e Node,
        current: &Current,
        tuples: Option<Array>,
        frame: usize,
    ) -> Outcome<Array> {
        let more = step.more.as_deref();
        let result = if let Kind::Sort(terms) = &step.kind {
            match tuples {
                Some(tuples) => self.sort(&tuples, true, terms, step.position, frame)?,
                None => {
                    let items = self.sort_current(current, terms, step.position, frame)?;
                    self.first_rows(&items, more.and_then(|more| more.index))?
                }
            }
        } else {
            self.join(step, more, current, tuples, frame)?
        };
        self.stages(more, result, frame)
    }

    fn join(
        &mut self,
        step: &'e Node,
        more: Option<&'e More>,
        current: &Current,
        tuples: Option<Array>,
        frame: usize,
    ) -> Outcome<Array> {
        let tuples = match tuples {
            Some(tuples) => tuples,
            None => match current {
                Current::Many(items) => self.first_rows(items, None)?,
                Current::One(item) => {
                    let items: Vec<Value> = item.iter().cloned().collect();
                    self.first_rows(&Array::from(items), None)?
                }
            },
        };
        let mut rows = Bag::default();
        for tuple in tuples.iter() {
            let row = row_of(tuple);
            let inside = self.open_row(row, frame)?;
            let result = self.eval(step, context_of(row).as_ref(), inside)?;
            self.close_frame(inside);
            match result {
                None => {}
                Some(Value::Array(results)) if results.is(TUPLES) => {
                    for result in results.iter() {
                        let merged = merge(row, row_of(result));
                        self.push_row(merged, &mut rows)?;
                    }
                }
                Some(Value::Array(results)) => {
                    for (at, result) in results.iter().enumerate() {
                        let next = self.next_row(row, more, result, at);
                        self.push_row(next, &mut rows)?;
                    }
                }
                Some(result) => {
                    let next = self.next_row(row, more, &result, 0);
                    self.push_row(next, &mut rows)?;
                }
            }
        }
        rows.finish(SEQUENCE | TUPLES, self.budget)
    }

    /// The row that a result makes of the row it was found in.
    #[expect(clippy::cast_precision_loss, reason = "no array has 2^53 items")]
    fn next_row(&self, row: &Row, more: Option<&More>, result: &Value, at: usize) -> Row {
        let mut next = row.clone();
        let context = context_of(row);
        match more.and_then(|more| more.focus) {
            Some(focus) => set(&mut next, focus, result.clone()),
            None => set(&mut next, Symbol::CONTEXT, result.clone()),
        }
        if let Some(index) = more.and_then(|more| more.index) {
            set(&mut next, index, Value::Number(at as f64));
        }
        if let Some(slot) = more.and_then(|more| more.ancestor)
            && let Some(context) = context
        {
            set(&mut next, self.program.ancestors[slot], context);
        }
        next
    }

    #[expect(clippy::cast_precision_loss, reason = "no array has 2^53 items")]
    fn first_rows(&mut self, items: &Array, index: Option<Symbol>) -> Outcome<Array> {
        let mut rows = Bag::default();
        for (at, item) in items.iter().enumerate() {
            let mut row = vec![(Symbol::CONTEXT, item.clone())];
            if let Some(index) = index {
                row.push((index, Value::Number(at as f64)));
            }
            self.push_row(row, &mut rows)?;
        }
        rows.finish(SEQUENCE | TUPLES, self.budget)
    }

    fn push_row(&mut self, row: Row, rows: &mut Bag) -> Outcome<()> {
        self.budget.step(1)?;
        self.budget.alloc(64 + row.len() * 32)?;
        rows.push(tuple(row), self.budget)
    }

    /// Filters and index bindings after a step of a join.
    fn stages(&mut self, more: Option<&'e More>, mut rows: Array, frame: usize) -> Outcome<Array> {
        for stage in more.and_then(|more| more.stages.as_ref()).into_iter().flatten() {
            rows = match stage {
                Stage::Filter(predicate) => {
                    self.filter(predicate, Some(Value::Array(rows)), frame)?
                }
                Stage::Index(symbol) => self.number_rows(&rows, *symbol)?,
            };
        }
        Ok(rows)
    }

    #[expect(clippy::cast_precision_loss, reason = "no array has 2^53 items")]
    fn number_rows(&mut self, rows: &Array, symbol: Symbol) -> Outcome<Array> {
        let mut numbered = Bag::default();
        for (at, tuple) in rows.iter().enumerate() {
            let mut row = row_of(tuple).clone();
            set(&mut row, symbol, Value::Number(at as f64));
            self.push_row(row, &mut numbered)?;
        }
        numbered.finish(rows.marks(), self.budget)
    }

    /// A scope in which the bindings of a row hold.
    pub(super) fn open_row(&mut self, row: &Row, frame: usize) -> Outcome<usize> {
        let inside = self.open_frame(frame)?;
        for (symbol, value) in row {
            self.bind_new(*symbol, Some(value.clone()), inside);
        }
        Ok(inside)
    }

    /// The contexts of the rows, as a path without joins would give them.
    pub(super) fn contexts(&mut self, tuples: &Array) -> Outcome<Value> {
        let mut bag = Bag::default();
        for tuple in tuples.iter() {
            if let Some(context) = context_of(row_of(tuple)) {
                bag.push(context, self.budget)?;
            }
        }
        bag.sequence(self.budget)
    }

    /// Several rows as one: what each binds, gathered into arrays.
    pub(super) fn reduce_rows(&mut self, tuples: &[Value]) -> Outcome<Row> {
        let Some((first, rest)) = tuples.split_first() else { return Ok(Vec::new()) };
        let mut result: Vec<(Symbol, Vec<Value>, bool)> = row_of(first)
            .iter()
            .map(|(symbol, value)| (*symbol, vec![value.clone()], true))
            .collect();
        for tuple in rest {
            for (symbol, value) in row_of(tuple) {
                self.budget.step(1)?;
                self.budget.alloc(24)?;
                gather(&mut result, *symbol, value);
            }
        }
        let rows = result.into_iter().map(|(symbol, mut values, single)| {
            if single && let Some(value) = values.pop() {
                return Ok((symbol, value));
            }
            self.budget.alloc(64)?;
            Ok((symbol, Value::Array(Array::from(values))))
        });
        rows.collect()
    }
}

/// Adds a value to what a name has gathered; the first value may itself be an array.
fn gather(result: &mut Vec<(Symbol, Vec<Value>, bool)>, symbol: Symbol, value: &Value) {
    let Some((_, values, single)) = result.iter_mut().find(|(known, ..)| *known == symbol) else {
        result.push((symbol, vec![value.clone()], true));
        return;
    };
    if std::mem::replace(single, false)
        && let Some(Value::Array(array)) = values.first().cloned()
    {
        *values = array.to_vec();
    }
    match value {
        Value::Array(array) => values.extend_from_slice(array),
        item => values.push(item.clone()),
    }
}

fn merge(row: &Row, over: &Row) -> Row {
    let mut merged = row.clone();
    for (symbol, value) in over {
        set(&mut merged, *symbol, value.clone());
    }
    merged
}

fn set(row: &mut Row, symbol: Symbol, value: Value) {
    match row.iter_mut().find(|(known, _)| *known == symbol) {
        Some((_, old)) => *old = value,
        None => row.push((symbol, value)),
    }
}

fn tuple(row: Row) -> Value {
    Value::Function(Function::made(function::Kind::Tuple(row)))
}

static EMPTY: Row = Vec::new();

pub(super) fn row_of(tuple: &Value) -> &Row {
    if let Value::Function(function) = tuple
        && let Some(function::Kind::Tuple(row)) = function.kind()
    {
        return row;
    }
    &EMPTY
}

pub(super) fn context_of(row: &Row) -> Option<Value> {
    row.iter().find(|(symbol, _)| *symbol == Symbol::CONTEXT).map(|(_, value)| value.clone())
}
