//! What an expression in a state sees.

use std::cell::Cell;

use super::{frame::Frame, turn::Turn};
use crate::{
    definition::State,
    doc::Doc,
    entropy::Entropy,
    env::{Context, Env, Item, Variables},
};

/// What an expression sees besides variables and the context object.
#[derive(Clone, Copy)]
pub(super) struct Sight<'a> {
    /// `$` of a JSONPath.
    pub(super) root: &'a Doc,
    pub(super) result: Option<&'a Doc>,
    pub(super) error: Option<&'a Doc>,
    pub(super) token: Option<&'a str>,
    pub(super) item: Option<&'a Item>,
}

impl<'a> Sight<'a> {
    pub(super) fn of(root: &'a Doc) -> Self {
        Self { root, result: None, error: None, token: None, item: None }
    }
}

impl Turn<'_> {
    /// What an expression in the thread's state sees.
    pub(super) fn with_env<R>(
        &self,
        frame: &Frame,
        state: &State,
        sight: Sight<'_>,
        look: impl FnOnce(&Env<'_>) -> R,
    ) -> R {
        let scopes = self.scopes(frame);
        self.draws.set(self.draws.get() + 1);
        let env = Env {
            root: sight.root,
            input: &frame.input,
            result: sight.result,
            error: sight.error,
            scopes: &scopes,
            context: Context {
                identity: &self.x.identity,
                state: &state.name,
                entered_at: frame.entered_at,
                retry_count: state.kind.may_be_retried().then_some(frame.retry_count),
                token: sight.token,
                item: sight.item.or_else(|| self.item(frame)),
            },
            entropy: Entropy::new(&self.x.seed, self.draws.get()),
            now: self.now,
            copied: Cell::new(0),
            spent: Cell::new(self.spent.get()),
        };
        let seen = look(&env);
        self.spent.set(env.spent.get());
        seen
    }

    /// The variables in sight, innermost first.
    fn scopes<'f>(&'f self, frame: &'f Frame) -> Vec<&'f Variables> {
        let mut scopes = vec![&frame.variables];
        let mut parent = frame.parent;
        while let Some(outer) = parent.and_then(|id| self.x.frames.get(&id)) {
            scopes.push(&outer.variables);
            parent = outer.parent;
        }
        scopes
    }

    /// The item of the innermost Map around the thread.
    fn item<'f>(&'f self, frame: &'f Frame) -> Option<&'f Item> {
        let mut at = Some(frame);
        while let Some(here) = at {
            if here.item.is_some() {
                return here.item.as_ref();
            }
            at = here.parent.and_then(|id| self.x.frames.get(&id));
        }
        None
    }
}
