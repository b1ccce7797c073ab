//! A JSONPath with its starting point: the input, the context object or a variable.

use std::sync::Arc;

use serde_json::Value;

use crate::{
    doc::{self, Doc},
    env::Env,
    fault::Fault,
    path::{NotFound, Path},
};

/// `$.a`, `$$.Execution.Id` or `$name.a`.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    source: String,
    root: Root,
    path: Path,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Root {
    Input,
    Context,
    Variable(Arc<str>),
}

impl Query {
    /// Reads a query; `None` if the text is none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix('$')?;
        let (root, path) = if let Some(rest) = rest.strip_prefix('$') {
            (Root::Context, format!("${rest}"))
        } else {
            let end = rest.find(|c: char| !is_name(c)).unwrap_or(rest.len());
            let (name, rest) = rest.split_at(end);
            if name.is_empty() {
                (Root::Input, text.to_owned())
            } else if name.starts_with(|c: char| c.is_ascii_digit()) {
                return None;
            } else {
                (Root::Variable(Arc::from(name)), format!("${rest}"))
            }
        };
        Some(Self { source: text.to_owned(), root, path: Path::parse(&path)? })
    }

    /// The query as it was written.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// The path after the starting point, which error texts of AWS show.
    pub(crate) fn path_source(&self) -> &str {
        self.path.source()
    }

    /// Whether the query is `$`.
    pub(crate) fn is_input(&self) -> bool {
        self.root == Root::Input && self.path.is_root()
    }

    /// Whether it starts from the context object.
    pub(crate) fn is_context(&self) -> bool {
        self.root == Root::Context
    }

    /// Hands what is selected to `look`.
    pub(crate) fn visit<R>(
        &self,
        env: &Env<'_>,
        look: impl FnOnce(&Value) -> R,
    ) -> Result<R, NotFound> {
        match &self.root {
            Root::Input => self.path.visit_in(env.root.value(), look),
            Root::Context => env.context.visit(&self.path, look),
            Root::Variable(name) => match env.variable(name) {
                Some(doc) => self.path.visit_in(doc.value(), look),
                None => Err(NotFound(format!("The variable '${name}' is not defined."))),
            },
        }
    }

    /// A copy of what is selected.
    pub(crate) fn value(&self, env: &Env<'_>) -> Result<Value, NotFound> {
        let copy =
            self.visit(env, |value| env.may_copy(doc::weight(value)).then(|| value.clone()))?;
        copy.ok_or_else(|| NotFound("too much data".to_owned()))
    }

    /// The same in a template, where an item beyond the end of its array is `null`.
    pub(crate) fn value_in_template(&self, env: &Env<'_>) -> Result<Value, NotFound> {
        self.value(env).or_else(|reason| {
            let beyond = match &self.root {
                Root::Input => self.path.is_beyond_the_end(env.root.value()),
                Root::Context => false,
                Root::Variable(name) => {
                    env.variable(name).is_some_and(|doc| self.path.is_beyond_the_end(doc.value()))
                }
            };
            if beyond { Ok(Value::Null) } else { Err(reason) }
        })
    }

    /// What is selected, shared where it is a whole document.
    pub(crate) fn doc(&self, env: &Env<'_>) -> Result<Doc, NotFound> {
        if self.path.is_root() {
            match &self.root {
                Root::Input => return Ok(env.root.clone()),
                Root::Variable(name) => {
                    if let Some(doc) = env.variable(name) {
                        return Ok(doc.clone());
                    }
                }
                Root::Context => {}
            }
        }
        self.value(env).map(Doc::new)
    }

    /// The fault of `InputPath`, `OutputPath` and the other `…Path` fields.
    pub(crate) fn invalid(&self, reason: &NotFound) -> Fault {
        Fault::runtime(format!("Invalid path '{}' : {reason}", self.path.source()))
    }
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}
