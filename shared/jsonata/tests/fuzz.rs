//! Replays the corpus of the fuzz target: what was found once is not found again.

#[path = "../fuzz/judge.rs"]
mod judge;

use std::path::Path;

#[test]
fn every_expression_of_the_corpus_meets_its_value() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/expression");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 40, "the corpus has {} files", files.len());
    for file in files {
        println!("{}", file.display());
        judge::expression(&std::fs::read_to_string(&file).unwrap());
    }
}
