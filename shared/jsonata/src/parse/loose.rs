//! Which names an expression looks up in its input, rather than in a value it selected itself.

use std::{collections::BTreeSet, sync::Arc};

use super::raw::{Kind, Raw};

/// Names that are looked up in the input of the whole expression. Where there is none, as in Step
/// Functions, they are nothing.
pub(super) fn names(raw: &Raw) -> BTreeSet<Arc<str>> {
    let mut found = BTreeSet::new();
    visit(raw, &mut found);
    found
}

fn visit(raw: &Raw, found: &mut BTreeSet<Arc<str>>) {
    stacker::maybe_grow(64 * 1_024, 1 << 20, || node(raw, found));
}

fn node(raw: &Raw, found: &mut BTreeSet<Arc<str>>) {
    match &raw.kind {
        Kind::Name(name) => {
            found.insert(name.clone());
        }
        Kind::Negate(inner) => visit(inner, found),
        Kind::Array(items) | Kind::Block(items) => all(items, found),
        Kind::Object(members) => members.iter().for_each(|(key, value)| {
            visit(key, found);
            visit(value, found);
        }),
        // What stands behind these is evaluated over what the left side selected.
        Kind::Binary("." | "[" | "@" | "#", left, _)
        | Kind::Group(left, _)
        | Kind::Sort(left, _) => visit(left, found),
        Kind::Binary(":=", _, right) => visit(right, found),
        Kind::Binary(_, left, right) => {
            visit(left, found);
            visit(right, found);
        }
        Kind::Call { procedure, arguments, .. } => {
            visit(procedure, found);
            all(arguments, found);
        }
        Kind::Lambda { body, .. } => visit(body, found),
        Kind::Condition(first, second, third) => {
            visit(first, found);
            visit(second, found);
            third.iter().for_each(|third| visit(third, found));
        }
        _ => {}
    }
}

fn all(nodes: &[Raw], found: &mut BTreeSet<Arc<str>>) {
    nodes.iter().for_each(|node| visit(node, found));
}
