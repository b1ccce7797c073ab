//! Replays the corpora of the fuzz targets: what was found once is not found again.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test stops at the first surprise and says what it saw"
)]

#[path = "../fuzz/judge/mod.rs"]
mod judge;

use std::path::Path;

/// The files of a corpus, in order.
fn replay(corpus: &str, judge: impl Fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(corpus);
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 10, "{corpus} has {} files", files.len());
    for file in files {
        println!("{}", file.display());
        judge(&std::fs::read(&file).unwrap());
    }
}

fn text(judge: impl Fn(&str)) -> impl Fn(&[u8]) {
    move |bytes| judge(std::str::from_utf8(bytes).unwrap())
}

#[test]
fn every_definition_of_the_corpus_is_judged() {
    replay("definition", text(judge::definition));
}

#[test]
fn every_path_of_the_corpus_meets_its_value() {
    replay("path", text(judge::path));
}

#[test]
fn every_expression_of_the_corpus_meets_its_value() {
    replay("glue", text(judge::glue));
}

#[test]
fn every_execution_of_the_corpus_ends_or_waits() {
    replay("step", |bytes| assert!(judge::step(bytes), "no definition"));
}

#[test]
fn a_name_of_half_a_megabyte_is_not_said_again_with_each_of_a_hundred_thousand_findings() {
    let wrong = ["1"; 100_000].join(",");
    let name = "x".repeat(500_000);
    judge::definition(&format!(
        r#"{{"StartAt":"A","States":{{"{name}":{{"Type":"Choice","Choices":[{wrong}]}}}}}}"#
    ));
}

#[test]
fn thousands_of_branches_in_sight_of_thousands_of_variables_are_read_at_once() {
    let assign: Vec<_> = (0..40_000).map(|n| format!(r#""v{n}":1"#)).collect();
    let branch = r#"{"StartAt":"B","States":{}}"#;
    let branches = vec![branch; 12_000].join(",");
    judge::definition(&format!(
        r#"{{"StartAt":"A","States":{{"A":{{"Type":"Parallel","Assign":{{{}}},"End":true,
        "Branches":[{branches}]}}}}}}"#,
        assign.join(",")
    ));
}
