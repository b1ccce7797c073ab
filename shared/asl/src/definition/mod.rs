//! A workflow definition, read and checked once and then only looked at.

mod build;
mod choice_rules;
mod container;
mod fields;
mod handlers;
mod machine;
mod scopes;
mod states;
mod task;
mod values;

use std::sync::Arc;

pub(crate) use fields::SCHEMA;
pub use fields::{Diagnostic, Severity};
pub(crate) use machine::*;
pub(crate) use task::resource;

/// A checked workflow definition. Cloning copies a pointer.
///
/// ```
/// # use mano_asl::Definition;
/// let definition = Definition::parse(
///     r#"{"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}"#,
/// );
/// assert!(definition.is_ok());
///
/// let Err(problems) = Definition::parse(r#"{"States": {}}"#) else { unreachable!() };
/// assert_eq!(problems[0].location.as_deref(), Some("/"));
/// ```
#[derive(Debug, Clone)]
pub struct Definition(pub(crate) Arc<Machine>);

impl Definition {
    /// Reads a definition.
    ///
    /// # Errors
    /// Everything that is wrong with the text, with AWS's codes, messages and locations.
    pub fn parse(text: &str) -> Result<Self, Vec<Diagnostic>> {
        Self::parse_as(text, crate::Kind::Standard)
    }

    /// Reads a definition that is to run as the given kind. Express executions cannot wait for
    /// jobs, tokens or activities.
    ///
    /// # Errors
    /// As [`Definition::parse`].
    pub fn parse_as(text: &str, kind: crate::Kind) -> Result<Self, Vec<Diagnostic>> {
        let (machine, diagnostics) = build::build(text, kind);
        let errors: Vec<Diagnostic> =
            diagnostics.into_iter().filter(|one| one.severity == Severity::Error).collect();
        match machine {
            Some(machine) if errors.is_empty() => Ok(Self(Arc::new(machine))),
            _ => Err(errors),
        }
    }

    /// Looks for errors and for what is legal but probably not meant.
    #[must_use]
    pub fn check(text: &str) -> Vec<Diagnostic> {
        Self::check_as(text, crate::Kind::Standard)
    }

    /// The same for a definition that is to run as the given kind.
    #[must_use]
    pub fn check_as(text: &str, kind: crate::Kind) -> Vec<Diagnostic> {
        build::build(text, kind).1
    }

    /// What the author wrote about the workflow.
    #[must_use]
    pub fn comment(&self) -> Option<&str> {
        self.0.comment.as_deref()
    }

    /// The names of all states, in the order they were written, nested ones included.
    pub fn state_names(&self) -> impl Iterator<Item = &str> {
        self.0.states.iter().map(|state| &*state.name)
    }

    /// The resource of every Task, with the state's name.
    pub fn tasks(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.states.iter().filter_map(|state| {
            state.kind.as_task().map(|task| (&*state.name, &*task.resource.arn))
        })
    }
}
