//! The project's own table of SOL001's types: names, parents, properties, first versions.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::{Kind, Property, Type, Version};

/// Type names of SOL001 drafts and what the published versions call them.
pub const ALIASES: &[(&str, &str)] = &[
    ("tosca.nodes.nfv.VDU", "tosca.nodes.nfv.Vdu.Compute"),
    ("tosca.nodes.nfv.VDU.Compute", "tosca.nodes.nfv.Vdu.Compute"),
    ("tosca.nodes.nfv.Vdu.VirtualStorage", "tosca.nodes.nfv.Vdu.VirtualBlockStorage"),
    ("tosca.nodes.nfv.VDU.VirtualStorage", "tosca.nodes.nfv.Vdu.VirtualBlockStorage"),
    ("tosca.nodes.nfv.VduCpd", "tosca.nodes.nfv.VduCp"),
    ("tosca.nodes.nfv.Cpd", "tosca.nodes.nfv.VduCp"),
    ("tosca.nodes.nfv.VnfExtCpd", "tosca.nodes.nfv.VnfExtCp"),
    ("tosca.nodes.nfv.VnfVirtualLinkDesc", "tosca.nodes.nfv.VnfVirtualLink"),
    ("tosca.nodes.nfv.NsVirtualLinkDesc", "tosca.nodes.nfv.NsVirtualLink"),
    ("tosca.nodes.nfv.PnfExtPort", "tosca.nodes.nfv.PnfExtCp"),
    ("tosca.nodes.nfv.PnfExtCpd", "tosca.nodes.nfv.PnfExtCp"),
    ("tosca.nodes.nfv.Sapd", "tosca.nodes.nfv.Sap"),
    ("tosca.nodes.nfv.SAP", "tosca.nodes.nfv.Sap"),
];

/// Types by kind and name.
#[derive(Debug, Default)]
pub struct Table(HashMap<Kind, HashMap<&'static str, Type>>);

impl Table {
    /// The type of this kind and name.
    #[must_use]
    pub fn find(&self, kind: Kind, name: &str) -> Option<&Type> {
        self.0.get(&kind)?.get(name)
    }

    /// All types.
    pub fn iter(&self) -> impl Iterator<Item = (Kind, &'static str, &Type)> {
        self.0.iter().flat_map(|(kind, types)| types.iter().map(|(name, t)| (*kind, *name, t)))
    }
}

/// SOL001's types.
pub fn sol001() -> &'static Table {
    static TABLE: LazyLock<Table> = LazyLock::new(|| parse(include_str!("sol001.tbl")));
    &TABLE
}

/// The types of the TOSCA Simple Profile that SOL001 builds on.
pub fn base() -> &'static Table {
    static TABLE: LazyLock<Table> = LazyLock::new(|| parse(include_str!("tosca.tbl")));
    &TABLE
}

/// The SOL001 versions that the table covers, oldest first.
#[must_use]
pub fn known_versions() -> &'static [Version] {
    const { &VERSIONS }
}

const VERSIONS: [Version; 11] = [
    Version(2, 5, 1),
    Version(2, 6, 1),
    Version(2, 7, 1),
    Version(2, 8, 1),
    Version(3, 3, 1),
    Version(3, 5, 1),
    Version(3, 6, 1),
    Version(3, 7, 1),
    Version(4, 2, 1),
    Version(4, 3, 1),
    Version(4, 4, 1),
];

/// Reads the table; a line it does not understand is left out, and a test finds it.
fn parse(text: &'static str) -> Table {
    let mut table = Table::default();
    let mut current: Option<(Kind, &str)> = None;
    for line in text.lines().filter(|l| !l.starts_with('#')) {
        if let Some(member) = line.strip_prefix(' ') {
            let found = current.and_then(|(kind, name)| table.0.get_mut(&kind)?.get_mut(name));
            if let Some(found) = found {
                add_member(found, member);
            }
        } else if let Some(((kind, name), found)) = head(line) {
            table.0.entry(kind).or_default().insert(name, found);
            current = Some((kind, name));
        }
    }
    table
}

fn head(line: &'static str) -> Option<((Kind, &'static str), Type)> {
    let mut words = line.split(' ');
    let word = words.next()?;
    let kind = Kind::ALL.iter().find(|(_, name, _)| *name == word)?.0;
    let name = words.next()?;
    let parent = words.nth(1).filter(|p| *p != "-").map(str::to_owned);
    let (since, until) = span(words.next()?)?;
    Some(((kind, name), Type { parent, since, until, ..Type::default() }))
}

fn span(text: &str) -> Option<(Version, Option<Version>)> {
    match text.split_once('-') {
        Some((since, until)) => Some((Version::parse(since)?, Version::parse(until))),
        None => Some((Version::parse(text)?, None)),
    }
}

fn add_member(found: &mut Type, line: &str) -> Option<()> {
    let mut words = line.split(' ');
    let (sign, name) = words.next()?.split_at_checked(1)?;
    let (name, type_name) = (name.to_owned(), words.next()?.to_owned());
    match sign {
        "." => {
            let required = line.contains(" ! ");
            let since = span(words.next_back()?)?.0;
            let property = Property { type_name, required, default: None, valid: vec![], since };
            found.properties.insert(name, property);
        }
        "+" => drop(found.capabilities.insert(name, type_name)),
        "-" => drop(found.requirements.insert(name, type_name)),
        "*" => found.operations.push(name),
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_tables_is_understood() {
        for text in [include_str!("sol001.tbl"), include_str!("tosca.tbl")] {
            for line in text.lines().filter(|l| !l.starts_with('#')) {
                let understood = match line.strip_prefix(' ') {
                    Some(member) => add_member(&mut Type::default(), member).is_some(),
                    None => head(line).is_some(),
                };
                assert!(understood, "{line}");
            }
        }
    }

    #[test]
    fn every_parent_is_in_a_table() {
        for (kind, name, found) in sol001().iter().chain(base().iter()) {
            let Some(parent) = found.parent.as_deref().filter(|p| p.contains('.')) else {
                continue;
            };
            let known = sol001().find(kind, parent).or_else(|| base().find(kind, parent)).is_some();
            assert!(known, "{name} derives from {parent}");
        }
    }

    #[test]
    fn every_alias_leads_to_a_type_and_is_none_itself() {
        for (draft, last) in ALIASES {
            assert!(sol001().find(Kind::Node, last).is_some(), "{last}");
            assert!(sol001().find(Kind::Node, draft).is_none(), "{draft}");
        }
    }
}
