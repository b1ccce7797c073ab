//! The service templates of a package: the entry, what it imports, and the types in force.
//!
//! ```text
//! entry ──imports──▶ files (each once, no circles) ──▶ types ──▶ topologies
//!          └─ SOL001's own files are known and need not be there
//! ```

use std::collections::HashSet;
use std::sync::Arc;

use crate::archive::Archive;
use crate::finding::{Finding, Place};
use crate::limits::Limits;
use crate::rules::{Mode, Report, archive as archive_rule, descriptor as rule};
use crate::types::{Types, Version, known_versions};
use crate::yaml::{self, Node};

mod bounds;
mod check;
mod import;
mod topology;

pub(crate) use bounds::named;
pub(crate) use check::check;
pub(crate) use import::join;
pub(crate) use topology::{NodeTemplate, Policy, Topology, located, target_name};

/// One parsed file.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) file: Arc<str>,
    pub(crate) root: Node,
    /// Whether it was reached by imports, not only found beside them.
    pub(crate) imported: bool,
    /// The files that import it.
    importers: Vec<Arc<str>>,
}

impl Document {
    pub(crate) fn topology(&self) -> Option<&Node> {
        self.root.get("topology_template")
    }

    pub(crate) fn substitution(&self) -> Option<&Node> {
        self.root.at(&["topology_template", "substitution_mappings"])
    }
}

/// All templates of a package; the first is the entry.
#[derive(Debug, Default)]
pub(crate) struct Templates {
    pub(crate) documents: Vec<Document>,
    pub(crate) types: Types,
    /// The SOL001 version imported; `None` when none is, or without a number.
    pub(crate) sol001: Option<Version>,
    pub(crate) imports_sol001: bool,
    seen: HashSet<Arc<str>>,
    /// YAML nodes read so far.
    nodes: usize,
}

/// `tosca_definitions_version` values in use.
const TOSCA_VERSIONS: [&str; 8] = [
    "tosca_simple_yaml_1_0",
    "tosca_simple_yaml_1_0_0",
    "tosca_simple_yaml_1_1",
    "tosca_simple_yaml_1_2",
    "tosca_simple_yaml_1_3",
    "tosca_simple_profile_yaml_1_1",
    "tosca_simple_profile_yaml_1_2",
    "tosca_simple_profile_yaml_1_3",
];

/// Reads the entry and all it imports, then the templates beside it that nothing imports.
pub(crate) fn load(
    archive: &mut Archive<'_>,
    entry: &Arc<str>,
    others: &[Arc<str>],
    report: &mut Report,
) -> Result<Templates, Finding> {
    let mut templates = Templates::default();
    let mut stack = vec![];
    templates.read(archive, entry, None, &mut stack, report)?;
    if templates.documents.first().is_none_or(|d| d.root.as_map().is_none()) {
        let place = Place::file(Arc::clone(entry));
        return Err(Finding::new(&rule::NOT_A_TEMPLATE, "it is not a map", place));
    }
    for other in others {
        templates.read_beside(archive, other, report);
    }
    bounds::check(&templates)?;
    for document in &templates.documents {
        check_version(document, report);
        templates.types.declare(&document.root);
    }
    templates.types.check(report);
    Ok(templates)
}

fn check_version(document: &Document, report: &mut Report) {
    let node = document.root.get("tosca_definitions_version");
    let version = node.and_then(Node::as_str);
    if version.is_none_or(|v| !TOSCA_VERSIONS.contains(&v)) {
        let place = node.map_or_else(|| document.root.place(), Node::place);
        let said = version.map_or_else(|| "it is missing".to_owned(), |v| format!("`{v}`"));
        report.add(&rule::TOSCA_VERSION, place, said);
    }
}

impl Templates {
    pub(crate) fn entry(&self) -> Option<&Document> {
        self.documents.first()
    }

    /// Reads one file and its imports, depth first; `stack` holds the files being read.
    fn read(
        &mut self,
        archive: &mut Archive<'_>,
        file: &Arc<str>,
        importer: Option<&Arc<str>>,
        stack: &mut Vec<Arc<str>>,
        report: &mut Report,
    ) -> Result<(), Finding> {
        if self.documents.len() >= archive.limits().yaml_files {
            let said = format!("more than {} files", archive.limits().yaml_files);
            return Err(Finding::new(&rule::TOO_MUCH, said, Place::file(Arc::clone(file))));
        }
        let root = self.parse(archive, file, report)?;
        self.seen.insert(Arc::clone(file));
        stack.push(Arc::clone(file));
        let imports = import::list(&root, report);
        let document = Document {
            file: Arc::clone(file),
            root,
            imported: true,
            importers: importer.into_iter().map(Arc::clone).collect(),
        };
        self.documents.push(document);
        for import in imports {
            self.follow(archive, file, &import, stack, report)?;
        }
        stack.pop();
        Ok(())
    }

    /// Parses a file within what is left of the package's bound on nodes.
    fn parse(
        &mut self,
        archive: &mut Archive<'_>,
        file: &Arc<str>,
        report: &mut Report,
    ) -> Result<Node, Finding> {
        let text = archive.text(file)?;
        let left = archive.limits().yaml_nodes.saturating_sub(self.nodes);
        let limits = Limits { yaml_nodes: left, ..*archive.limits() };
        let parsed = yaml::parse(file, &text, &limits, report)?;
        self.nodes += parsed.nodes;
        Ok(parsed.node)
    }

    fn follow(
        &mut self,
        archive: &mut Archive<'_>,
        from: &Arc<str>,
        import: &import::Import,
        stack: &mut Vec<Arc<str>>,
        report: &mut Report,
    ) -> Result<(), Finding> {
        if import.is_sol001() {
            self.note_sol001(import, report);
        }
        let Some(target) = import::resolve(archive, from, &import.target) else {
            import.report_missing(report);
            return Ok(());
        };
        if stack.contains(&target) {
            let said = format!("`{target}` imports itself by way of `{from}`");
            return Err(Finding::new(&rule::IMPORT_CYCLE, said, import.place.clone()));
        }
        if let Some(known) = self.documents.iter_mut().find(|d| d.file == target) {
            known.importers.push(Arc::clone(from));
            return Ok(());
        }
        self.read(archive, &target, Some(from), stack, report)
    }

    fn note_sol001(&mut self, import: &import::Import, report: &mut Report) {
        self.imports_sol001 = true;
        let Some(version) = Version::within(&import.target) else { return };
        if known_versions().contains(&version) {
            self.sol001 = self.sol001.max(Some(version));
        } else {
            let said = format!("version {version}");
            report.add(&rule::SOL001_VERSION, import.place.clone(), said);
        }
    }

    /// Reads a template that nothing imports, with what it imports: flavours may lie beside the
    /// entry. One that cannot be read is left out, for nothing says that it belongs here.
    fn read_beside(&mut self, archive: &mut Archive<'_>, file: &Arc<str>, report: &mut Report) {
        if self.seen.contains(file) || self.documents.len() >= archive.limits().yaml_files {
            return;
        }
        let mut aside = Report::new(Mode::Lenient, archive.limits());
        let substitutes = match self.parse(archive, file, &mut aside) {
            Ok(root) => root.at(&["topology_template", "substitution_mappings"]).is_some(),
            Err(finding) => return leave_out(finding, report),
        };
        let before = self.documents.len();
        if !substitutes {
            return;
        }
        let read = self.read(archive, file, None, &mut vec![], &mut aside);
        if let Some(finding) = read.err().or_else(|| aside.errors.pop()) {
            for document in self.documents.drain(before..) {
                self.seen.remove(&document.file);
            }
            return leave_out(finding, report);
        }
        for document in &mut self.documents[before..] {
            document.imported = false;
        }
        for finding in aside.warnings {
            report.pass_on(finding);
        }
    }

    /// The topology of a document, joined with those it imports that substitute nothing.
    pub(crate) fn topology<'a>(&'a self, document: &'a Document) -> Topology<'a> {
        let mut joined = vec![document];
        loop {
            let own = |d: &&Document| {
                let from = |i: &Arc<str>| joined.iter().any(|j| j.file == *i);
                d.importers.iter().any(from) && !joined.iter().any(|j| j.file == d.file)
            };
            let parts = |d: &&Document| d.substitution().is_none() && d.topology().is_some();
            let next: Vec<&Document> =
                self.documents.iter().skip(1).filter(parts).filter(own).collect();
            if next.is_empty() {
                break;
            }
            joined.extend(next);
        }
        Topology::new(&self.types, joined)
    }
}

/// A template that lies about and cannot be read is a deviation; a hostile one is an error.
fn leave_out(finding: Finding, report: &mut Report) {
    if [archive_rule::YAML_TOO_MUCH.id, rule::TOO_MUCH.id].contains(&finding.rule) {
        report.push_error(finding);
    } else {
        report.add(&rule::OTHER_TEMPLATE, finding.place(), finding.message);
    }
}
