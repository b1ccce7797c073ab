//! Objects in a folder, as `BUCKET/KEY`: what item readers read in a rehearsal.

use super::failure::Failure;
use flate2::read::GzDecoder;
use jiff::Timestamp;
use mano_asl::runner::BlobRequest;
use mano_ports::hex::hex;
use md5::{Digest, Md5};
use serde_json::{Value, json};
use std::{
    fs,
    io::Read,
    path::{Component, Path, PathBuf},
};

/// Most bytes of one object, unpacked.
const MAX_BYTES: u64 = 256 << 20;
/// Most objects of one listing.
const MAX_LISTED: usize = 100_000;

/// The folder.
#[derive(Debug)]
pub(crate) struct Folder {
    root: PathBuf,
    /// The one bucket there is.
    only: Option<PathBuf>,
}

impl Folder {
    /// Looks at a folder.
    pub(crate) fn open(root: &Path) -> Result<Self, Failure> {
        let entries = fs::read_dir(root).map_err(|error| Failure::file("read", root, &error))?;
        let mut buckets = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir());
        let only = buckets.next().filter(|_| buckets.next().is_none());
        Ok(Self { root: root.to_owned(), only })
    }

    /// Answers an item reader; the error is the cause of `States.ItemReaderFailed`.
    pub(crate) fn read(&self, request: &BlobRequest<'_>) -> Result<String, String> {
        let argument = |name: &str| request.arguments[name].as_str().unwrap_or_default();
        let bucket = self.bucket(argument("Bucket"))?;
        if request.resource.contains("listObjectsV2") {
            let limit = request.arguments["MaxKeys"].as_u64().unwrap_or(u64::MAX);
            return list(&bucket, argument("Prefix"), usize::try_from(limit).unwrap_or(usize::MAX));
        }
        let key = argument("Key");
        let path = below(&bucket, key).ok_or_else(|| no_key(key))?;
        text(&path).map_err(|reason| format!("{}: {reason}", no_key(key)))
    }

    fn bucket(&self, name: &str) -> Result<PathBuf, String> {
        let own = below(&self.root, name).filter(|path| !name.is_empty() && path.is_dir());
        own.or_else(|| self.only.clone()).ok_or_else(|| format!("There is no bucket '{name}'"))
    }
}

fn no_key(key: &str) -> String {
    format!("There is no object with the key '{key}'")
}

/// A path below a folder, never outside of it.
fn below(folder: &Path, name: &str) -> Option<PathBuf> {
    let name = Path::new(name);
    let inside = name.components().all(|part| matches!(part, Component::Normal(_)));
    inside.then(|| folder.join(name))
}

/// An object's text. What is packed with gzip is unpacked, as inventories are.
fn text(path: &Path) -> Result<String, String> {
    let file = fs::File::open(path).map_err(|error| error.to_string())?;
    let packed = path.extension().is_some_and(|extension| extension == "gz");
    let mut out = String::new();
    let read = if packed {
        GzDecoder::new(file).take(MAX_BYTES).read_to_string(&mut out)
    } else {
        file.take(MAX_BYTES).read_to_string(&mut out)
    };
    read.map(|_| out).map_err(|error| error.to_string())
}

/// The answer of listObjectsV2, as a Map sees it: in the order of the keys.
fn list(bucket: &Path, prefix: &str, limit: usize) -> Result<String, String> {
    let mut keys = Vec::new();
    walk(bucket, bucket, &mut keys)?;
    keys.retain(|key| key.starts_with(prefix));
    keys.sort();
    let objects = keys.iter().take(limit).map(|key| object(bucket, key));
    objects.collect::<Result<Vec<Value>, String>>().map(|objects| Value::Array(objects).to_string())
}

fn walk(bucket: &Path, folder: &Path, keys: &mut Vec<String>) -> Result<(), String> {
    for entry in fs::read_dir(folder).map_err(|error| error.to_string())?.flatten() {
        let path = entry.path();
        if keys.len() >= MAX_LISTED {
            return Err(format!("There are more than {MAX_LISTED} objects"));
        }
        if path.is_dir() && !path.is_symlink() {
            walk(bucket, &path, keys)?;
        } else if let Ok(key) = path.strip_prefix(bucket) {
            let parts = key.components().map(|part| part.as_os_str().to_string_lossy());
            keys.push(parts.collect::<Vec<_>>().join("/"));
        }
    }
    Ok(())
}

fn object(bucket: &Path, key: &str) -> Result<Value, String> {
    let path = bucket.join(key);
    let content = fs::read(&path).map_err(|error| error.to_string())?;
    let modified = fs::metadata(&path).and_then(|found| found.modified());
    let modified = modified.ok().and_then(|time| Timestamp::try_from(time).ok());
    let hash = hex(&Md5::digest(&content));
    Ok(json!({
        "Etag": format!("\"{hash}\""),
        "Key": key,
        "LastModified": modified.map_or(0, Timestamp::as_second),
        "Size": content.len(),
        "StorageClass": "STANDARD",
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn ask(folder: &Folder, resource: &str, arguments: &Value) -> Result<String, String> {
        folder.read(&BlobRequest { resource, arguments })
    }

    #[test]
    fn an_object_is_read_by_bucket_and_key_and_one_bucket_stands_for_all() {
        let room = tempfile::tempdir().unwrap();
        fs::create_dir_all(room.path().join("one/deep")).unwrap();
        fs::write(room.path().join("one/deep/a.json"), "[1]").unwrap();
        let get = "arn:aws:states:::s3:getObject";
        let folder = Folder::open(room.path()).unwrap();
        for bucket in ["one", "another"] {
            let asked = json!({ "Bucket": bucket, "Key": "deep/a.json" });
            assert_eq!(ask(&folder, get, &asked).as_deref(), Ok("[1]"));
        }
        fs::create_dir(room.path().join("two")).unwrap();
        let folder = Folder::open(room.path()).unwrap();
        let asked = json!({ "Bucket": "another", "Key": "deep/a.json" });
        assert!(ask(&folder, get, &asked).unwrap_err().contains("no bucket 'another'"));
    }

    #[test]
    fn nothing_outside_of_the_folder_is_read() {
        let room = tempfile::tempdir().unwrap();
        fs::create_dir(room.path().join("one")).unwrap();
        fs::write(room.path().join("secret"), "x").unwrap();
        let folder = Folder::open(&room.path().join(".")).unwrap();
        for key in ["../secret", "/etc/hostname", "a/../../secret"] {
            let asked = json!({ "Bucket": "one", "Key": key });
            let answer = ask(&folder, "arn:aws:states:::s3:getObject", &asked);
            assert!(answer.unwrap_err().contains("no object"), "{key}");
        }
    }

    #[test]
    fn a_listing_is_ordered_and_what_is_packed_is_unpacked() {
        let room = tempfile::tempdir().unwrap();
        fs::create_dir_all(room.path().join("b/logs")).unwrap();
        fs::write(room.path().join("b/logs/2"), "two").unwrap();
        fs::write(room.path().join("b/logs/1"), "one").unwrap();
        fs::write(room.path().join("b/other"), "").unwrap();
        let file = fs::File::create(room.path().join("b/packed.csv.gz")).unwrap();
        let mut packer = GzEncoder::new(file, Compression::fast());
        packer.write_all(b"a,b").unwrap();
        packer.finish().unwrap();
        let folder = Folder::open(room.path()).unwrap();
        let asked = json!({ "Bucket": "b", "Prefix": "logs/" });
        let listed = ask(&folder, "arn:aws:states:::s3:listObjectsV2", &asked).unwrap();
        let listed: Value = serde_json::from_str(&listed).unwrap();
        assert_eq!(listed[0]["Key"], "logs/1");
        assert_eq!(listed[0]["Etag"], "\"f97c5d29941bfb1b2fdab0874906ab82\"");
        assert_eq!(listed[1]["Size"], 3);
        assert_eq!(listed.as_array().unwrap().len(), 2);
        let asked = json!({ "Bucket": "b", "Key": "packed.csv.gz" });
        assert_eq!(ask(&folder, "…:getObject", &asked).as_deref(), Ok("a,b"));
    }
}
