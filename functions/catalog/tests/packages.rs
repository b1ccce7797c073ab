//! What on-boarding says to real packages, as a table that people read.
//!
//! `MANO_GOLDEN=1` writes it anew; review it as a diff.

use crate::world::{NSDS, PACKAGES, World, archive_of, whole};
use mano_tosca::{AnyPackage, Finding, Limits, Mode, Refusal, inspect_any};
use serde_json::json;
use std::{
    collections::BTreeMap,
    fs,
    io::Cursor,
    path::{Path, PathBuf},
};

/// What stands above the table.
const HEAD: &str = "# What on-boarding says to real packages

Open-source packages as they were published, the deliberately broken ones among them. Folders are packed as they are.
*lenient* is the default; *strict* is asked for by `userDefinedData` `{\"mano:mode\": \"strict\"}`.
A refusal shows its first reason and how many more there are; an acceptance shows which rules it was warned of, and
how often. The rules: [sol001-rules.md](sol001-rules.md). `N01`: a constituent of an NS that no operation makes;
`N02`: a level of more than 1,000 network functions or resources, or more than 10,000 instances.
Archives that describe a PNF are recognised and read, but there is no resource to upload them to.

`make golden` writes this page, where the packages are.

| package | what it is | lenient | strict |
|---|---|---|---|
";

/// Where the packages are, or `None` with a word about it.
fn reference() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/packages");
    if path.is_dir() {
        return Some(path);
    }
    println!("skipped: reference data is not here: {}", path.display());
    None
}

/// A package and its bytes, by its name.
fn packages(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let name = |path: &Path| path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        if folder.join("TOSCA-Metadata").is_dir() {
            found.insert(format!("{}/", name(&folder)), packed(&folder));
            continue;
        }
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            match path.extension().and_then(|end| end.to_str()) {
                _ if path.is_dir() => folders.push(path),
                Some("csar" | "zip") => drop(found.insert(name(&path), fs::read(&path).unwrap())),
                Some(_) | None => {}
            }
        }
    }
    found
}

/// A folder as an archive, in the order of names.
fn packed(root: &Path) -> Vec<u8> {
    let mut files = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                files.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    archive_of(files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())))
}

fn inspected(bytes: &[u8], mode: Mode) -> Result<AnyPackage, Refusal> {
    inspect_any(Cursor::new(bytes), mode, Limits::default())
}

/// What a verdict says it is.
fn kind(verdict: &Result<AnyPackage, Refusal>) -> &'static str {
    match verdict {
        Ok(AnyPackage::Vnf(_)) => "VNF",
        Ok(AnyPackage::Ns(_)) => "NS",
        Ok(AnyPackage::Pnf(_)) => "PNF",
        Err(_) => "",
    }
}

/// A verdict in a cell.
fn cell(verdict: &Result<AnyPackage, Refusal>) -> String {
    match verdict {
        Ok(found) => {
            let rules = rules(&found.package().warnings);
            if rules.is_empty() { "accepted".into() } else { format!("accepted; {rules}") }
        }
        Err(refusal) => {
            let more = match refusal.errors.len() {
                0 | 1 => String::new(),
                n => format!(" (and {} more)", n - 1),
            };
            let first = &refusal.errors[0];
            let said = format!("{} {}: {}", first.rule, first.place(), first.message);
            let said = said.replace('|', "\\|").replace('\n', " ");
            let words: Vec<_> = said.split(' ').map(short).collect();
            format!("**refused**: {}{more}", words.join(" "))
        }
    }
}

/// A word; of a digest only its beginning.
fn short(word: &str) -> String {
    let digits = word.trim_end_matches(',');
    if digits.len() >= 56 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return format!("{}…{}", &digits[..8], &word[digits.len()..]);
    }
    word.to_owned()
}

/// Which rules were noticed, and how often.
fn rules(findings: &[Finding]) -> String {
    let mut counts = BTreeMap::new();
    for finding in findings {
        *counts.entry(finding.rule).or_insert(0) += 1;
    }
    let each = counts.into_iter().map(|(rule, n)| match n {
        1 => rule.to_owned(),
        n => format!("{rule} ×{n}"),
    });
    each.collect::<Vec<_>>().join(", ")
}

/// The state that on-boarding over HTTP ends in.
async fn onboarded(bytes: Vec<u8>, ns: bool) -> String {
    let mut world = World::new().await;
    let (collection, content, facts, state) = if ns {
        (NSDS, "nsd_content", "nsd", "nsdOnboardingState")
    } else {
        (PACKAGES, "package_content", "package", "onboardingState")
    };
    let path = world.create(collection, json!({})).await;
    world.put(&format!("{path}/{content}"), whole(bytes)).await;
    let (good, bad) = (format!("{facts}.onboarded"), format!("{facts}.onboard.failed"));
    world.either(&good, &bad).await;
    world.get(&path).await.json()[state].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn real_packages_get_the_verdicts_of_the_table() {
    let Some(root) = reference() else { return };
    let mut page = HEAD.to_owned();
    for (name, bytes) in packages(&root) {
        let lenient = inspected(&bytes, Mode::Lenient);
        let strict = inspected(&bytes, Mode::Strict);
        let row = [name.clone(), kind(&lenient).into(), cell(&lenient), cell(&strict)];
        page.push_str(&format!("| {} |\n", row.join(" | ")));
        if !matches!(lenient, Ok(AnyPackage::Pnf(_))) {
            let ns = matches!(lenient, Ok(AnyPackage::Ns(_)));
            let state = if lenient.is_ok() { "ONBOARDED" } else { "ERROR" };
            assert_eq!(onboarded(bytes, ns).await, state, "{name}");
        }
    }
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/packages.md");
    if std::env::var_os("MANO_GOLDEN").is_some() {
        fs::write(&golden, &page).unwrap();
    }
    let kept = fs::read_to_string(&golden).unwrap_or_default();
    let differs = page.lines().zip(kept.lines()).find(|(now, then)| now != then);
    assert!(page == kept, "docs/packages.md differs: `make golden` writes it anew\n{differs:#?}");
}
