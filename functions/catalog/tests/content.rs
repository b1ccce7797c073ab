//! Reading content back: whole, by ranges, and single files of it.

use crate::world::{PACKAGES, World, nothing, package};
use http::{StatusCode, header};
use serde_json::json;
use std::io::{Cursor, Read};

#[tokio::test]
async fn content_comes_back_as_it_was_sent_whole_and_by_ranges() {
    let mut world = World::new().await;
    let path = format!("{}/package_content", world.package("v1").await);
    let sent = package("v1");
    let whole = world.get(&path).await;
    assert_eq!(whole.header(header::CONTENT_TYPE), "application/zip");
    assert_eq!(whole.bytes, sent);
    let part = world.ask("GET", &path, &[(header::RANGE, "bytes=10-19")], nothing()).await;
    assert_eq!(part.status, StatusCode::PARTIAL_CONTENT);
    assert_eq!(part.bytes, sent[10..20]);
    let size = sent.len();
    assert_eq!(part.header(header::CONTENT_RANGE), format!("bytes 10-19/{size}"));
    let beyond = format!("bytes={size}-");
    let none = world.ask("GET", &path, &[(header::RANGE, &beyond)], nothing()).await;
    assert_eq!(none.status, StatusCode::RANGE_NOT_SATISFIABLE);
}

#[tokio::test]
async fn a_descriptor_of_one_file_comes_as_text_or_as_an_archive() {
    let mut world = World::new().await;
    let path = format!("{}/vnfd", world.package("v1").await);
    let text = world.ask("GET", &path, &[(header::ACCEPT, "text/plain")], nothing()).await;
    assert_eq!(text.header(header::CONTENT_TYPE), "text/plain");
    assert!(String::from_utf8(text.bytes).unwrap().contains("descriptor_id: v1"));
    let zip = world.ask("GET", &path, &[(header::ACCEPT, "application/zip")], nothing()).await;
    let mut zip = zip::ZipArchive::new(Cursor::new(zip.bytes)).unwrap();
    let mut entry = String::new();
    zip.by_name("Definitions/entry.yaml").unwrap().read_to_string(&mut entry).unwrap();
    assert!(entry.contains("descriptor_id: v1"));
    assert!(zip.by_name("TOSCA-Metadata/TOSCA.meta").is_ok());
}

#[tokio::test]
async fn single_files_come_whole_and_by_ranges() {
    let mut world = World::new().await;
    let path = world.package("v1").await;
    let manifest = world.get(&format!("{path}/manifest")).await;
    assert!(String::from_utf8(manifest.bytes).unwrap().contains("vnf_product_name: Router"));
    let file = format!("{path}/artifacts/Files/Scripts/install.sh");
    let whole = world.get(&file).await;
    assert_eq!(whole.header(header::CONTENT_TYPE), "text/plain");
    assert_eq!(whole.bytes, "echo here\n".repeat(200).as_bytes());
    let part = world.ask("GET", &file, &[(header::RANGE, "bytes=5-8")], nothing()).await;
    assert_eq!((part.status, part.bytes.as_slice()), (StatusCode::PARTIAL_CONTENT, &b"here"[..]));
    for absent in ["Files/Scripts", "Files/nothing", "../etc/passwd"] {
        let none = world.get(&format!("{path}/artifacts/{absent}")).await;
        assert_eq!(none.status, StatusCode::NOT_FOUND, "{absent}");
    }
}

#[tokio::test]
async fn nothing_of_it_is_handed_out_before_it_is_onboarded() {
    let world = World::new().await;
    let path = world.create(PACKAGES, json!({})).await;
    for part in ["package_content", "vnfd", "manifest", "artifacts/a"] {
        let refused = world.get(&format!("{path}/{part}")).await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{part}");
        assert!(refused.json()["detail"].as_str().unwrap().contains("CREATED"));
    }
}
