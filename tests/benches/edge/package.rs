//! Packages of a wished size, each with a descriptor of its own.

use std::{fs, path::Path};

/// The example cache as an archive of about `bytes`, under the n-th descriptor id.
pub(crate) fn nth(n: usize, bytes: usize) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/edge/examples/edge-cache");
    copy(Path::new(example), folder.path(), &|text| {
        text.replace("5d0a8f1e7b02", &format!("5d0a8f1e{n:04}"))
    });
    // What does not compress keeps its size.
    let mut state = 0x9e37_79b9_u32;
    let noise = (0..bytes).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    });
    fs::create_dir_all(folder.path().join("Files")).unwrap();
    fs::write(folder.path().join("Files/image.bin"), noise.collect::<Vec<u8>>()).unwrap();
    let archive = folder.path().with_extension("csar");
    mano_tosca::pack(folder.path(), fs::File::create(&archive).unwrap()).unwrap();
    let content = fs::read(&archive).unwrap();
    fs::remove_file(&archive).unwrap();
    content
}

fn copy(from: &Path, to: &Path, edit: &dyn Fn(&str) -> String) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(|entry| entry.unwrap().path()) {
        let target = to.join(entry.file_name().unwrap());
        if entry.is_dir() {
            copy(&entry, &target, edit);
        } else {
            let content = fs::read(&entry).unwrap();
            let edited = std::str::from_utf8(&content).map(edit).map(String::into_bytes);
            fs::write(target, edited.unwrap_or(content)).unwrap();
        }
    }
}
