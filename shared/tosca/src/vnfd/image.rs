//! Software images: SwImage artifacts, and the `sw_image_data` that older versions put beside them.

use super::SwImage;
use super::flavour::Cx;
use crate::archive::Archive;
use crate::integrity::{Algorithm, Checksum};
use crate::quantity;
use crate::rules::{Report, archive as archive_rule, descriptor as rule};
use crate::template::{NodeTemplate, join};
use crate::types::Kind;
use crate::yaml::Node;

/// Most software images of a package.
const IMAGES: usize = 2_000;
const SW_IMAGE: &str = "tosca.artifacts.nfv.SwImage";

/// The images of one node template; returns their ids.
pub(super) fn read(cx: &mut Cx<'_, '_>, node: &NodeTemplate<'_>) -> Vec<String> {
    let topology = cx.topology;
    let artifacts = node.node.get("artifacts").into_iter().flat_map(Node::entries);
    let of_image = |a: &Node| {
        let name = a.get("type").and_then(Node::as_str);
        name.is_some_and(|name| topology.types.is_a(Kind::Artifact, name, SW_IMAGE))
    };
    let found: Vec<(&str, &Node)> = artifacts.filter(|(_, a)| of_image(a)).collect();
    let mut ids = vec![];
    let beside = node.node.get("properties").and_then(|p| p.get("sw_image_data"));
    if let (Some(data), true) = (beside, found.is_empty()) {
        let said = format!("the image of `{}` has no artifact of {SW_IMAGE}", node.name);
        cx.report.add(&rule::IMAGE_DATA, data.place(), said);
        let image = image(cx, node.name, data, Some(data));
        ids.push(keep(cx.images, image, cx.flavour));
    }
    for (name, artifact) in &found {
        if cx.images.len() >= IMAGES {
            let said = format!("more than {IMAGES} images");
            cx.report.add(&rule::TOO_MUCH, artifact.place(), said);
            break;
        }
        let alone = found.len() == 1;
        let id = if alone { node.name.to_owned() } else { format!("{}.{name}", node.name) };
        let data = artifact.get("properties").or(beside.filter(|_| alone));
        let image = image(cx, &id, artifact, data);
        ids.push(keep(cx.images, image, cx.flavour));
    }
    ids
}

fn image(cx: &mut Cx<'_, '_>, id: &str, artifact: &Node, data: Option<&Node>) -> SwImage {
    let (topology, archive) = (cx.topology, cx.archive);
    let text = |key: &str| -> Option<String> {
        let value = data?.get(key)?;
        // Inputs live as long as the topology; a plain value is its own result.
        value.as_str().map(str::to_owned).or_else(|| topology.resolved_text(value))
    };
    // Writers of the camelCase information model are understood, too.
    let either = |a: &str, b: &str| text(a).or_else(|| text(b));
    let size = |key: &str| text(key).and_then(|t| quantity::size(&t)).map_or(0, |q| q.amount);
    let (path, uri) = locate(artifact, archive, cx.report);
    let missing: Vec<&str> =
        ["name", "version"].into_iter().filter(|k| text(k).is_none()).collect();
    let format = either("container_format", "containerFormat");
    if !missing.is_empty() || format.is_none() {
        let said =
            format!("image `{id}` has no {}", missing.first().unwrap_or(&"container_format"));
        cx.report.add(&rule::IMAGE_DATA, artifact.place(), said);
    }
    let given = size("size");
    let held = path.as_deref().and_then(|p| archive.size(p)).unwrap_or(0);
    SwImage {
        id: id.to_owned(),
        name: text("name").unwrap_or_else(|| id.to_owned()),
        version: text("version").unwrap_or_default(),
        provider: text("provider"),
        checksum: data.and_then(|d| checksum(d.get("checksum")?, path.is_some(), cx.report)),
        container_format: format.map_or_else(|| "BARE".to_owned(), |f| f.to_ascii_uppercase()),
        disk_format: either("disk_format", "diskFormat").map(|f| f.to_ascii_uppercase()),
        min_disk: size("min_disk"),
        min_ram: size("min_ram"),
        size: if given == 0 { held } else { given },
        path,
        uri,
    }
}

/// A checksum as SOL001 writes it, or as its first versions did: the bare hash.
///
/// One that cannot be right for a file of the archive refuses the package; for an image elsewhere
/// it is a deviation, for nobody here can hold the image against it.
fn checksum(node: &Node, held: bool, report: &mut Report) -> Option<Checksum> {
    let (name, hash) = match node.as_str() {
        Some(bare) => (None, bare),
        None => (node.get("algorithm").and_then(Node::as_str), node.get("hash")?.as_str()?),
    };
    let algorithm = match name {
        Some(name) => Algorithm::from_name(name),
        None => Algorithm::ALL.into_iter().find(|a| a.hex_len() == hash.len()),
    };
    let hex = hash.bytes().all(|b| b.is_ascii_hexdigit());
    let (rule, said) = match algorithm {
        Some(algorithm) if hex && hash.len() == algorithm.hex_len() => {
            return Some(Checksum { algorithm, hash: hash.to_ascii_lowercase() });
        }
        Some(algorithm) => {
            let digits = algorithm.hex_len();
            (&archive_rule::HASH_MALFORMED, format!("the hash is not {digits} hexadecimal digits"))
        }
        None => {
            let shown = name.unwrap_or(hash);
            (&archive_rule::ALGORITHM_UNKNOWN, format!("`{shown}` is of no known algorithm"))
        }
    };
    report.add(if held { rule } else { &rule::IMAGE_DATA }, node.place(), said);
    None
}

/// The artifact's file in the archive, or the reference it is instead.
pub(super) fn locate(
    artifact: &Node,
    archive: &Archive<'_>,
    report: &mut Report,
) -> (Option<String>, Option<String>) {
    // The short form of an artifact is its file alone.
    let file = artifact.as_str().or_else(|| artifact.get("file")?.as_str());
    let Some(file) = file else { return (None, None) };
    let folder = artifact.file.rsplit_once('/').map_or("", |(folder, _)| folder);
    let candidates = [join(folder, file), join("", file)];
    if let Some(path) = candidates.into_iter().flatten().find(|p| archive.has_file(p)) {
        return (Some(path), None);
    }
    if !file.contains("://") {
        let said = format!("`{file}`");
        report.add(&rule::IMAGE_MISSING, artifact.place(), said);
    }
    (None, Some(file.to_owned()))
}

/// Keeps an image once; another one of the same id gets the flavour's name before its own.
fn keep(images: &mut Vec<SwImage>, mut image: SwImage, flavour: &str) -> String {
    if images.iter().any(|i| i.id == image.id && *i != image) {
        image.id = format!("{flavour}.{}", image.id);
    }
    let id = image.id.clone();
    if !images.iter().any(|i| i.id == id) {
        images.push(image);
    }
    id
}
