//! Files that a person reads, kept as they were agreed; `make golden` rewrites them.

use std::{env, fs, path::PathBuf};

/// Compares with a file of the project, or rewrites it when `MANO_GOLDEN` is set.
pub(crate) fn agrees(path: &str, text: &str) {
    let file = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(path);
    if env::var_os("MANO_GOLDEN").is_some() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
        return;
    }
    let agreed = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        agreed == text,
        "{path} is not what was agreed; `make golden` rewrites it, then read the difference.\n\
         --- now ---\n{text}"
    );
}
