//! What a pattern says.

use super::class::Class;

pub(super) enum Tree {
    Empty,
    Unit(u16),
    /// `.`
    Any,
    Class(Class),
    LineStart,
    LineEnd,
    /// `\b`, or `\B` if false.
    WordEdge(bool),
    Group {
        number: Option<usize>,
        inner: Box<Self>,
    },
    Back(usize),
    Look {
        ahead: bool,
        negated: bool,
        inner: Box<Self>,
    },
    All(Vec<Self>),
    Either(Vec<Self>),
    Repeat(Box<Repeat>),
}

pub(super) struct Repeat {
    pub(super) inner: Tree,
    pub(super) least: u32,
    pub(super) most: Option<u32>,
    pub(super) greedy: bool,
    /// The groups within, from the first to before the last.
    pub(super) groups: (usize, usize),
}
