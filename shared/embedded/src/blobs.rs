//! Large content as files of a folder.
//!
//! ```text
//!   put: stream ─▶ .incoming/{uuid} ─▶ fsync ─▶ rename to its name ─▶ fsync of the folder
//! ```
//!
//! So a name shows whole content or none, also after a power cut. What a crash leaves in
//! `.incoming` is swept when the folder is opened.

mod list;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use mano_ports::{
    blobs::{Blobs, ByteStream, Error, Listed, ReadSeek, Stored},
    hex::hex,
    workflows::Listing,
};
use sha2::{Digest, Sha256};
use std::{
    io::{self, SeekFrom},
    path::{Component, Path, PathBuf},
};
use tokio::{
    fs::{self, File},
    io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt},
};
use uuid::Uuid;

/// Where content lies until it is whole.
const INCOMING: &str = ".incoming";

/// Bytes read at a time.
const CHUNK: u64 = 256 << 10;

/// A folder of blobs, owned by this process.
#[derive(Debug, Clone)]
pub struct FolderBlobs {
    root: PathBuf,
}

impl FolderBlobs {
    /// Opens the folder, making it if it is not there.
    ///
    /// # Errors
    /// It cannot be made or written.
    pub fn open(root: &Path) -> io::Result<Self> {
        let incoming = root.join(INCOMING);
        match std::fs::remove_dir_all(&incoming) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => std::fs::create_dir_all(&incoming)?,
        }
        Ok(Self { root: root.to_owned() })
    }

    fn path(&self, name: &str) -> Result<PathBuf, Error> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-./_".contains(&byte);
        let inside = !name.is_empty()
            && name.len() <= 512
            && name.bytes().all(allowed)
            && name.split('/').all(|part| !part.is_empty() && !part.starts_with('.'))
            && Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
        // A name that cannot be put is a name nothing is found under.
        if inside { Ok(self.root.join(name)) } else { Err(Error::Absent(name.into())) }
    }

    /// Writes the stream to a file nobody sees yet.
    async fn receive(&self, to: &Path, mut from: ByteStream, limit: u64) -> io::Result<Stored> {
        let mut file = File::create_new(to).await?;
        let (mut sha, mut size) = (Sha256::new(), 0_u64);
        while let Some(part) = from.next().await {
            let part = part?;
            size = size.saturating_add(part.len() as u64);
            if size > limit {
                return Err(io::Error::other(format!("the content has more than {limit} bytes")));
            }
            sha.update(&part);
            file.write_all(&part).await?;
        }
        file.flush().await?;
        file.sync_all().await?;
        let sha256 = hex(&sha.finalize());
        Ok(Stored { size, sha256 })
    }

    async fn store(&self, path: &Path, content: ByteStream, limit: u64) -> io::Result<Stored> {
        let incoming = self.root.join(INCOMING).join(Uuid::new_v4().to_string());
        let received = match self.receive(&incoming, content, limit).await {
            Ok(received) => publish(&self.root, &incoming, path).await.map(|()| received),
            Err(error) => Err(error),
        };
        if received.is_err() {
            // The first error counts; what stays behind is swept at the next start.
            let _ = fs::remove_file(&incoming).await;
        }
        received
    }
}

/// Gives a whole file its name, so that the name outlives a power cut.
async fn publish(root: &Path, incoming: &Path, path: &Path) -> io::Result<()> {
    let folder = path.parent().unwrap_or(root);
    fs::create_dir_all(folder).await?;
    fs::rename(incoming, path).await?;
    let mut folder = Some(folder);
    while let Some(made) = folder.filter(|folder| folder.starts_with(root)) {
        File::open(made).await?.sync_all().await?;
        folder = made.parent();
    }
    Ok(())
}

/// Says that there is nothing of this name, or that the folder failed.
fn wrap(name: &str) -> impl Fn(io::Error) -> Error {
    const NOTHING: [io::ErrorKind; 3] =
        [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory, io::ErrorKind::IsADirectory];
    move |error| {
        if NOTHING.contains(&error.kind()) {
            Error::Absent(name.into())
        } else {
            Error::Unavailable(Box::new(error))
        }
    }
}

/// The file, if the path is one.
async fn open(path: &Path) -> io::Result<(File, u64)> {
    let file = File::open(path).await?;
    let about = file.metadata().await?;
    if about.is_dir() { Err(io::ErrorKind::IsADirectory.into()) } else { Ok((file, about.len())) }
}

/// The next part of a file that has `left` bytes to go.
async fn part((mut file, left): (File, u64)) -> Option<(io::Result<Bytes>, (File, u64))> {
    if left == 0 {
        return None;
    }
    let mut buffer = vec![0; usize::try_from(left.min(CHUNK)).unwrap_or_default()];
    match file.read(&mut buffer).await {
        Ok(0) => None,
        Ok(n) => {
            buffer.truncate(n);
            Some((Ok(buffer.into()), (file, left - n as u64)))
        }
        Err(error) => Some((Err(error), (file, 0))),
    }
}

#[async_trait]
impl Blobs for FolderBlobs {
    async fn put(&self, name: &str, content: ByteStream, limit: u64) -> Result<Stored, Error> {
        let path = self.path(name)?;
        let stored = self.store(&path, content, limit).await;
        stored.map_err(|error| Error::Unavailable(Box::new(error)))
    }

    async fn size(&self, name: &str) -> Result<u64, Error> {
        let (_, size) = open(&self.path(name)?).await.map_err(wrap(name))?;
        Ok(size)
    }

    async fn open(&self, name: &str, from: u64, to: u64) -> Result<ByteStream, Error> {
        let (mut file, size) = open(&self.path(name)?).await.map_err(wrap(name))?;
        file.seek(SeekFrom::Start(from)).await.map_err(wrap(name))?;
        let left = to.min(size).saturating_sub(from);
        Ok(Box::pin(stream::unfold((file, left), part)))
    }

    async fn reader(&self, name: &str) -> Result<Box<dyn ReadSeek>, Error> {
        let (file, _) = open(&self.path(name)?).await.map_err(wrap(name))?;
        Ok(Box::new(file.into_std().await))
    }

    async fn delete(&self, name: &str) -> Result<(), Error> {
        match fs::remove_file(self.path(name)?).await.map_err(wrap(name)) {
            Err(Error::Absent(_)) => Ok(()),
            done => done,
        }
    }

    async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        most: usize,
    ) -> Result<Listing<Listed>, Error> {
        let (root, prefix) = (self.root.clone(), prefix.to_owned());
        let after = after.map(ToOwned::to_owned);
        let read = move || list::page(&root, &prefix, after.as_deref(), most);
        let page = tokio::task::spawn_blocking(read).await;
        page.map_err(io::Error::other).flatten().map_err(|e| Error::Unavailable(Box::new(e)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mano_ports::contract::blobs::Fresh;
    use std::sync::Arc;

    fn fresh() -> Fresh {
        let folder = tempfile::tempdir().expect("a folder");
        let blobs = Arc::new(FolderBlobs::open(folder.path()).expect("open"));
        Fresh { blobs, http: None, keep: Box::new(folder) }
    }

    mano_ports::blobs_contract!(fresh());

    #[tokio::test]
    async fn what_a_crash_left_half_is_swept_at_the_next_start() {
        let folder = tempfile::tempdir().expect("a folder");
        let blobs = FolderBlobs::open(folder.path()).expect("open");
        let left = folder.path().join(INCOMING).join("half");
        fs::write(&left, b"half").await.expect("written");
        drop(blobs);
        FolderBlobs::open(folder.path()).expect("open");
        assert!(!left.exists());
    }
}
