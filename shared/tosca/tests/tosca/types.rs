//! The table of SOL001's types says what ETSI's own files say.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use mano_tosca::Limits;
use mano_tosca::types::{Kind, Type, Version, base, known_versions, sol001};
use mano_tosca::yaml::{self, Node};

use crate::support::reference;

/// All type definitions of one SOL001 version, by kind and name.
fn published(root: &Path, version: Version) -> BTreeMap<(Kind, String), Node> {
    let mut found = BTreeMap::new();
    let folder = root.join(version.to_string());
    for path in folder.read_dir().expect("a version").flatten().map(|e| e.path()) {
        let text = std::fs::read_to_string(&path).expect("a file");
        let name = path.to_string_lossy();
        let (document, _) = yaml::read(&name, &text, &Limits::default()).expect("YAML");
        for (kind, _, section) in Kind::ALL {
            for (name, node) in document.get(section).into_iter().flat_map(Node::entries) {
                found.insert((kind, name.to_owned()), node.clone());
            }
        }
    }
    found
}

fn is_in(found: &Type, version: Version) -> bool {
    found.since <= version && found.until.is_none_or(|until| version <= until)
}

#[test]
fn every_version_known_is_there_to_compare_with() {
    let Some(root) = reference("etsi/sol001-types") else { return };
    let here: BTreeSet<Version> = root
        .read_dir()
        .expect("a folder")
        .flatten()
        .filter_map(|e| Version::parse(&e.file_name().to_string_lossy()))
        .collect();
    let known: BTreeSet<Version> = known_versions().iter().copied().collect();
    assert_eq!(known, here);
}

#[test]
fn every_published_type_is_in_the_table_with_its_parent_from_its_version_on() {
    let Some(root) = reference("etsi/sol001-types") else { return };
    for version in known_versions() {
        for ((kind, name), node) in published(&root, *version) {
            let known = sol001().find(kind, &name).unwrap_or_else(|| panic!("{version} {name}"));
            assert!(is_in(known, *version), "{version} {name}");
            let parent = node.get("derived_from").and_then(Node::as_str);
            let latest = known.until.is_none() && Some(version) == known_versions().last();
            if latest {
                assert_eq!(known.parent.as_deref(), parent, "{name}");
            }
        }
    }
}

#[test]
fn nothing_is_in_the_table_that_was_not_published() {
    let Some(root) = reference("etsi/sol001-types") else { return };
    let mut first: BTreeMap<(Kind, String), Version> = BTreeMap::new();
    for version in known_versions() {
        for key in published(&root, *version).into_keys() {
            first.entry(key).or_insert(*version);
        }
    }
    for (kind, name, known) in sol001().iter() {
        assert_eq!(first.get(&(kind, name.to_owned())), Some(&known.since), "{name}");
    }
}

#[test]
fn properties_are_those_published_and_required_only_where_all_versions_agree() {
    let Some(root) = reference("etsi/sol001-types") else { return };
    for version in known_versions() {
        for ((kind, name), node) in published(&root, *version) {
            let known = sol001().find(kind, &name).expect("a type");
            for (property, definition) in node.get("properties").into_iter().flat_map(Node::entries)
            {
                let held = known.properties.get(property);
                let held = held.unwrap_or_else(|| panic!("{version} {name} {property}"));
                assert!(held.since <= *version, "{version} {name} {property}");
                let optional = definition.get("required").and_then(Node::as_bool) == Some(false)
                    || definition.as_map().is_some_and(|m| m.contains_key("default"));
                assert!(!(held.required && optional), "{version} {name} {property}");
            }
        }
    }
}

#[test]
fn every_type_that_a_property_names_is_in_a_table() {
    for (_, name, known) in sol001().iter() {
        for (property, definition) in &known.properties {
            let named = definition.type_name.split(['<', '>']).find(|n| n.starts_with("tosca."));
            if let Some(named) = named {
                let found =
                    sol001().find(Kind::Data, named).or_else(|| base().find(Kind::Data, named));
                assert!(found.is_some(), "{name}.{property} is of {named}");
            }
        }
    }
}
