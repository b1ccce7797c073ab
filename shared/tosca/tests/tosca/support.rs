//! Making archives in memory: from a folder as it is, or from files edited one by one.

use std::collections::BTreeMap;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use mano_tosca::{Algorithm, AnyPackage, Finding, Limits, Mode, Refusal};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// An archive in memory.
pub(crate) type Bytes = Cursor<Vec<u8>>;

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A folder of the reference data, or `None` with a word about it where it is absent.
pub(crate) fn reference(path: &str) -> Option<PathBuf> {
    let full = root().join("../shared").join(path);
    if full.exists() {
        return Some(full);
    }
    println!("skipped: reference data is not here: {path}");
    None
}

/// Writes a golden file anew where `MANO_GOLDEN` asks for it and it would change.
pub(crate) fn rewrite(path: &Path, text: &str) {
    let wanted = std::env::var_os("MANO_GOLDEN").is_some();
    if wanted && std::fs::read_to_string(path).ok().as_deref() != Some(text) {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a writable tree");
        std::fs::write(path, text).expect("a writable tree");
    }
}

/// Zips files with the given contents, deflated.
pub(crate) fn zip_of<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Bytes {
    let mut writer = ZipWriter::new(Cursor::new(vec![]));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, content) in files {
        writer.start_file(name, options).expect("a name");
        writer.write_all(content).expect("memory");
    }
    writer.finish().expect("memory")
}

/// All files below a folder, by their path relative to it.
pub(crate) fn files_of(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("below").to_string_lossy();
                found.insert(name.replace('\\', "/"), std::fs::read(&path).expect("a file"));
            }
        }
    }
    found
}

/// Zips a folder as it is, right or wrong.
pub(crate) fn zip_folder(folder: &Path) -> Bytes {
    Files(files_of(folder)).zip()
}

/// A package as files that a test edits.
#[derive(Debug, Clone)]
pub(crate) struct Files(pub(crate) BTreeMap<String, Vec<u8>>);

impl Files {
    /// One of our example packages.
    pub(crate) fn example(name: &str) -> Self {
        Self(files_of(&root().join("infra/edge/examples").join(name)))
    }

    /// A package of texts.
    pub(crate) fn of<'a>(texts: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let files = texts.into_iter().map(|(n, t)| (n.to_owned(), t.as_bytes().to_vec()));
        Self(files.collect())
    }

    /// Replaces text that must be there, everywhere in one file.
    pub(crate) fn edit(mut self, file: &str, from: &str, to: &str) -> Self {
        let content = self.0.get_mut(file).unwrap_or_else(|| panic!("no {file}"));
        let text = String::from_utf8(content.clone()).expect("text");
        assert!(text.contains(from), "{file} has no {from:?}");
        *content = text.replace(from, to).into_bytes();
        self
    }

    /// Adds or replaces a file.
    pub(crate) fn add(mut self, file: &str, content: impl Into<Vec<u8>>) -> Self {
        self.0.insert(file.to_owned(), content.into());
        self
    }

    /// Takes a file away.
    pub(crate) fn remove(mut self, file: &str) -> Self {
        assert!(self.0.remove(file).is_some(), "no {file}");
        self
    }

    /// Writes the manifest's digests anew, keeping its metadata.
    pub(crate) fn seal(mut self) -> Self {
        let name = self.0.keys().find(|n| n.ends_with(".mf")).expect("a manifest").clone();
        let text = String::from_utf8(self.0[&name].clone()).expect("text");
        let mut manifest = text.split("Source:").next().unwrap_or_default().to_owned();
        for (file, content) in self.0.iter().filter(|(file, _)| **file != name) {
            let hash = Algorithm::Sha256.digest(&mut content.as_slice()).expect("memory");
            manifest += &format!("Source: {file}\nAlgorithm: SHA-256\nHash: {hash}\n\n");
        }
        self.0.insert(name, manifest.into_bytes());
        self
    }

    pub(crate) fn zip(&self) -> Bytes {
        zip_of(self.0.iter().map(|(name, content)| (name.as_str(), content.as_slice())))
    }
}

/// The rule numbers of findings, in order, each once.
pub(crate) fn rules(findings: &[Finding]) -> Vec<&'static str> {
    let mut found: Vec<&str> = findings.iter().map(|f| f.rule).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Errors and warnings of an inspection, whether it went well or not.
pub(crate) fn findings(result: &Result<AnyPackage, Refusal>) -> (Vec<Finding>, Vec<Finding>) {
    match result {
        Ok(package) => (vec![], package.package().warnings.clone()),
        Err(refusal) => (refusal.errors.clone(), refusal.warnings.clone()),
    }
}

/// Inspects leniently with default limits.
pub(crate) fn lenient(bytes: Bytes) -> Result<AnyPackage, Refusal> {
    mano_tosca::inspect_any(bytes, Mode::Lenient, Limits::default())
}
