//! Making one archive (CSAR) of a folder, the same bytes for the same files.

use super::failure::Failure;
use std::{
    fs::{self, File},
    io::{self, Seek, Write},
    path::{Path, PathBuf},
};
use zip::{CompressionMethod, DateTime, ZipWriter, write::SimpleFileOptions};

/// Folders nested deeper than this are taken for a mistake.
const DEEPEST: usize = 32;

/// Writes the files of `folder` into `to` as a CSAR (SOL004, SOL007); the number of files.
///
/// Names that begin with a dot are left out: they belong to editors and version control.
pub(crate) fn pack(folder: &Path, to: impl Write + Seek) -> Result<usize, Failure> {
    let mut files = Vec::new();
    collect(folder, &mut PathBuf::new(), &mut files)?;
    files.sort();
    if !files.iter().any(|f| is_entry(f)) {
        let what = format!("{} is not the folder of a package", folder.display());
        return Err(Failure::misuse(what)
            .at("neither TOSCA-Metadata/TOSCA.meta nor a .yaml file is directly in it")
            .next("name the folder that holds them"));
    }
    let mut zip = ZipWriter::new(to);
    // One fixed time, or the archive's hash would change with every packing.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default())
        .large_file(true);
    for name in &files {
        let path = folder.join(name);
        add(&mut zip, name, &path, options).map_err(|e| Failure::file("pack", &path, &e))?;
    }
    zip.finish().map_err(|e| Failure::new(format!("cannot finish the archive: {e}")))?;
    Ok(files.len())
}

/// One file into the archive.
fn add(
    zip: &mut ZipWriter<impl Write + Seek>,
    name: &str,
    path: &Path,
    options: SimpleFileOptions,
) -> io::Result<()> {
    zip.start_file(name, options).map_err(io::Error::other)?;
    io::copy(&mut File::open(path)?, zip).map(|_| ())
}

/// The files under `folder`/`below`, as names with `/` between the parts.
fn collect(folder: &Path, below: &mut PathBuf, files: &mut Vec<String>) -> Result<(), Failure> {
    let here = folder.join(&below);
    if below.components().count() > DEEPEST {
        return Err(Failure::misuse(format!("{} is nested too deep", here.display())));
    }
    let unreadable = |error| Failure::file("read", &here, &error);
    for entry in fs::read_dir(&here).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name();
        let Some(text) = name.to_str() else {
            return Err(Failure::misuse(format!("{} is not UTF-8", entry.path().display())));
        };
        if text.starts_with('.') {
            continue;
        }
        below.push(text);
        let kind = entry.file_type().map_err(unreadable)?;
        if kind.is_dir() {
            collect(folder, below, files)?;
        } else if kind.is_file() {
            files.push(joined(below));
        } else {
            return Err(Failure::misuse(format!("{} is not a plain file", entry.path().display()))
                .next("a package may hold files and folders only: copy what a link points to"));
        }
        below.pop();
    }
    Ok(())
}

/// A path as archives write it.
fn joined(path: &Path) -> String {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

/// Whether a package can begin with this file.
fn is_entry(name: &str) -> bool {
    name == "TOSCA-Metadata/TOSCA.meta"
        || (!name.contains('/') && (name.ends_with(".yaml") || name.ends_with(".yml")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn the_same_files_make_the_same_archive() {
        let files =
            [("TOSCA-Metadata/TOSCA.meta", "a"), ("Definitions/x.yaml", "b"), (".git/x", "c")];
        let archives: Vec<_> = [folder(&files), folder(&files)]
            .iter()
            .map(|folder| {
                let mut bytes = Cursor::new(Vec::new());
                assert_eq!(pack(folder.path(), &mut bytes).unwrap(), 2);
                bytes.into_inner()
            })
            .collect();
        assert_eq!(archives[0], archives[1]);
        let read = zip::ZipArchive::new(Cursor::new(&archives[0])).unwrap();
        let names: Vec<_> = read.file_names().map(Result::unwrap).collect();
        assert_eq!(names, ["Definitions/x.yaml", "TOSCA-Metadata/TOSCA.meta"]);
    }

    #[test]
    fn a_folder_without_an_entry_is_refused() {
        let failure = pack(folder(&[("a/b.txt", "")]).path(), Cursor::new(Vec::new())).unwrap_err();
        assert_eq!(failure.status(), 2);
        assert!(failure.to_string().contains("TOSCA-Metadata/TOSCA.meta"), "{failure}");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_refused_and_named() {
        let folder = folder(&[("x.yaml", "")]);
        std::os::unix::fs::symlink("/etc/hostname", folder.path().join("link")).unwrap();
        let failure = pack(folder.path(), Cursor::new(Vec::new())).unwrap_err();
        assert!(failure.to_string().contains("link is not a plain file"), "{failure}");
    }
}
