//! Making archives in memory: from a folder as it is, or from a list of files.

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

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

/// Zips files whose contents are text.
pub(crate) fn zip_texts<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Bytes {
    zip_of(files.into_iter().map(|(name, text)| (name, text.as_bytes())))
}

/// All files below a folder, by their path relative to it, sorted.
pub(crate) fn files_of(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = vec![];
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("below").to_string_lossy();
                found.push((name.replace('\\', "/"), std::fs::read(&path).expect("a file")));
            }
        }
    }
    found.sort();
    found
}

/// Zips a folder as it is, right or wrong.
pub(crate) fn zip_folder(folder: &Path) -> Bytes {
    let files = files_of(folder);
    zip_of(files.iter().map(|(name, content)| (name.as_str(), content.as_slice())))
}
