//! Imports: the forms TOSCA allows, and which file each one means.

use std::sync::Arc;

use crate::archive::Archive;
use crate::finding::Place;
use crate::rules::{Report, descriptor as rule};
use crate::yaml::Node;

/// One import of one file.
#[derive(Debug)]
pub(super) struct Import {
    /// Path or URL as written.
    pub(super) target: String,
    pub(super) place: Place,
}

impl Import {
    /// Whether it names one of SOL001's type files, whose content is known.
    pub(super) fn is_sol001(&self) -> bool {
        let name = self.target.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        name.starts_with("etsi_nfv_sol001") || name == "tosca_definition_1_0.yaml"
    }

    pub(super) fn report_missing(&self, report: &mut Report) {
        if self.is_sol001() {
            return;
        }
        let said = format!("`{}`", self.target);
        if self.target.contains("://") {
            report.add(&rule::IMPORT_REMOTE, self.place.clone(), said);
        } else {
            report.add(&rule::IMPORT_MISSING, self.place.clone(), said);
        }
    }
}

/// The imports of a file: `x`, `{file: x}`, `{name: x}`, `{name: {file: x}}`.
pub(super) fn list(root: &Node, report: &mut Report) -> Vec<Import> {
    let Some(imports) = root.get("imports") else { return vec![] };
    let mut found = vec![];
    for item in imports.items() {
        let before = found.len();
        if let Some(target) = target(item) {
            found.push(Import { target, place: item.place() });
        } else {
            let named = item.entries().filter_map(|(_, n)| Some((target(n)?, n.place())));
            found.extend(named.map(|(target, place)| Import { target, place }));
        }
        if found.len() == before {
            report.add(&rule::SECTION_SHAPE, item.place(), "an import names no file");
        }
    }
    found
}

fn target(node: &Node) -> Option<String> {
    let file = node.as_str().or_else(|| node.get("file").and_then(Node::as_str))?;
    Some(file.trim().to_owned())
}

/// The archive's file that an import means: beside the importer, at the root, in Definitions.
pub(super) fn resolve(archive: &Archive<'_>, from: &str, target: &str) -> Option<Arc<str>> {
    let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    let candidates = [
        join(folder, target),
        join("", target.trim_start_matches('/')),
        join("Definitions", target),
    ];
    let found = candidates.into_iter().flatten().find(|path| archive.has_file(path));
    found.map(Arc::from)
}

/// Joins a relative path to a folder; `None` when it leaves the archive or is a URL.
pub(crate) fn join(folder: &str, path: &str) -> Option<String> {
    if path.contains("://") || path.is_empty() {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|p| !p.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_joined_without_leaving_the_archive() {
        assert_eq!(join("Definitions", "../Files/a").as_deref(), Some("Files/a"));
        assert_eq!(join("", "./a/./b").as_deref(), Some("a/b"));
        assert_eq!(join("a", "../../b"), None);
        assert_eq!(join("a", "http://x/y"), None);
    }
}
