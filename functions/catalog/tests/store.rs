//! A blob store that gives addresses, as a bucket does, in a folder.

use async_trait::async_trait;
use mano_embedded::FolderBlobs;
use mano_ports::{
    blobs::{Address, Blobs, ByteStream, Error, Listed, ReadSeek, Stored},
    contract::blobs::Fresh,
    hex::hex,
    workflows::Listing,
};
use sha2::{Digest, Sha256};
use std::{fs, path::Path, sync::Arc, time::Duration};

/// Where it says that it is.
const HOST: &str = "https://store.example/";

/// A folder with addresses.
pub(crate) struct AddressBlobs(FolderBlobs);

impl AddressBlobs {
    pub(crate) fn open(root: &Path) -> Self {
        Self(FolderBlobs::open(root).unwrap())
    }
}

#[async_trait]
impl Blobs for AddressBlobs {
    async fn put(&self, name: &str, content: ByteStream, limit: u64) -> Result<Stored, Error> {
        self.0.put(name, content, limit).await
    }
    async fn size(&self, name: &str) -> Result<u64, Error> {
        self.0.size(name).await
    }
    async fn open(&self, name: &str, from: u64, to: u64) -> Result<ByteStream, Error> {
        self.0.open(name, from, to).await
    }
    async fn reader(&self, name: &str) -> Result<Box<dyn ReadSeek>, Error> {
        self.0.reader(name).await
    }
    async fn delete(&self, name: &str) -> Result<(), Error> {
        self.0.delete(name).await
    }
    async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        most: usize,
    ) -> Result<Listing<Listed>, Error> {
        self.0.list(prefix, after, most).await
    }
    async fn upload_url(
        &self,
        name: &str,
        content: &Stored,
        _valid: Duration,
    ) -> Result<Option<Address>, Error> {
        let headers = vec![("x-sum".to_owned(), content.sha256.clone())];
        Ok(Some(Address { url: format!("{HOST}{name}"), headers }))
    }
    async fn download_url(&self, name: &str, _valid: Duration) -> Result<Option<String>, Error> {
        Ok(Some(format!("{HOST}{name}")))
    }
}

/// What the store answers at an address.
pub(crate) fn http(root: &Path, to: &Address, content: Option<&[u8]>) -> (u16, Vec<u8>) {
    let path = root.join(to.url.strip_prefix(HOST).unwrap());
    let header = |name: &str| to.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
    let Some(content) = content else {
        let whole = fs::read(path).unwrap();
        let range = header("Range").map(|range| range.strip_prefix("bytes=").unwrap());
        let Some((from, last)) = range.and_then(|range| range.split_once('-')) else {
            return (200, whole);
        };
        let (from, last): (usize, usize) = (from.parse().unwrap(), last.parse().unwrap());
        return (206, whole[from..=last].to_vec());
    };
    if header("x-sum") != Some(&hex(&Sha256::digest(content))) {
        return (400, b"BadDigest".to_vec());
    }
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
    (200, Vec::new())
}

fn fresh() -> Fresh {
    let folder = tempfile::tempdir().unwrap();
    let (blobs, root) = (Arc::new(AddressBlobs::open(folder.path())), folder.path().to_owned());
    let http = move |to: &Address, content: Option<&[u8]>| http(&root, to, content);
    Fresh { blobs, http: Some(Box::new(http)), keep: Box::new(folder) }
}

mano_ports::blobs_contract!(fresh());
