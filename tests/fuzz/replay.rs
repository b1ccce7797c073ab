//! The corpus of the request fuzzer, and what is too large for a file: each request gets the status
//! its name says, as a `ProblemDetails` where it is refused.

use crate::entry::Entry;
use std::path::Path;

#[test]
fn every_request_of_the_corpus_gets_the_answer_it_is_named_for() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let entry = Entry::new();
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let wrong: Vec<_> = files
        .iter()
        .filter_map(|file| {
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            let named = name.split('-').next().unwrap().parse().ok();
            let got = entry.judge(&std::fs::read(file).unwrap());
            (got != named).then(|| format!("{name}: {got:?}"))
        })
        .collect();
    assert!(files.len() > 100 && wrong.is_empty(), "{}: {wrong:#?}", files.len());
}

#[test]
fn content_that_is_too_large_or_too_deep_is_refused_before_it_is_read() {
    let entry = Entry::new();
    let post = "POST /vnflcm/v2/vnf_instances\n\n";
    for (content, status) in [
        ("x".repeat((2 << 20) + 1), 413),
        ("[".repeat(2 << 20), 400),
        (format!("{{\"a\":\"{}\"}}", "x".repeat(1 << 20)), 422),
        (format!("{{\"a\":[{}0]}}", "0,".repeat(900_000)), 422),
        (format!("{{\"a\":{}}}", "9".repeat(1 << 20)), 422),
    ] {
        let got = entry.judge(format!("{post}{content}").as_bytes());
        assert_eq!(got, Some(status), "{}", &content[..20]);
    }
}
