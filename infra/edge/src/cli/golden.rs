//! Comparing with files that a person has read; `MANO_GOLDEN=1` writes them anew.

use std::{env, fs, path::PathBuf};

/// Compares a text with the golden file of this name.
pub(crate) fn golden(name: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden").join(name);
    if env::var_os("MANO_GOLDEN").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, format!("{text}\n")).unwrap();
    }
    let golden = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, golden.trim_end_matches('\n'), "{}", path.display());
}
