//! Puts the workflows and the example packages into the program, so that it runs from anywhere.

use std::{
    env,
    fmt::Write,
    fs, io,
    path::{Path, PathBuf},
};

fn main() -> io::Result<()> {
    let root = PathBuf::from(var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(var("OUT_DIR")?);
    fs::write(out.join("workflows.rs"), workflows(&root.join("../../workflows"))?)?;
    fs::write(out.join("examples.rs"), examples(&root.join("examples"))?)
}

/// The workflow files of the repository as a table of name and text.
fn workflows(folder: &Path) -> io::Result<String> {
    let mut list =
        String::from("/// Every workflow, by name.\npub static WORKFLOWS: &[(&str, &str)] = &[\n");
    for file in files(folder)? {
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Some(name) = name.strip_suffix(".asl.json") else { continue };
        // Writing to a string cannot fail.
        let _ = writeln!(list, "    ({name:?}, include_str!({file:?})),");
    }
    list.push_str("];\n");
    Ok(list)
}

/// The example packages as a table of path and content.
fn examples(folder: &Path) -> io::Result<String> {
    let mut list = String::from(
        "/// Every file of the example packages, by its path.\n\
         pub(crate) static PACKAGES: &[(&str, &[u8])] = &[\n",
    );
    for file in files(folder)? {
        let name = file.strip_prefix(folder.canonicalize()?).map_err(io::Error::other)?;
        let name = name.to_string_lossy().replace('\\', "/");
        let _ = writeln!(list, "    ({name:?}, include_bytes!({file:?})),");
    }
    list.push_str("];\n");
    Ok(list)
}

/// Every file under a folder, in order, but for what belongs to editors and version control.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    println!("cargo::rerun-if-changed={}", folder.display());
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let (mut files, mut folders) = (Vec::new(), vec![folder.canonicalize()?]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let hidden = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with('.');
            match path.file_name() {
                Some(name) if hidden(name) => {}
                _ if path.is_dir() => folders.push(path),
                _ => files.push(path),
            }
        }
    }
    files.sort();
    Ok(files)
}

/// What cargo tells a build script.
fn var(name: &str) -> io::Result<String> {
    env::var(name).map_err(io::Error::other)
}
