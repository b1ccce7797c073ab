//! Who may import whom, how every file begins, and what the edge must not carry.

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// A room, the rooms it may open the door to, and outside crates kept out of it.
type Room = (&'static str, &'static [&'static str], &'static [&'static str]);

/// Crates that do I/O, and have no business in a room of values.
const OUTSIDE: &[&str] = &["aws", "tokio", "http", "hyper", "rusqlite"];

const ROOMS: &[Room] = &[
    ("mano-model", &[], OUTSIDE),
    ("mano-tosca", &[], OUTSIDE),
    ("mano-jsonata", &[], OUTSIDE),
    ("mano-asl", &["mano-jsonata"], OUTSIDE),
    ("mano-ports", &["mano-model"], &["aws", "hyper", "rusqlite"]),
    ("mano-aws", &["mano-model", "mano-ports"], &["rusqlite"]),
    ("mano-embedded", &["mano-asl", "mano-model", "mano-ports"], &["aws"]),
    // Their Lambda binaries bring the drivers of VIMs along; see decision 7.
    (
        "mano-service-management",
        &["mano-adapters", "mano-model", "mano-ports", "mano-aws"],
        &["aws", "rusqlite"],
    ),
    ("mano-catalog", &["mano-model", "mano-ports", "mano-tosca", "mano-aws"], &["aws", "rusqlite"]),
    (
        "mano-inventory",
        &["mano-adapters", "mano-model", "mano-ports", "mano-aws"],
        &["aws", "rusqlite"],
    ),
    ("mano-adapters", &["mano-model", "mano-ports", "mano-aws"], &["aws", "rusqlite"]),
    (
        "mano-edge",
        &[
            "mano-adapters",
            "mano-asl",
            "mano-catalog",
            "mano-embedded",
            "mano-inventory",
            "mano-model",
            "mano-ports",
            "mano-service-management",
            "mano-tosca",
        ],
        &["aws", "rusqlite"],
    ),
    (
        "mano-relay",
        &[
            "mano-adapters",
            "mano-aws",
            "mano-catalog",
            "mano-inventory",
            "mano-ports",
            "mano-service-management",
        ],
        &["aws", "rusqlite"],
    ),
    ("mano-tests", &[], &[]),
];

/// Only one room names SQLite, and only one the AWS SDK.
#[test]
fn every_import_is_allowed() {
    for package in &rooms().packages {
        let name = package.name.as_str();
        let room = ROOMS.iter().find(|(room, ..)| *room == name);
        let (_, may, never) = room.unwrap_or_else(|| panic!("{name} has no row"));
        for import in imports(package) {
            let ours = import.starts_with("mano-");
            let shut = never.iter().any(|n| import == *n || import.starts_with(&format!("{n}-")));
            assert!(!shut && (!ours || may.contains(&import)), "{name} may not import {import}");
        }
    }
}

#[test]
fn every_room_is_there() {
    let packages = rooms().packages;
    for (room, ..) in ROOMS {
        assert!(packages.iter().any(|p| p.name.as_str() == *room), "{room} is gone");
    }
    assert_eq!(packages.len(), ROOMS.len());
}

#[test]
fn the_edge_carries_no_cloud() {
    let out = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "-p", "mano-edge", "-e", "normal", "--prefix", "none"])
        .output()
        .unwrap();
    let tree = String::from_utf8(out.stdout).unwrap();
    assert!(tree.contains("mano-service-management"), "{tree}");
    let cloud = |line: &&str| line.starts_with("mano-aws") || line.starts_with("aws-");
    assert_eq!(tree.lines().find(cloud), None);
}

#[test]
fn every_file_says_what_it_is_for() {
    for file in sources() {
        let text = fs::read_to_string(&file).unwrap();
        let heading = text.lines().next().unwrap_or_default();
        assert!(heading.starts_with("//! "), "{} has no heading", file.display());
        let drawer = !heading.contains("This module") && !heading.contains("This file");
        assert!(drawer, "{}: say what it is for, not that it is a file", file.display());
    }
}

#[test]
fn no_file_is_too_long() {
    for file in sources() {
        let text = fs::read_to_string(&file).unwrap();
        let lines = text.lines().take_while(|line| *line != "#[cfg(test)]").count();
        // 400 is the aim; a table of facts may be longer than a page of thought.
        let limit = if is_table(&file) { 1500 } else { 500 };
        assert!(lines <= limit, "{} has {lines} lines before its tests", file.display());
    }
}

/// Files that hold lists, not logic.
fn is_table(file: &Path) -> bool {
    let text = file.to_string_lossy();
    text.contains("/tosca/src/types/") || text.contains("/tests/") || text.contains("contract")
}

#[test]
fn every_room_inherits_the_lints() {
    for package in &rooms().packages {
        let manifest = fs::read_to_string(&package.manifest_path).unwrap();
        assert!(manifest.contains("[lints]\nworkspace = true"), "{}", package.name);
    }
}

#[test]
fn nothing_is_ignored_without_a_reason() {
    for file in sources() {
        let text = fs::read_to_string(&file).unwrap();
        for (number, line) in text.lines().enumerate() {
            let bare = line.trim() == concat!("#[", "ignore]");
            assert!(!bare, "{}:{} gives no reason", file.display(), number + 1);
        }
    }
}

fn rooms() -> Metadata {
    MetadataCommand::new().no_deps().other_options(["--offline".into()]).exec().unwrap()
}

fn imports(package: &Package) -> impl Iterator<Item = &str> {
    let normal = |d: &&cargo_metadata::Dependency| d.kind == DependencyKind::Normal;
    package.dependencies.iter().filter(normal).map(|d| d.name.as_str())
}

/// Every Rust file of every room.
fn sources() -> Vec<PathBuf> {
    let mut files = Vec::new();
    for package in &rooms().packages {
        let home = package.manifest_path.parent().unwrap();
        for part in ["src", "tests", "benches", "."] {
            let deep = part != ".";
            collect(home.join(part).as_std_path(), deep, &mut files);
        }
    }
    files.sort();
    files.dedup();
    assert!(files.len() > 50, "the search for sources found {}", files.len());
    files
}

fn collect(at: &Path, deep: bool, into: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(at) else { return };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() && deep {
            collect(&path, deep, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push(path);
        }
    }
}
