//! Archives as other packers write them, single files out of them, and our own packing.

use std::io::{Cursor, Read};
use std::path::Path;

use mano_tosca::pack::{PackError, plan};
use mano_tosca::{Archive, Limits, Mode, SecurityOption, inspect_archive, inspect_vnf, pack};
use tempfile::TempDir;

use crate::support::{Bytes, Files, files_of, lenient, root, rules, zip_of};

fn open(bytes: Bytes) -> Archive<'static> {
    Archive::open(bytes, Limits::default()).expect("an archive")
}

/// Numbers in little-endian order, each with its width in bytes.
fn le(fields: &[(u64, usize)]) -> Vec<u8> {
    fields.iter().flat_map(|(number, width)| number.to_le_bytes()[..*width].to_vec()).collect()
}

/// An archive of one stored file with 64-bit sizes and a 64-bit end record.
fn zip64(name: &str, content: &[u8]) -> Bytes {
    let (full, short) = (0xffff_ffff, 0xffff);
    let mut crc = crc32fast::Hasher::new();
    crc.update(content);
    let crc = u64::from(crc.finalize());
    let (size, name_len) = (content.len() as u64, name.len() as u64);
    let mut bytes = b"PK\x03\x04".to_vec();
    bytes.extend(le(&[(45, 2), (0, 8), (crc, 4), (full, 4), (full, 4), (name_len, 2), (20, 2)]));
    bytes.extend(name.bytes().chain(le(&[(1, 2), (16, 2), (size, 8), (size, 8)])));
    bytes.extend(content);
    let directory = bytes.len() as u64;
    bytes.extend(b"PK\x01\x02");
    bytes.extend(le(&[(45, 2), (45, 2), (0, 8), (crc, 4), (full, 4), (full, 4), (name_len, 2)]));
    bytes.extend(le(&[(28, 2), (0, 6), (0, 4), (full, 4)]));
    bytes.extend(name.bytes().chain(le(&[(1, 2), (24, 2), (size, 8), (size, 8), (0, 8)])));
    let end = bytes.len() as u64;
    bytes.extend(b"PK\x06\x06");
    bytes.extend(le(&[(44, 8), (45, 2), (45, 2), (0, 8), (1, 8), (1, 8), (end - directory, 8)]));
    bytes.extend(le(&[(directory, 8)]));
    bytes.extend(b"PK\x06\x07");
    bytes.extend(le(&[(0, 4), (end, 8), (1, 4)]));
    bytes.extend(b"PK\x05\x06");
    bytes.extend(le(&[(0, 4), (short, 2), (short, 2), (full, 4), (full, 4), (0, 2)]));
    Cursor::new(bytes)
}

#[test]
fn an_archive_with_64_bit_sizes_is_read() {
    let mut archive = open(zip64("a.yaml", b"a: 1\n"));
    assert_eq!(archive.text("a.yaml").expect("text"), "a: 1\n");
}

#[test]
fn two_entries_over_the_same_bytes_are_refused() {
    let bytes = zip_of([("a.yaml", &b"a: 1"[..]), ("b.yaml", b"a: 1")]).into_inner();
    let entry = bytes.windows(4).rposition(|w| w == b"PK\x01\x02").expect("a directory");
    let mut shared = bytes;
    shared[entry + 42..entry + 46].copy_from_slice(&[0; 4]);
    let refused = Archive::open(Cursor::new(shared), Limits::default());
    assert_eq!(refused.expect_err("overlap").rule, "A02");
}

/// Two stored files; the first one's header hides the second's in its extra field, so that both
/// have the same bytes although the directory leaves room for each.
fn quoting(content: &[u8]) -> Bytes {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(content);
    let (crc, size) = (u64::from(hasher.finalize()), content.len() as u64);
    let local = |name: &[u8], extra: u64| {
        let mut bytes = b"PK\x03\x04".to_vec();
        bytes.extend(le(&[(20, 2), (0, 8), (crc, 4), (size, 4), (size, 4), (1, 2), (extra, 2)]));
        bytes.extend(name);
        bytes
    };
    let central = |name: &[u8], offset: u64| {
        let mut bytes = b"PK\x01\x02".to_vec();
        bytes.extend(le(&[(20, 2), (20, 2), (0, 8), (crc, 4), (size, 4), (size, 4), (1, 2)]));
        bytes.extend(le(&[(0, 8), (0, 4), (offset, 4)]));
        bytes.extend(name);
        bytes
    };
    let mut bytes = local(b"a", size + 31);
    bytes.extend(vec![0; content.len()]);
    let second = bytes.len() as u64;
    bytes.extend(local(b"b", 0));
    bytes.extend(content);
    let directory = bytes.len() as u64;
    bytes.extend(central(b"a", 0));
    bytes.extend(central(b"b", second));
    let length = bytes.len() as u64 - directory;
    bytes.extend(b"PK\x05\x06");
    bytes.extend(le(&[(0, 4), (2, 2), (2, 2), (length, 4), (directory, 4), (0, 2)]));
    Cursor::new(bytes)
}

#[test]
fn a_header_that_hides_another_is_refused() {
    let mut archive = open(quoting(b"shared bytes"));
    assert_eq!(archive.text("b").expect("the second"), "shared bytes");
    let finding = archive.text("a").expect_err("the first");
    assert_eq!((finding.rule, &*finding.file), ("A02", "a"));
    assert!(finding.message.contains("overlaps"), "{finding}");
}

#[test]
fn a_header_that_names_another_file_is_refused() {
    let mut bytes = zip_of([("a.yaml", b"a: 1".as_slice())]).into_inner();
    let header = bytes.windows(6).position(|w| w == b"a.yaml").expect("a header");
    bytes[header] = b'b';
    assert_eq!(rules(&lenient(Cursor::new(bytes)).expect_err("differs").errors), ["A02"]);
}

#[test]
fn single_files_are_read_in_any_order_and_as_streams() {
    let mut archive = open(Files::example("edge-cache").zip());
    let image = "Files/images/cache.raw";
    let mut streamed = String::new();
    archive.content(image).expect("the image").read_to_string(&mut streamed).expect("text");
    let held = std::fs::read_to_string(root().join("infra/edge/examples/edge-cache").join(image));
    assert_eq!(streamed, held.expect("the image"));
    assert!(archive.has_folder("Files/images") && !archive.has_folder("Files/image"));
    assert!(archive.has_file(image) && !archive.has_file("Files/images"));
    let mut copy = vec![];
    let copied = archive.copy_to("TOSCA-Metadata/TOSCA.meta", &mut copy).expect("metadata");
    assert_eq!(Some(copied), archive.size("TOSCA-Metadata/TOSCA.meta"));
    assert_eq!(archive.content("no/such").expect_err("absent").place().to_string(), "no/such");
}

#[test]
fn a_byte_order_mark_is_no_part_of_a_text() {
    let mut archive = open(zip_of([("a.yaml", "\u{feff}a: 1".as_bytes())]));
    assert_eq!(archive.text("a.yaml").expect("text"), "a: 1");
}

#[test]
fn a_signed_outer_archive_is_read_to_its_descriptor() {
    let csar = Files::example("edge-cache").zip();
    let outer = zip_of([
        ("edge-cache.csar", csar.get_ref().as_slice()),
        ("edge-cache.cms", b"signature"),
        ("edge-cache.cert", b"certificate"),
    ]);
    let found = inspect_vnf(outer, Mode::Strict, Limits::default()).expect("strict");
    assert_eq!(found.package.security, SecurityOption::Option2);
    let signature = found.package.signature.expect("a signature");
    assert_eq!(signature.certificate.as_deref(), Some("edge-cache.cert"));
}

#[test]
fn an_images_own_checksum_must_hold_whatever_the_manifest_says() {
    let df = "Definitions/edge_cache_df_standard.yaml";
    let files = Files::example("edge-cache");
    let hash = "              hash: ";
    let tampered = files.clone().edit(df, hash, "              hash: 0").seal();
    assert_eq!(rules(&lenient(tampered.zip()).expect_err("malformed").errors), ["I08"]);
    let elsewhere = files.clone().edit(df, hash, "              hash: 0");
    let elsewhere = elsewhere.edit(df, "../Files/images/cache.raw", "http://x/cache.raw").seal();
    let remote = lenient(elsewhere.zip()).expect("nobody can hold it");
    assert_eq!(rules(&remote.package().warnings), ["W26"]);
    let text = String::from_utf8(files.0[df].clone()).expect("text");
    let at = text.find(hash).expect("a hash") + hash.len();
    let held = &text[at..at + 64];
    let wrong = files.clone().edit(df, held, &"0".repeat(64)).seal();
    assert_eq!(rules(&lenient(wrong.zip()).expect_err("wrong").errors), ["I04"]);
    let image = files.0["Files/images/cache.raw"].as_slice();
    let sha512 = mano_tosca::Algorithm::Sha512.digest(&mut &*image).expect("memory");
    let other = files.clone().edit(df, held, &sha512).edit(df, "sha-256", "sha-512").seal();
    assert!(lenient(other.zip()).is_ok());
    let zeros = files.edit(df, held, &"0".repeat(128)).edit(df, "sha-256", "sha-512").seal();
    assert_eq!(rules(&lenient(zeros.zip()).expect_err("wrong").errors), ["I04"]);
}

#[test]
fn two_algorithms_for_one_file_must_both_hold() {
    let more = |hash: &str| {
        let entry = "Source: Files/ChangeLog.txt\nAlgorithm: SHA-512\nHash: ";
        Files::example("edge-cache").edit(
            "edge-cache.mf",
            "Source: TOSCA-M",
            &format!("{entry}{hash}\n\nSource: TOSCA-M"),
        )
    };
    let log = Files::example("edge-cache").0["Files/ChangeLog.txt"].clone();
    let right = mano_tosca::Algorithm::Sha512.digest(&mut log.as_slice()).expect("memory");
    assert!(lenient(more(&right).zip()).is_ok());
    let wrong = lenient(more(&"0".repeat(128)).zip()).expect_err("wrong");
    assert_eq!(rules(&wrong.errors), ["I04"]);
}

#[test]
fn a_signature_ends_its_manifest() {
    let signed = |after: &str| {
        let block = format!("-----BEGIN CMS-----\nMIIB\n-----END CMS-----\n{after}");
        let files = Files::example("edge-cache");
        let manifest = String::from_utf8(files.0["edge-cache.mf"].clone()).expect("text");
        files.add("edge-cache.mf", format!("{manifest}\n{block}"))
    };
    let found =
        inspect_archive(signed("\n").zip(), Mode::Strict, Limits::default()).expect("signed");
    assert_eq!(found.signature.expect("a signature").cms, "edge-cache.mf");
    let refusal = lenient(signed("Source: more\n").zip()).expect_err("something follows");
    assert_eq!(rules(&refusal.errors), ["I10"]);
}

#[test]
fn a_package_packed_with_its_folder_around_it_is_told_so() {
    let files = Files::example("edge-cache").0.into_iter();
    let deeper = Files(files.map(|(name, content)| (format!("pkg/{name}"), content)).collect());
    let refusal = lenient(deeper.zip()).expect_err("a folder too deep");
    assert!(refusal.errors[0].message.contains("pack the folder's content"), "{refusal}");
}

#[test]
fn paths_may_begin_with_a_dot() {
    let files = Files::example("edge-cache")
        .edit("TOSCA-Metadata/TOSCA.meta", ": Definitions/", ": ./Definitions/")
        .seal()
        .edit("edge-cache.mf", "Source: ", "Source: ./");
    let found = inspect_vnf(files.zip(), Mode::Strict, Limits::default());
    assert_eq!(found.map(|p| p.package.warnings), Ok(vec![]));
}

/// Writes files below a new folder.
fn written(files: &Files) -> TempDir {
    let folder = TempDir::new().expect("a folder");
    for (name, content) in &files.0 {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, content).expect("a file");
    }
    folder
}

#[test]
fn packing_keeps_what_a_manifest_says_besides_digests() {
    let manifest = "metadata:\n  vnf_product_name: edge-cache\n\n# a remark\nSource: gone.txt\nAlgorithm: SHA-256\nHash: 00\n\n\
        Source: https://example.com/big.qcow2\nAlgorithm: SHA-256\nHash: 11\n\n\
        non_mano_artifact_sets:\n  set_one:\n    Source: Files/ChangeLog.txt\n-----BEGIN CMS-----\nx\n-----END CMS-----\n";
    let folder = written(&Files::example("edge-cache").add("edge-cache.mf", manifest));
    let packed = plan(folder.path()).expect("a package");
    assert!(packed.signature_removed);
    let text = packed.manifest;
    assert!(
        text.starts_with("metadata:\n  vnf_product_name: edge-cache\n\n# a remark\n\nSource: ")
    );
    assert!(text.contains("Source: https://example.com/big.qcow2\nAlgorithm: SHA-256\nHash: 11\n"));
    assert!(
        text.ends_with("non_mano_artifact_sets:\n  set_one:\n    Source: Files/ChangeLog.txt\n")
    );
    assert!(!text.contains("gone.txt") && !text.contains("CMS"));
}

#[test]
fn packing_gives_a_manifest_to_a_package_that_has_none() {
    let files = Files::example("edge-cache").remove("edge-cache.mf").edit(
        "TOSCA-Metadata/TOSCA.meta",
        "ETSI-Entry-Manifest: edge-cache.mf\n",
        "",
    );
    let folder = written(&files);
    let mut out = Cursor::new(vec![]);
    let packed = pack(folder.path(), &mut out).expect("a package");
    assert_eq!(packed.manifest_path, "edge_cache_top.vnfd.mf");
    let found = lenient(out).expect("lenient");
    assert_eq!(rules(&found.package().warnings), ["I14"]);
    assert!(!folder.path().join("edge_cache_top.vnfd.mf").exists(), "the folder stays as it is");
}

#[test]
fn packing_leaves_out_what_is_no_part_of_a_package() {
    let files = Files::example("edge-cache").add(".git/config", "x").add("Files/.DS_Store", "x");
    let packed = plan(written(&files).path()).expect("a package");
    assert_eq!(
        packed.files,
        plan(written(&Files::example("edge-cache")).path()).expect("one").files
    );
}

#[test]
fn packing_refuses_what_could_not_be_unpacked() {
    let empty = TempDir::new().expect("a folder");
    assert!(matches!(plan(empty.path()), Err(PackError::NoEntry(_))));
    assert!(matches!(plan(Path::new("/no/such/folder")), Err(PackError::Io { .. })));
    let linked = written(&Files::example("edge-cache"));
    let made = std::os::unix::fs::symlink("/etc/passwd", linked.path().join("link"));
    made.expect("a link");
    assert!(matches!(plan(linked.path()), Err(PackError::Special(_))));
}

#[test]
fn what_was_packed_is_what_was_in_the_folder() {
    let folder = root().join("infra/edge/examples/edge-service");
    let mut out = Cursor::new(vec![]);
    pack(&folder, &mut out).expect("a package");
    let mut archive = open(out);
    for (name, content) in files_of(&folder) {
        let mut copy = vec![];
        archive.copy_to(&name, &mut copy).expect("a file");
        assert_eq!(copy, content, "{name}");
    }
}
