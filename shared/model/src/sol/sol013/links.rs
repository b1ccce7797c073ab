//! `_links`: what may be done with an instance or its operation now, and the types they have in tables.

use super::{Attribute, object, text};
use serde_json::{Map, Value, json};

/// `Link`.
pub const LINK: &[Attribute] = &[text("href").must()];

/// `_links` of an instance.
pub(in crate::sol) const INSTANCE_LINKS: &[Attribute] = &[
    object("self", LINK).must(),
    object("instantiate", LINK),
    object("scale", LINK),
    object("heal", LINK),
    object("terminate", LINK),
];

/// `_links` of an operation occurrence; `instance` is the link to what it acts on.
pub(in crate::sol) const fn op_links(instance: &'static str) -> [Attribute; 5] {
    [
        object("self", LINK).must(),
        object(instance, LINK).must(),
        object("retry", LINK),
        object("rollback", LINK),
        object("fail", LINK),
    ]
}

/// `self`, and one link for each task.
pub(in crate::sol) fn links(here: &str, tasks: &[&str]) -> Value {
    let mut links = Map::new();
    links.insert("self".into(), json!({ "href": here }));
    for task in tasks {
        links.insert((*task).into(), json!({ "href": format!("{here}/{task}") }));
    }
    links.into()
}
