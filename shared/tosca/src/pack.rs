//! Making a CSAR from a folder: digests written anew, nothing else changed.
//!
//! A signature cannot survive new digests, so it is left out; who signs, signs afterwards.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::integrity::Algorithm;
use crate::limits::Limits;
use crate::listed::key_value;
use crate::meta;
use crate::rules::{Mode, Report};

/// What was packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// Paths of the files in the archive, in its order.
    pub files: Vec<String>,
    /// Path of the manifest in the archive.
    pub manifest_path: String,
    /// The manifest as it was packed.
    pub manifest: String,
    /// Whether the folder's manifest had a signature that was left out.
    pub signature_removed: bool,
}

/// Why a folder cannot be packed.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// A file or folder cannot be read, or the archive cannot be written.
    #[error("`{path}` cannot be read or written: check that it exists and who may use it")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The folder holds something that is neither file nor folder.
    #[error("`{0}` is a link or a special file: put the file itself in its place")]
    Special(PathBuf),
    /// A name that would not be let in again.
    #[error("`{0}` has a name that archives cannot carry: use plain UTF-8 names")]
    Name(PathBuf),
    /// Nothing opens the package.
    #[error(
        "`{0}` has no TOSCA-Metadata/TOSCA.meta with Entry-Definitions and not exactly one YAML \
         file of its own: add the file that opens the package"
    )]
    NoEntry(PathBuf),
    /// More files than an archive may have.
    #[error("`{path}` has more than {most} files: remove some")]
    TooMany {
        /// The folder.
        path: PathBuf,
        /// The bound.
        most: u64,
    },
    /// The archive format failed.
    #[error("the archive cannot be written: check the space on the disk")]
    Zip(#[from] zip::result::ZipError),
}

/// What version control and desktops leave in folders; it is no part of a package.
const LEFT_OUT: [&str; 3] = [".git", ".gitkeep", ".DS_Store"];

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> PackError + '_ {
    move |source| PackError::Io { path: path.to_owned(), source }
}

/// Packs `folder` into `out` with a manifest whose digests are right.
///
/// Equal folders give equal archives: entries are sorted and carry no times.
///
/// # Errors
/// When the folder is not a package or cannot be read, or `out` cannot be written.
pub fn pack(folder: &Path, out: impl Write + Seek) -> Result<Packed, PackError> {
    let mut packed = plan(folder)?;
    let mut writer = ZipWriter::new(out);
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(zip::DateTime::default())
        .unix_permissions(0o644);
    // TOSCA.meta first: readers that stream find the entry at once.
    packed.files.sort_by_key(|path| (path != meta::PATH, path.clone()));
    for path in &packed.files {
        let full = folder.join(path);
        // 64-bit sizes only where they are needed: not every reader knows them.
        let large = full.metadata().is_ok_and(|m| m.len() >= u64::from(u32::MAX));
        writer.start_file(path.as_str(), options.large_file(large))?;
        if *path == packed.manifest_path {
            writer.write_all(packed.manifest.as_bytes()).map_err(io_error(folder))?;
        } else {
            let mut file = File::open(&full).map_err(io_error(&full))?;
            io::copy(&mut file, &mut writer).map_err(io_error(&full))?;
        }
    }
    writer.finish()?;
    Ok(packed)
}

/// What [`pack`] would pack: the file list and the new manifest.
///
/// # Errors
/// When the folder is not a package or cannot be read.
pub fn plan(folder: &Path) -> Result<Packed, PackError> {
    let mut files = files(folder)?;
    let manifest_path = manifest_path(folder, &files)?;
    let before = if files.contains(&manifest_path) {
        text(&folder.join(&manifest_path))?
    } else {
        files.push(manifest_path.clone());
        files.sort();
        String::new()
    };
    let signature_removed = before.contains("-----BEGIN ");
    let manifest = manifest(folder, &files, &manifest_path, &before)?;
    Ok(Packed { files, manifest_path, manifest, signature_removed })
}

fn text(path: &Path) -> Result<String, PackError> {
    let file = File::open(path).map_err(io_error(path))?;
    let mut text = String::new();
    let most = Limits::default().text_bytes;
    file.take(most).read_to_string(&mut text).map_err(io_error(path))?;
    Ok(text)
}

/// All files below the folder but [`LEFT_OUT`], sorted, with `/` between the parts.
fn files(folder: &Path) -> Result<Vec<String>, PackError> {
    let most = Limits::default().entries;
    let mut found = vec![];
    let mut waiting = vec![(folder.to_owned(), String::new())];
    while let Some((next, prefix)) = waiting.pop() {
        for entry in next.read_dir().map_err(io_error(&next))? {
            let entry = entry.map_err(io_error(&next))?;
            let path = entry.path();
            let kind = entry.file_type().map_err(io_error(&path))?;
            let name =
                entry.file_name().into_string().map_err(|_| PackError::Name(path.clone()))?;
            if LEFT_OUT.contains(&name.as_str()) {
                continue;
            }
            if name.contains('\\') || name.chars().any(char::is_control) {
                return Err(PackError::Name(path));
            }
            let name = format!("{prefix}{name}");
            match () {
                () if kind.is_dir() => waiting.push((path, format!("{name}/"))),
                () if kind.is_file() => found.push(name),
                () => return Err(PackError::Special(path)),
            }
            if found.len() as u64 > most {
                return Err(PackError::TooMany { path: folder.to_owned(), most });
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The manifest that TOSCA.meta names, else the one at the root, else one named after the entry.
fn manifest_path(folder: &Path, files: &[String]) -> Result<String, PackError> {
    let found = files.iter().find(|f| f.eq_ignore_ascii_case(meta::PATH));
    let mut report = Report::new(Mode::Lenient, &Limits::default());
    let read = match found {
        Some(path) => {
            let text = text(&folder.join(path))?;
            Some(meta::parse(&path.as_str().into(), &text, &mut report))
        }
        None => None,
    };
    let value = |key: &str| {
        let found = read.as_ref()?.get(key)?;
        Some(found.value.clone()).filter(|v| !v.is_empty())
    };
    if let Some(named) = value("etsi-entry-manifest") {
        return Ok(named);
    }
    if let Some(path) = files.iter().find(|f| f.ends_with(".mf") && !f.contains('/')) {
        return Ok(path.clone());
    }
    let yaml = |f: &&String| !f.contains('/') && (f.ends_with(".yaml") || f.ends_with(".yml"));
    let mut at_root = files.iter().filter(yaml);
    let alone = at_root.next().filter(|_| at_root.next().is_none()).cloned();
    let entry = value("entry-definitions").or(alone);
    let entry = entry.ok_or_else(|| PackError::NoEntry(folder.to_owned()))?;
    let name = entry.rsplit('/').next().unwrap_or(&entry);
    Ok(format!("{}.mf", name.rsplit_once('.').map_or(name, |(stem, _)| stem)))
}

/// The old manifest's metadata, every file's digest, external files and artifact sets as before.
fn manifest(folder: &Path, files: &[String], own: &str, before: &str) -> Result<String, PackError> {
    let body = before.split("-----BEGIN ").next().unwrap_or_default();
    let (head, external, sets) = parts(body);
    let mut text = head.trim_end().to_owned();
    for file in files.iter().filter(|f| *f != own) {
        let full = folder.join(file);
        let mut content = File::open(&full).map_err(io_error(&full))?;
        let algorithm = Algorithm::Sha256;
        let hash = algorithm.digest(&mut content).map_err(io_error(&full))?;
        let name = algorithm.name();
        separate(&mut text);
        text.push_str(&format!("Source: {file}\nAlgorithm: {name}\nHash: {hash}\n"));
    }
    for part in [external, sets] {
        if !part.trim().is_empty() {
            separate(&mut text);
            text.push_str(part.trim_end());
            text.push('\n');
        }
    }
    Ok(text)
}

/// An empty line between blocks.
fn separate(text: &mut String) {
    if !text.is_empty() {
        text.push_str(if text.ends_with('\n') { "\n" } else { "\n\n" });
    }
}

/// Splits a manifest into what precedes its files, its external files, and its artifact sets.
fn parts(body: &str) -> (String, String, String) {
    let (mut head, mut external, mut sets) = (String::new(), String::new(), String::new());
    let (mut in_files, mut in_external, mut in_sets) = (false, false, false);
    for line in body.lines() {
        let (key, value) = key_value(line).unwrap_or_default();
        if key == "non_mano_artifact_sets" {
            in_sets = true;
        } else if key == "source" && !in_sets {
            in_files = true;
            in_external = value.contains("://");
        }
        let part = match () {
            () if in_sets => &mut sets,
            () if in_external => &mut external,
            () if in_files => continue,
            () => &mut head,
        };
        part.push_str(line);
        part.push('\n');
    }
    (head, external, sets)
}
