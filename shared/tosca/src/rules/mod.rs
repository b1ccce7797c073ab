//! The numbered rules a package is held to, and the report that collects what breaks them.

use crate::finding::{Finding, Place, Refusal};
use crate::limits::Limits;

pub mod archive;
pub mod descriptor;

/// How descriptors are read; the archive rules hold in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Every deviation of a descriptor refuses the package.
    Strict,
    /// What can be understood is accepted; deviations become warnings.
    #[default]
    Lenient,
}

/// What breaking a rule means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// The package is refused in both modes.
    Always,
    /// A warning in lenient mode, an error in strict mode.
    Deviation,
}

/// A numbered rule; the complete list is [`all`].
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// `A…` archive, `I…` integrity, `Y…` YAML, `T…` TOSCA structure, `W…` deviation.
    pub id: &'static str,
    /// What breaking it means.
    pub weight: Weight,
    /// What is wrong when it is broken.
    pub says: &'static str,
    /// What the package's author can do.
    pub help: &'static str,
}

/// Every rule there is, in the order of the documentation.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    archive::RULES.iter().chain(descriptor::RULES).copied()
}

/// Collects findings and decides by the mode what is an error.
#[derive(Debug)]
pub(crate) struct Report {
    mode: Mode,
    limit: usize,
    pub(crate) errors: Vec<Finding>,
    pub(crate) warnings: Vec<Finding>,
}

impl Report {
    pub(crate) fn new(mode: Mode, limits: &Limits) -> Self {
        Self { mode, limit: limits.findings.max(1), errors: vec![], warnings: vec![] }
    }

    /// Notes that `rule` was broken at `place`.
    pub(crate) fn add(&mut self, rule: &'static Rule, place: Place, message: impl Into<String>) {
        let finding = Finding::new(rule, message, place);
        match (rule.weight, self.mode) {
            (Weight::Deviation, Mode::Lenient) => push(&mut self.warnings, finding, self.limit),
            (Weight::Always, _) | (Weight::Deviation, Mode::Strict) => self.push_error(finding),
        }
    }

    /// Takes over a deviation that another report noted.
    pub(crate) fn pass_on(&mut self, finding: Finding) {
        match self.mode {
            Mode::Lenient => push(&mut self.warnings, finding, self.limit),
            Mode::Strict => self.push_error(finding),
        }
    }

    /// Notes an error that ended a piece of work.
    pub(crate) fn push_error(&mut self, finding: Finding) {
        push(&mut self.errors, finding, self.limit);
    }

    /// The warnings, or the refusal when there is an error.
    pub(crate) fn finish(self) -> Result<Vec<Finding>, Refusal> {
        if self.errors.is_empty() { Ok(self.warnings) } else { Err(self.refuse()) }
    }

    pub(crate) fn refuse(self) -> Refusal {
        Refusal { errors: self.errors, warnings: self.warnings }
    }
}

/// Adds a finding once, and none beyond the limit: a hostile package must not fill the memory.
fn push(list: &mut Vec<Finding>, finding: Finding, limit: usize) {
    if list.len() < limit && !list.contains(&finding) {
        list.push(finding);
    }
}
