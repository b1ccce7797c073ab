//! Scopes of variables: an arena that dies with the evaluation, so closures cannot leak.

use smallvec::SmallVec;

use super::{Evaluator, too_deep};
use crate::{
    error::Outcome,
    functions::Builtin,
    parse::tree::Symbol,
    value::{DEEPEST, Function, Value},
};

/// The variables of one block, call or row.
pub(crate) struct Frame {
    parent: usize,
    bound: SmallVec<[(Symbol, Option<Value>); 2]>,
    /// A function refers to it: it must not be used for something else.
    captured: bool,
}

const NO_PARENT: usize = usize::MAX;
/// What a frame costs when the arena grows.
const FRAME_BYTES: usize = 128;

impl Frame {
    pub(super) fn root() -> Self {
        Self { parent: NO_PARENT, bound: SmallVec::new(), captured: true }
    }
}

/// What a variable stands for.
pub(super) enum Found {
    Value(Option<Value>),
    Builtin(Builtin),
}

impl Evaluator<'_> {
    pub(super) fn open_frame(&mut self, parent: usize) -> Outcome<usize> {
        if let Some(unused) = self.unused.pop() {
            self.frames[unused].parent = parent;
            return Ok(unused);
        }
        self.budget.alloc(FRAME_BYTES)?;
        self.frames.push(Frame { parent, bound: SmallVec::new(), captured: false });
        Ok(self.frames.len() - 1)
    }

    /// Gives the frame back unless a function holds on to it.
    pub(super) fn close_frame(&mut self, frame: usize) {
        if !self.frames[frame].captured {
            self.frames[frame].bound.clear();
            self.unused.push(frame);
        }
    }

    pub(super) fn capture(&mut self, mut frame: usize) {
        while !self.frames[frame].captured {
            self.frames[frame].captured = true;
            frame = self.frames[frame].parent;
        }
    }

    pub(super) fn bind(&mut self, symbol: Symbol, value: Option<Value>, frame: usize) {
        let bound = &mut self.frames[frame].bound;
        match bound.iter_mut().find(|(known, _)| *known == symbol) {
            Some((_, old)) => *old = value,
            None => bound.push((symbol, value)),
        }
    }

    /// Binds a parameter in a frame that has no such name yet.
    pub(super) fn bind_new(&mut self, symbol: Symbol, value: Option<Value>, frame: usize) {
        self.frames[frame].bound.push((symbol, value));
    }

    pub(super) fn lookup(&self, symbol: Symbol, frame: usize) -> Option<Value> {
        match self.find(symbol, frame) {
            Found::Value(value) => value,
            Found::Builtin(builtin) => Some(Value::Function(Function::builtin(builtin))),
        }
    }

    pub(super) fn find(&self, symbol: Symbol, frame: usize) -> Found {
        if let Some(value) = self.bound(symbol, frame) {
            return Found::Value(value.cloned());
        }
        match self.program.symbols[symbol.0 as usize].builtin {
            Some(builtin) => Found::Builtin(builtin),
            None => Found::Value(None),
        }
    }

    /// What a variable is bound to, builtins apart.
    pub(super) fn peek(&self, symbol: Symbol, frame: usize) -> Option<&Value> {
        self.bound(symbol, frame).flatten()
    }

    /// What a variable is bound to, which may be nothing; `None` if it is not bound.
    fn bound(&self, symbol: Symbol, mut frame: usize) -> Option<Option<&Value>> {
        while frame != NO_PARENT {
            let scope = &self.frames[frame];
            // Backwards: of a parameter named twice the last one counts.
            if let Some((_, value)) = scope.bound.iter().rev().find(|(known, _)| *known == symbol) {
                return Some(value.as_ref());
            }
            frame = scope.parent;
        }
        if symbol == Symbol::ROOT {
            return Some(self.root.as_ref());
        }
        self.bindings.get(&self.program.symbols[symbol.0 as usize].text).map(Some)
    }

    /// What a bare name would be as a variable, to help those who forgot the `$`.
    pub(super) fn find_by_name(&self, name: &str, frame: usize) -> Option<Value> {
        let known = self.program.symbols.iter().position(|symbol| &*symbol.text == name);
        if let Some(symbol) = known.and_then(|at| u32::try_from(at).ok()) {
            return self.lookup(Symbol(symbol), frame);
        }
        let builtin =
            crate::functions::find(name).map(|builtin| Value::Function(Function::builtin(builtin)));
        self.bindings.get(name).cloned().or(builtin)
    }
}

/// Refuses a value that nests too deep.
pub(crate) fn checked(value: Value) -> Outcome<Value> {
    if value.depth() > DEEPEST { Err(too_deep()) } else { Ok(value) }
}
