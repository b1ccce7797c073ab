//! Packages that mean harm, or were cut to pieces: each is refused in bounded time and memory.

use std::io::{Cursor, Read, Seek, SeekFrom, Write};
use std::path::Path;

use mano_tosca::{Limits, Mode, inspect_any, inspect_ns, inspect_pnf, inspect_vnf, yaml};
use proptest::prelude::*;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::support::{Bytes, Files, files_of, lenient, rules, zip_of};

const VNF: &str = "tosca_definitions_version: tosca_simple_yaml_1_2\ntopology_template:\n  \
    node_templates:\n    vnf: { type: tosca.nodes.nfv.VNF, properties: { descriptor_id: a } }\n    \
    unit: { type: tosca.nodes.nfv.Vdu.Compute }\n";

fn corpus(name: &str) -> impl Iterator<Item = (String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    files_of(&folder).into_iter()
}

fn refused_for(bytes: Bytes) -> Vec<&'static str> {
    rules(&lenient(bytes).expect_err("hostile").errors)
}

fn entry(text: &str) -> Bytes {
    zip_of([("entry.yaml", text.as_bytes())])
}

/// An archive of one stored file under a name that writers would not write.
fn named(name: &str) -> Bytes {
    let plain = "x".repeat(name.len());
    let mut writer = ZipWriter::new(Cursor::new(vec![]));
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    writer.start_file(plain.as_str(), options).expect("a name");
    writer.write_all(b"a: 1").expect("memory");
    let mut bytes = writer.finish().expect("memory").into_inner();
    for at in 0..bytes.len() - plain.len() {
        if bytes[at..].starts_with(plain.as_bytes()) {
            bytes[at..at + name.len()].copy_from_slice(name.as_bytes());
        }
    }
    Cursor::new(bytes)
}

#[test]
fn the_archive_corpus_is_read_or_refused() {
    for (name, bytes) in corpus("archive") {
        let result = lenient(Cursor::new(bytes));
        let good =
            ["csar.zip", "root-yaml.zip", "stored.zip", "outer.zip", "comment.zip", "folders.zip"];
        assert_eq!(result.is_ok(), good.contains(&name.as_str()), "{name}: {result:?}");
    }
}

#[test]
fn the_yaml_corpus_is_read_or_refused() {
    let refused = [
        "anchor-depth.yaml",
        "bad-alias.yaml",
        "bomb.yaml",
        "complex-key.yaml",
        "deep-block.yaml",
        "deep-flow.yaml",
        "self.yaml",
        "tabs.yaml",
        "unterminated.yaml",
    ];
    for (name, bytes) in corpus("yaml") {
        let text = String::from_utf8(bytes).expect("text");
        let result = yaml::read(&name, &text, &Limits::default());
        assert_eq!(result.is_err(), refused.contains(&name.as_str()), "{name}: {result:?}");
    }
}

#[test]
fn the_descriptor_corpus_is_read_or_refused() {
    for (name, bytes) in corpus("descriptor") {
        let text = String::from_utf8(bytes).expect("text");
        for mode in [Mode::Lenient, Mode::Strict] {
            let vnf = inspect_vnf(entry(&text), mode, Limits::default()).is_ok();
            let ns = inspect_ns(entry(&text), mode, Limits::default()).is_ok();
            let pnf = inspect_pnf(entry(&text), mode, Limits::default()).is_ok();
            assert!(u8::from(vnf) + u8::from(ns) + u8::from(pnf) <= 1, "{name} is two things");
        }
    }
}

#[test]
fn a_package_cut_at_any_length_is_refused_and_never_half_read() {
    let whole = zip_of([("entry.yaml", VNF.as_bytes()), ("more.txt", b"text")]).into_inner();
    assert!(lenient(Cursor::new(whole.clone())).is_ok());
    for length in 0..whole.len() {
        let cut = Cursor::new(whole[..length].to_vec());
        assert_eq!(refused_for(cut), ["A01"], "cut at {length}");
    }
}

#[test]
fn names_that_leave_the_archive_are_refused() {
    for name in [
        "../a.yaml",
        "a/../../b",
        "/etc/passwd",
        "C:/a.yaml",
        "c:a.yaml",
        "a\\b.yaml",
        "a//b",
        "a\u{1}b",
        "..",
        "a/..",
        "\\\\host\\a",
    ] {
        assert_eq!(refused_for(named(name)), ["A06"], "{name:?}");
    }
}

#[test]
fn a_name_that_is_only_written_otherwise_is_the_same_name() {
    assert!(lenient(named("./entry.yaml")).is_err_and(|r| rules(&r.errors) == ["T05"]));
}

#[test]
fn a_bomb_is_refused_before_it_goes_off() {
    let zeros = vec![0; 32 << 20];
    let bytes = zip_of([("entry.yaml", VNF.as_bytes()), ("image.raw", &zeros)]);
    assert!(bytes.get_ref().len() < 64 << 10);
    assert_eq!(refused_for(bytes), ["A05"]);
}

#[test]
fn a_file_that_inflates_beyond_what_it_declares_is_refused() {
    let mut bytes = zip_of([("entry.yaml", VNF.as_bytes())]).into_inner();
    let size = u32::try_from(VNF.len()).expect("small");
    let lied = (size - 1).to_le_bytes();
    let at: Vec<usize> =
        (0..bytes.len() - 4).filter(|&i| bytes[i..i + 4] == size.to_le_bytes()).collect();
    assert!(!at.is_empty());
    for i in at {
        bytes[i..i + 4].copy_from_slice(&lied);
    }
    assert_eq!(refused_for(Cursor::new(bytes)), ["A02"]);
}

#[test]
fn many_entries_are_refused_by_their_number_alone() {
    let names: Vec<String> = (0..200).map(|i| format!("{i}.txt")).collect();
    let bytes = zip_of(names.iter().map(|n| (n.as_str(), &b""[..])));
    let limits = Limits { entries: 100, ..Limits::default() };
    let refusal = inspect_any(bytes, Mode::Lenient, limits).expect_err("too many");
    assert_eq!(rules(&refusal.errors), ["A03"]);
}

#[test]
fn a_folder_that_is_also_a_file_is_refused() {
    assert_eq!(refused_for(zip_of([("a", &b"1"[..]), ("a/b.yaml", b"c: 1")])), ["A08"]);
}

#[test]
fn an_outer_archive_within_an_outer_archive_is_not_opened_further() {
    let inner = zip_of([("a.csar", entry(VNF).get_ref().as_slice()), ("a.cms", b"s")]);
    let outer = zip_of([("b.csar", inner.get_ref().as_slice()), ("b.cms", b"s")]);
    assert_eq!(refused_for(outer), ["A13"]);
}

#[test]
fn an_inner_archive_larger_than_the_memory_bound_is_read_all_the_same() {
    let csar = entry(VNF).into_inner();
    let outer = zip_of([("a.csar", csar.as_slice()), ("a.cms", b"s")]);
    let limits = Limits { spool_bytes: 16, ..Limits::default() };
    assert!(inspect_any(outer, Mode::Lenient, limits).is_ok());
}

#[test]
fn aliases_cannot_be_used_to_fill_the_memory() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for i in 1..30 {
        let copies = vec![format!("*a{}", i - 1); 10].join(", ");
        text += &format!("a{i}: &a{i} [{copies}]\n");
    }
    let finding = yaml::read("bomb.yaml", &text, &Limits::default()).expect_err("a bomb");
    assert_eq!(finding.rule, "Y03");
}

#[test]
fn aliases_cannot_be_used_to_nest_beyond_the_bound() {
    let mut text = "a0: &a0 [x]\n".to_owned();
    for i in 1..1000 {
        text += &format!("a{i}: &a{i} [*a{}]\n", i - 1);
    }
    let finding = yaml::read("deep.yaml", &text, &Limits::default()).expect_err("too deep");
    // Line n holds a list of n levels within the document's map.
    let last = u32::try_from(Limits::default().yaml_depth).expect("small") - 1;
    assert_eq!((finding.rule, finding.line), ("Y03", Some(last)));
}

#[test]
fn imports_in_a_circle_are_refused_with_the_line_that_closes_it() {
    let file = |next: &str| format!("{VNF}imports:\n  - {next}\n");
    let files = Files::of([
        ("TOSCA-Metadata/TOSCA.meta", "Entry-Definitions: d/a.yaml\n"),
        ("d/a.yaml", &*file("b.yaml")),
        ("d/b.yaml", &*file("c.yaml")),
        ("d/c.yaml", &*file("a.yaml")),
    ]);
    let refusal = lenient(files.zip()).expect_err("a circle");
    assert_eq!(refusal.errors[0].rule, "T02");
    assert_eq!(refusal.errors[0].place().to_string(), "d/c.yaml:7");
}

#[test]
fn types_that_derive_in_a_circle_are_refused_with_their_line() {
    let text =
        format!("{VNF}node_types:\n  a: {{ derived_from: b }}\n  b: {{ derived_from: a }}\n");
    let refusal = lenient(entry(&text)).expect_err("a circle");
    let places: Vec<String> = refusal.errors.iter().map(|e| e.place().to_string()).collect();
    assert_eq!(rules(&refusal.errors), ["T03"]);
    assert_eq!(places, ["entry.yaml:7", "entry.yaml:8"]);
}

#[test]
fn a_diamond_of_imports_is_no_circle() {
    let files = Files::of([
        ("TOSCA-Metadata/TOSCA.meta", "Entry-Definitions: a.yaml\n"),
        ("a.yaml", &*format!("{VNF}imports: [ b.yaml, c.yaml ]\n")),
        ("b.yaml", "imports: [ d.yaml ]\n"),
        ("c.yaml", "imports: [ d.yaml ]\n"),
        ("d.yaml", "node_types: { x: { derived_from: tosca.nodes.Root } }\n"),
    ]);
    assert!(lenient(files.zip()).is_ok());
}

#[test]
fn a_thousand_files_importing_each_other_in_a_row_are_bounded() {
    let names: Vec<String> = (0..1000).map(|i| format!("f{i}.yaml")).collect();
    let mut files = Files::of([("TOSCA-Metadata/TOSCA.meta", "Entry-Definitions: f0.yaml\n")]);
    for (i, name) in names.iter().enumerate() {
        files = files.add(name, format!("imports: [ f{}.yaml ]\n", i + 1));
    }
    assert_eq!(refused_for(files.zip()), ["T07"]);
}

/// A descriptor with something in it many times.
fn many(before: &str, each: impl Fn(usize) -> String, count: usize) -> Bytes {
    let parts: String = (0..count).map(each).collect();
    entry(&format!("{VNF}{before}{parts}"))
}

#[test]
fn a_descriptor_with_thousands_of_parts_is_refused_before_they_are_counted_with() {
    let scaling = "  policies:\n    - a:\n        type: tosca.policies.nfv.ScalingAspects\n        \
                   properties:\n          aspects:\n";
    let levels = "  policies:\n    - a:\n        type: tosca.policies.nfv.InstantiationLevels\n        \
                  properties:\n          levels:\n";
    let image = "{ type: tosca.artifacts.nfv.SwImage, file: x }";
    let images: Vec<String> = (0..150).map(|i| format!("i{i}: {image}")).collect();
    let images = images.join(", ");
    let unit = "type: tosca.nodes.nfv.Vdu.Compute";
    for bytes in [
        many("", |i| format!("    n{i}: {{ type: tosca.nodes.Root }}\n"), 2001),
        many("  policies:\n", |i| format!("    - p{i}: {{ type: tosca.policies.Root }}\n"), 2001),
        many("  groups:\n", |i| format!("    g{i}: {{ type: tosca.groups.Root }}\n"), 2001),
        many(scaling, |i| format!("            a{i}: {{ max_scale_level: 1000 }}\n"), 60),
        many(levels, |i| format!("            l{i}: {{ description: x }}\n"), 201),
        many("", |i| format!("    v{i}: {{ {unit}, artifacts: {{ {images} }} }}\n"), 20),
        many(
            "    b:\n      type: tosca.nodes.Root\n      requirements:\n",
            |_| "        - a: b\n".to_owned(),
            201,
        ),
        many("  inputs:\n", |i| format!("    i{i}: {{ default: {} }}\n", "x".repeat(5000)), 1),
    ] {
        assert_eq!(refused_for(bytes), ["T07"]);
    }
}

#[test]
fn targets_are_bounded_over_all_policies_together() {
    let targets = vec!["unit"; 1100].join(", ");
    let each = |i| format!("    - p{i}: {{ type: tosca.policies.Root, targets: [ {targets} ] }}\n");
    assert_eq!(refused_for(many("  policies:\n", each, 20)), ["T07"]);
}

#[test]
fn aliases_of_one_long_text_cannot_be_used_to_fill_the_memory() {
    let long = "x".repeat(1 << 20);
    let copies = vec!["*a"; 100].join(", ");
    let text = format!("a: &a {long}\nb: [ {copies} ]\n");
    let finding = yaml::read("long.yaml", &text, &Limits::default()).expect_err("too much");
    assert_eq!(finding.rule, "Y03");
}

#[test]
fn the_bound_on_nodes_holds_over_all_files_of_a_package_together() {
    let list = format!("a: [ {} ]\n", vec!["x"; 400].join(", "));
    let names: Vec<String> = (0..20).map(|i| format!("f{i}.yaml")).collect();
    let mut files = Files::of([("TOSCA-Metadata/TOSCA.meta", "Entry-Definitions: a.yaml\n")]);
    files = files.add("a.yaml", format!("imports: [ {} ]\n{VNF}", names.join(", ")));
    for name in &names {
        files = files.add(name, list.clone());
    }
    let limits = |yaml_nodes| Limits { yaml_nodes, ..Limits::default() };
    assert!(inspect_any(files.zip(), Mode::Lenient, limits(20_000)).is_ok());
    let refusal = inspect_any(files.zip(), Mode::Lenient, limits(5_000)).expect_err("too much");
    assert_eq!(rules(&refusal.errors), ["Y03"]);
}

#[test]
fn a_message_quotes_a_strangers_text_only_so_far() {
    let name = "n".repeat(255);
    let text = format!("{VNF}    {name}: {{ type: {} }}\n", "t".repeat(3000));
    let found = lenient(entry(&text)).expect("lenient");
    assert!(found.package().warnings.iter().all(|w| w.message.len() < 1000));
}

#[test]
fn constituents_that_wait_in_a_long_row_are_put_in_order() {
    let each = |i: usize| {
        let next = i + 1;
        format!(
            "    n{i}: {{ type: tosca.nodes.nfv.VNF, requirements: [ dependency: n{next} ] }}\n"
        )
    };
    let parts: String = (0..500).map(each).collect();
    let last = "    n500: { type: tosca.nodes.nfv.VNF }\n";
    let ns = "tosca_definitions_version: tosca_simple_yaml_1_2\ntopology_template:\n  \
              node_templates:\n    ns: { type: tosca.nodes.nfv.NS, properties: { descriptor_id: a } }\n";
    let text = format!("{ns}{parts}{last}");
    let found = inspect_ns(entry(&text), Mode::Lenient, Limits::default()).expect("lenient");
    assert_eq!(found.nsd.flavours[0].profiles[0].after, ["n1"]);
    assert!(!rules(&found.package.warnings).contains(&"W34"));
}

#[test]
fn findings_are_listed_up_to_a_bound() {
    let mut text = VNF.to_owned();
    for i in 0..1000 {
        text += &format!("    n{i}: {{ type: nobody.{i} }}\n");
    }
    let found = lenient(entry(&text)).expect("lenient");
    assert_eq!(found.package().warnings.len(), Limits::default().findings);
}

/// A reader that fails at one position: what the store may do at any time.
struct Failing {
    inner: Bytes,
    at: u64,
}

impl Read for Failing {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let position = self.inner.position();
        if (position..position + buffer.len() as u64).contains(&self.at) {
            return Err(std::io::Error::other("the store is gone"));
        }
        self.inner.read(buffer)
    }
}

impl Seek for Failing {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.inner.seek(to)
    }
}

#[test]
fn a_store_that_fails_anywhere_is_an_error_and_not_a_broken_package() {
    // Long enough that the end of the archive can be read without its beginning.
    let mut seed: u32 = 1;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        seed.to_le_bytes()[3]
    })
    .take(200 << 10)
    .collect();
    let whole = zip_of([("entry.yaml", VNF.as_bytes()), ("noise.bin", &noise)]);
    let last = whole.get_ref().len() as u64 - 1;
    for at in (0..400).chain([100 << 10, last - 100, last]) {
        let reader = Failing { inner: whole.clone(), at };
        let refusal = inspect_any(reader, Mode::Lenient, Limits::default()).expect_err("gone");
        assert_eq!(rules(&refusal.errors), ["A12"], "at {at}: {refusal}");
    }
}

#[test]
fn a_64_bit_end_record_beyond_the_archive_is_damage_and_no_failure_of_the_store() {
    let mut bytes = entry(VNF).into_inner();
    let end = bytes.len() - 22;
    bytes[end + 8..end + 12].fill(0xff);
    let mut locator = b"PK\x06\x07".to_vec();
    locator.extend([0; 4]);
    locator.extend([0xff; 8]);
    locator.extend([1, 0, 0, 0]);
    bytes.splice(end..end, locator);
    assert_eq!(refused_for(Cursor::new(bytes)), ["A02"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_byte_may_be_changed_without_a_panic(at in 0_usize..4096, to in any::<u8>()) {
        let mut bytes = Files::example("edge-cache").zip().into_inner();
        let at = at % bytes.len();
        bytes[at] = to;
        let _ = lenient(Cursor::new(bytes));
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,400}") {
        let _ = yaml::read("any.yaml", &text, &Limits::default());
    }

    #[test]
    fn any_yaml_like_text_is_read_or_refused(
        parts in prop::collection::vec(
            prop::sample::select(vec![
                "a: ", "- ", "\n", "  ", "{", "}", "[", "]", "&x ", "*x", "<<: ", "|\n", "'", "\"",
                "? ", ": ", "#", "---\n", "!!map ", "0", ", ", "type: tosca.nodes.nfv.VNF\n",
            ]),
            0..60,
        ),
    ) {
        let text = parts.concat();
        let _ = lenient(entry(&text));
        let _ = yaml::read("any.yaml", &text, &Limits::default());
    }

    #[test]
    fn any_line_of_a_descriptor_may_be_missing(at in 0_usize..400) {
        let file = "Definitions/edge_cache_df_standard.yaml";
        let files = Files::example("edge-cache");
        let text = String::from_utf8(files.0[file].clone()).expect("text");
        let lines: Vec<&str> = text.lines().collect();
        let at = at % lines.len();
        let kept: Vec<&str> = lines.iter().enumerate().filter(|(i, _)| *i != at).map(|(_, l)| *l).collect();
        let _ = lenient(files.add(file, kept.join("\n")).seal().zip());
    }
}
