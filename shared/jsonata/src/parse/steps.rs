//! What makes paths of expressions: steps, filters, grouping, order, joins.

use super::{
    process::{Processor, push_seeking, seeking},
    raw::{self, Raw},
    tree::{Group, Kind, Node, Stage, Symbol, Term},
};
use crate::error::{Fault, Outcome};

impl Processor {
    /// `left.right`
    pub(super) fn step(&mut self, left: Raw, right: Raw) -> Outcome<Node> {
        let left = self.node(left)?;
        let parent = if let Kind::Parent(slot) = left.kind { Some(slot) } else { None };
        let mut path = into_path(left);
        if let Some(slot) = parent {
            path.more().seeking = Some(vec![slot]);
        }
        let mut rest = self.node(right)?;
        let Kind::Path(steps) = &mut path.kind else { return Ok(path) };
        if let Kind::Path(more_steps) = &mut rest.kind {
            steps.append(more_steps);
        } else {
            if let Some(more) = rest.more.as_mut()
                && let Some(predicates) = more.predicates.take()
            {
                more.stages = Some(predicates.into_iter().map(Stage::Filter).collect());
            }
            steps.push(rest);
        }
        name_steps(steps)?;
        let keep = steps.iter().any(|step| step.has(|more| more.keep_array));
        for end in [0, steps.len() - 1] {
            if matches!(steps[end].kind, Kind::Array(_)) {
                steps[end].more().cons_array = true;
            }
        }
        if keep {
            path.more().keep_singleton = true;
        }
        self.resolve_ancestry(&mut path)?;
        Ok(path)
    }

    /// `left[right]`
    pub(super) fn filter(&mut self, left: Raw, right: Raw, position: u32) -> Outcome<Node> {
        let mut result = self.node(left)?;
        let is_path = matches!(result.kind, Kind::Path(_));
        let step = last_step(&mut result);
        if step.has(|more| more.group.is_some()) {
            return Err(Fault::new("S0209").at(position));
        }
        let predicate = self.node(right)?;
        if let Some(slots) = seeking_of(&predicate) {
            for slot in slots.clone() {
                if self.slots[slot].level == 1 {
                    self.seek_parent(step, slot)?;
                } else {
                    self.slots[slot].level -= 1;
                }
            }
        }
        if predicate.has(|more| more.seeking.is_some()) {
            push_seeking(step, [seeking(&predicate), None]);
        }
        let more = step.more();
        if is_path {
            more.stages.get_or_insert_default().push(Stage::Filter(predicate));
        } else {
            more.predicates.get_or_insert_default().push(predicate);
        }
        Ok(result)
    }

    /// `left{key: value}`
    pub(super) fn group(
        &mut self,
        left: Raw,
        pairs: Vec<(Raw, Raw)>,
        position: u32,
    ) -> Outcome<Node> {
        let mut result = self.node(left)?;
        if result.has(|more| more.group.is_some()) {
            return Err(Fault::new("S0210").at(position));
        }
        let pairs = self.pairs(pairs)?;
        result.more().group = Some(Group { pairs, position });
        Ok(result)
    }

    /// `left^(terms)`
    pub(super) fn sort(
        &mut self,
        left: Raw,
        terms: Vec<(bool, Raw)>,
        position: u32,
    ) -> Outcome<Node> {
        let mut result = into_path(self.node(left)?);
        let mut sought = Vec::new();
        let mut made = Vec::with_capacity(terms.len());
        for (descending, expression) in terms {
            let expression = self.node(expression)?;
            sought.push(seeking(&expression));
            made.push(Term { descending, expression });
        }
        let mut sort = Node::new(Kind::Sort(made), position);
        push_seeking(&mut sort, sought);
        if let Kind::Path(steps) = &mut result.kind {
            steps.push(sort);
        }
        self.resolve_ancestry(&mut result)?;
        Ok(result)
    }

    /// `left@$right`
    pub(super) fn focus(
        &mut self,
        left: Raw,
        right: &Raw,
        position: u32,
        keep_array: bool,
    ) -> Outcome<Node> {
        let mut result = self.node(left)?;
        let symbol = self.symbol_of(right);
        let step = last_step(&mut result);
        if step.has(|more| more.stages.is_some() || more.predicates.is_some()) {
            return Err(Fault::new("S0215").at(position));
        }
        if matches!(step.kind, Kind::Sort(_)) {
            return Err(Fault::new("S0216").at(position));
        }
        let more = step.more();
        more.keep_array |= keep_array;
        more.focus = Some(symbol);
        more.tuple = true;
        Ok(result)
    }

    /// `left#$right`
    pub(super) fn index(&mut self, left: Raw, right: &Raw) -> Outcome<Node> {
        let symbol = self.symbol_of(right);
        let mut result = self.node(left)?;
        if !matches!(result.kind, Kind::Path(_)) {
            if let Some(more) = result.more.as_mut()
                && let Some(predicates) = more.predicates.take()
            {
                more.stages = Some(predicates.into_iter().map(Stage::Filter).collect());
            }
            result = into_path(result);
        }
        let more = last_step(&mut result).more();
        match &mut more.stages {
            None => more.index = Some(symbol),
            Some(stages) => stages.push(Stage::Index(symbol)),
        }
        more.tuple = true;
        Ok(result)
    }

    pub(super) fn symbol_of(&mut self, raw: &Raw) -> Symbol {
        match &raw.kind {
            raw::Kind::Variable(name) => self.symbol(name),
            _ => Symbol::CONTEXT,
        }
    }
}

fn into_path(node: Node) -> Node {
    if matches!(node.kind, Kind::Path(_)) {
        return node;
    }
    let position = node.position;
    Node::new(Kind::Path(vec![node]), position)
}

/// The last step of a path; of anything else the node itself.
fn last_step(node: &mut Node) -> &mut Node {
    let last = match &node.kind {
        Kind::Path(steps) => steps.len().checked_sub(1),
        _ => None,
    };
    match (last, node) {
        (Some(last), Node { kind: Kind::Path(steps), .. }) => &mut steps[last],
        (_, node) => node,
    }
}

/// Texts within a path are names; other literals have no place there.
fn name_steps(steps: &mut [Node]) -> Outcome<()> {
    for step in steps {
        match &step.kind {
            Kind::Number(number) => {
                return Err(Fault::new("S0213").at(step.position).value(Some((*number).into())));
            }
            Kind::Word(word) => {
                return Err(Fault::new("S0213").at(step.position).value(Some(word.clone())));
            }
            Kind::Text(text) => step.kind = Kind::Name(text.clone()),
            _ => {}
        }
    }
    Ok(())
}

pub(super) fn seeking_of(node: &Node) -> Option<&Vec<usize>> {
    node.more.as_ref()?.seeking.as_ref()
}
