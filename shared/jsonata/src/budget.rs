//! What one evaluation may spend: steps of work, bytes of memory, depth of calls.

use crate::error::{Fault, Outcome};

/// How deep calls may nest unless [`Budget::with_depth`] says otherwise.
pub(crate) const DEFAULT_DEPTH: u32 = 3_000;

/// Filling two to the power of so many bytes is a step.
const LINE: u32 = 5;

/// Steps and bytes an evaluation may spend; it goes down as they are spent.
///
/// One step is one node evaluated, one item handled by a builtin, one move of the regular
/// expression matcher, or 32 bytes filled. Bytes are counted when memory is asked for, before it is taken, and are
/// not given back when it is freed: so the sum is the same on every run, and what is alive at
/// any time is never more. A budget that is spent stays spent, so several evaluations can share
/// one.
#[derive(Debug, Clone)]
pub struct Budget {
    steps: u64,
    bytes: u64,
    depth: u32,
}

impl Budget {
    /// A budget of `steps` steps and `bytes` bytes.
    pub fn new(steps: u64, bytes: u64) -> Self {
        Self { steps, bytes, depth: DEFAULT_DEPTH }
    }

    /// The same with another bound on how deep evaluation may nest (default 3,000).
    #[must_use]
    pub fn with_depth(mut self, depth: u32) -> Self {
        self.depth = depth;
        self
    }

    /// Steps and bytes not spent yet.
    pub fn remaining(&self) -> (u64, u64) {
        (self.steps, self.bytes)
    }

    pub(crate) fn depth(&self) -> u32 {
        self.depth
    }

    /// Spends `count` steps.
    #[inline]
    pub(crate) fn step(&mut self, count: usize) -> Outcome<()> {
        match self.steps.checked_sub(count as u64) {
            Some(left) => {
                self.steps = left;
                Ok(())
            }
            None => Err(self.out_of_steps()),
        }
    }

    /// Spends `count` bytes; to be called before they are allocated.
    #[inline]
    pub(crate) fn alloc(&mut self, count: usize) -> Outcome<()> {
        match self.bytes.checked_sub(count as u64) {
            Some(left) => {
                let filled = (self.bytes >> LINE) - (left >> LINE);
                self.bytes = left;
                match self.steps.checked_sub(filled) {
                    Some(left) => {
                        self.steps = left;
                        Ok(())
                    }
                    None => Err(self.out_of_steps()),
                }
            }
            None => Err(self.out_of_bytes()),
        }
    }

    /// The work of looking through `bytes` bytes of text.
    #[inline]
    pub(crate) fn scan(&mut self, bytes: usize) -> Outcome<()> {
        self.step(bytes / 32)
    }

    #[cold]
    fn out_of_steps(&mut self) -> Fault {
        self.steps = 0;
        Fault::limit("The expression needs more steps than it was given; make it do less work")
    }

    #[cold]
    fn out_of_bytes(&mut self) -> Fault {
        self.bytes = 0;
        Fault::limit("The expression needs more memory than it was given; make it build less")
    }
}
