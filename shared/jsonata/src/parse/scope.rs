//! Which variables an expression expects from outside.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use super::raw::{Kind, Raw};
use crate::functions;

/// Names that are used where nothing in the expression binds them, builtins left out.
pub(super) fn free_variables(raw: &Raw) -> BTreeSet<Arc<str>> {
    let mut walk = Walk { scopes: vec![Vec::new()], bound: HashMap::new(), free: BTreeSet::new() };
    walk.visit(raw);
    walk.free
}

struct Walk {
    /// Names bound so far, by scope, the innermost last.
    scopes: Vec<Vec<Arc<str>>>,
    /// How many scopes bind a name.
    bound: HashMap<Arc<str>, u32>,
    free: BTreeSet<Arc<str>>,
}

impl Walk {
    fn visit(&mut self, raw: &Raw) {
        stacker::maybe_grow(64 * 1_024, 1 << 20, || self.node(raw));
    }

    fn node(&mut self, raw: &Raw) {
        match &raw.kind {
            Kind::Variable(name) => self.used(name),
            Kind::Negate(inner) => self.visit(inner),
            Kind::Array(items) => self.all(items),
            Kind::Block(items) => self.scope(&[], |walk| walk.all(items)),
            Kind::Object(members) => self.pairs(members),
            Kind::Group(left, members) => self.scope(&[], |walk| {
                walk.visit(left);
                walk.pairs(members);
            }),
            Kind::Binary(op, left, right) => self.binary(op, left, right),
            Kind::Sort(left, terms) => {
                self.visit(left);
                terms.iter().for_each(|(_, term)| self.visit(term));
            }
            Kind::Call { procedure, arguments, .. } => {
                self.visit(procedure);
                self.all(arguments);
            }
            Kind::Lambda { params, body, .. } => self.scope(params, |walk| walk.visit(body)),
            Kind::Condition(first, second, third) | Kind::Transform(first, second, third) => {
                self.visit(first);
                self.visit(second);
                third.iter().for_each(|third| self.visit(third));
            }
            _ => {}
        }
    }

    fn binary(&mut self, op: &str, left: &Raw, right: &Raw) {
        match (op, &left.kind, &right.kind) {
            // A function may call itself, so its name counts as bound on the right too.
            (":=", Kind::Variable(name), Kind::Lambda { .. }) => {
                self.bind(name);
                self.visit(right);
            }
            (":=", Kind::Variable(name), _) => {
                self.visit(right);
                self.bind(name);
            }
            ("@" | "#", _, Kind::Variable(name)) => {
                self.visit(left);
                self.bind(name);
            }
            _ => {
                self.visit(left);
                self.visit(right);
            }
        }
    }

    fn all(&mut self, nodes: &[Raw]) {
        nodes.iter().for_each(|node| self.visit(node));
    }

    fn pairs(&mut self, pairs: &[(Raw, Raw)]) {
        for (key, value) in pairs {
            self.visit(key);
            self.visit(value);
        }
    }

    fn scope(&mut self, names: &[Arc<str>], inside: impl FnOnce(&mut Self)) {
        self.scopes.push(Vec::new());
        names.iter().for_each(|name| self.bind(name));
        inside(self);
        for name in self.scopes.pop().unwrap_or_default() {
            if let Some(count) = self.bound.get_mut(&name) {
                *count -= 1;
            }
        }
    }

    fn bind(&mut self, name: &Arc<str>) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.push(name.clone());
            *self.bound.entry(name.clone()).or_default() += 1;
        }
    }

    fn used(&mut self, name: &Arc<str>) {
        let context = name.is_empty() || &**name == "$";
        let bound = self.bound.get(name).is_some_and(|count| *count > 0);
        if !context && !bound && functions::find(name).is_none() {
            self.free.insert(name.clone());
        }
    }
}
