//! Where `%` points: each is matched with the step its ancestor comes from.

use super::{
    process::{Processor, underivable},
    tree::{Kind, Node},
};
use crate::error::Outcome;

/// A `%` that looks for its ancestor: how many steps up, and the name it is bound under.
pub(super) struct Slot {
    pub(super) label: usize,
    pub(super) level: i32,
}

impl Processor {
    pub(super) fn new_slot(&mut self) -> usize {
        let label = self.slots.len();
        self.slots.push(Slot { label, level: 1 });
        label
    }

    /// Takes one step up the path; where the level reaches 0, the ancestor is found.
    pub(super) fn seek_parent(&mut self, node: &mut Node, slot: usize) -> Outcome<()> {
        match &mut node.kind {
            Kind::Name(_) | Kind::Wildcard => {
                self.slots[slot].level -= 1;
                if self.slots[slot].level == 0 {
                    self.found(node, slot);
                }
                Ok(())
            }
            Kind::Parent(_) => {
                self.slots[slot].level += 1;
                Ok(())
            }
            Kind::Block(expressions) => {
                if let Some(last) = expressions.last_mut() {
                    self.seek_parent(last, slot)?;
                    node.more().tuple = true;
                }
                Ok(())
            }
            Kind::Path(steps) => {
                self.seek_in_steps(steps, slot)?;
                node.more().tuple = true;
                Ok(())
            }
            _ => Err(underivable(node)),
        }
    }

    fn found(&mut self, node: &mut Node, slot: usize) {
        let more = node.more();
        if let Some(known) = more.ancestor {
            self.slots[slot].label = self.slots[known].label;
        }
        more.ancestor = Some(slot);
        more.tuple = true;
    }

    fn seek_in_steps(&mut self, steps: &mut [Node], slot: usize) -> Outcome<()> {
        let mut steps = steps.iter_mut().rev();
        if let Some(last) = steps.next() {
            self.seek_parent(last, slot)?;
        }
        for step in steps {
            if self.slots[slot].level <= 0 {
                break;
            }
            self.seek_parent(step, slot)?;
        }
        Ok(())
    }

    /// Resolves what the last step of a path seeks, as far as this path reaches.
    pub(super) fn resolve_ancestry(&mut self, path: &mut Node) -> Outcome<()> {
        let Kind::Path(steps) = &mut path.kind else { return Ok(()) };
        let Some(last) = steps.last() else { return Ok(()) };
        let mut slots =
            last.more.as_ref().and_then(|more| more.seeking.clone()).unwrap_or_default();
        if let Kind::Parent(slot) = last.kind {
            slots.push(slot);
        }
        let mut unresolved = Vec::new();
        for slot in slots {
            if !self.seek_upwards(steps, slot)? {
                unresolved.push(slot);
            }
        }
        if !unresolved.is_empty() {
            path.more().seeking.get_or_insert_default().extend(unresolved);
        }
        Ok(())
    }

    /// Whether the slot found its ancestor among the steps before the last.
    fn seek_upwards(&mut self, steps: &mut [Node], slot: usize) -> Outcome<bool> {
        let mut left = steps.len() - 1;
        while self.slots[slot].level > 0 {
            if left == 0 {
                return Ok(false);
            }
            left -= 1;
            // Of several steps that bind the focus in a row, the first counts.
            while left > 0 && binds_focus(&steps[left]) && binds_focus(&steps[left - 1]) {
                left -= 1;
            }
            self.seek_parent(&mut steps[left], slot)?;
        }
        Ok(true)
    }
}

fn binds_focus(step: &Node) -> bool {
    step.has(|more| more.focus.is_some())
}
