//! Which row of which table answers a path.

use super::{query, versions};
use crate::function::Route;
use ::http::Method;
use bytes::Bytes;
use mano_model::Refusal;
use matchit::{Match, Params, Router};
use std::collections::BTreeMap;

/// The tables cannot be served together.
#[derive(Debug, thiserror::Error)]
pub enum Clash {
    /// Two rows answer the same.
    #[error("two routes answer {0} {1}")]
    Twice(Method, String),
    /// A path is not a template, or two templates exclude each other.
    #[error("the path '{0}' cannot be routed")]
    Path(String, #[source] matchit::InsertError),
}

/// What answers a method of a path.
pub(super) enum Target {
    /// A row.
    Row(Row),
    /// The versions of an interface, already JSON.
    Versions(Bytes),
}

/// A row of a table.
pub(super) struct Row {
    /// As the function wrote it.
    pub(super) route: &'static Route,
    /// The names of the path's parameters, in order.
    names: Box<[&'static str]>,
    /// Whether it answers a list, which knows filter, selectors and marker.
    pub(super) list: bool,
}

/// The methods of one path.
struct Resource {
    template: &'static str,
    methods: Vec<(Method, Target)>,
}

/// All paths.
pub(super) struct Routes {
    router: Router<Resource>,
    templates: Vec<&'static str>,
}

/// A path that is known.
pub(super) struct Found<'r, 'p> {
    resource: &'r Resource,
    parameters: Params<'r, 'p>,
}

impl Routes {
    /// The paths of these rows, and the version lists of their interfaces.
    pub(super) fn new(rows: impl Iterator<Item = &'static Route>) -> Result<Self, Clash> {
        let mut resources: BTreeMap<String, Resource> = BTreeMap::new();
        for row in rows {
            let (shape, names) = shape(row.path);
            let resource = resources
                .entry(shape)
                .or_insert_with(|| Resource { template: row.path, methods: Vec::new() });
            if resource.methods.iter().any(|(method, _)| *method == row.method) {
                return Err(Clash::Twice(row.method.clone(), row.path.into()));
            }
            let row = Row { route: row, names, list: row.query.contains(&"filter") };
            resource.methods.push((row.route.method.clone(), Target::Row(row)));
        }
        mark_lists(&mut resources);
        let templates = resources.values().map(|resource| resource.template).collect();
        for (path, text) in versions::lists(&templates) {
            let methods = vec![(Method::GET, Target::Versions(text))];
            resources.insert(path, Resource { template: versions::TEMPLATE, methods });
        }
        let mut router = Router::new();
        for (shape, resource) in resources {
            router.insert(&shape, resource).map_err(|error| Clash::Path(shape, error))?;
        }
        Ok(Self { router, templates })
    }

    /// The path templates.
    pub(super) fn templates(&self) -> impl Iterator<Item = &'static str> {
        self.templates.iter().copied()
    }

    /// What a path leads to.
    pub(super) fn find<'r, 'p>(&'r self, path: &'p str) -> Option<Found<'r, 'p>> {
        let Match { value, params } = self.router.at(path).ok()?;
        Some(Found { resource: value, parameters: params })
    }
}

impl<'r> Found<'r, '_> {
    /// The template, for metrics.
    pub(super) const fn template(&self) -> &'static str {
        self.resource.template
    }

    /// What answers a method.
    pub(super) fn method(&self, method: &Method) -> Option<&'r Target> {
        self.resource.methods.iter().find(|(known, _)| known == method).map(|(_, target)| target)
    }

    /// The methods there are, for `Allow`.
    pub(super) fn allow(&self) -> String {
        let names: Vec<_> =
            self.resource.methods.iter().map(|(method, _)| method.as_str()).collect();
        names.join(", ")
    }

    /// The path's parameters by the names of the row.
    pub(super) fn parameters(
        &self,
        method: &Method,
    ) -> Result<BTreeMap<&'static str, String>, Refusal> {
        let names: &[&'static str] = match self.method(method) {
            Some(Target::Row(row)) => &row.names,
            Some(Target::Versions(_)) | None => &[],
        };
        let values = self.parameters.iter().map(|(_, value)| value);
        names
            .iter()
            .zip(values)
            .map(|(name, value)| {
                let value = query::decode(value, false).filter(|value| {
                    value.len() <= MAX_PARAMETER && !value.contains(char::is_control)
                });
                let refusal = || {
                    Refusal::malformed(format!(
                        "'{name}' in the path is not percent-encoded UTF-8 of at most {MAX_PARAMETER} bytes"
                    ))
                };
                value.map(|value| (*name, value)).ok_or_else(refusal)
            })
            .collect()
    }
}

/// Marks the containers of the standard's interfaces: what has individual resources below it. Our
/// own routes say `filter` where they have one.
fn mark_lists(resources: &mut BTreeMap<String, Resource>) {
    let shapes: Vec<_> = resources.keys().cloned().collect();
    for (shape, resource) in resources {
        let below = format!("{shape}/{{p{}}}", shape.matches('{').count() + 1);
        let container = shapes.contains(&below) && !shape.starts_with("/mano/");
        for (method, target) in &mut resource.methods {
            if let Target::Row(row) = target {
                row.list |= container && *method == Method::GET;
            }
        }
    }
}

/// Longest path parameter, in bytes; a file's path in an archive is the longest there is.
const MAX_PARAMETER: usize = 1024;

/// A template with its parameters numbered, so that rows may name them differently, and the names.
fn shape(template: &'static str) -> (String, Box<[&'static str]>) {
    let mut names = Vec::new();
    let segments: Vec<_> = template
        .split('/')
        .map(|segment| match segment.strip_prefix('{').and_then(|s| s.strip_suffix('}')) {
            None => segment.to_owned(),
            Some(name) => {
                let plain = name.strip_prefix('*');
                names.push(plain.unwrap_or(name));
                format!("{{{}p{}}}", if plain.is_some() { "*" } else { "" }, names.len())
            }
        })
        .collect();
    (segments.join("/"), names.into())
}
