//! Handing out single files of content: the descriptor, the manifest, the artifacts.
//!
//! Archives are read on blocking threads; a file of any size leaves in pieces.

use crate::{
    content::onboarded,
    range::Range,
    wire::{Loaded, Wire},
};
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, StatusCode, header};
use mano_model::{Refusal, catalog::Content, refusal::Why};
use mano_ports::{
    Cx, Error,
    blobs::{self, ByteStream, ReadSeek},
    error::Source,
    http::{Body, Reply, Request},
};
use mano_tosca::{Archive, Finding, Limits, meta};
use std::io::{self, Cursor, Read, Write};
use tokio::sync::{mpsc, oneshot};
use zip::{ZipWriter, write::SimpleFileOptions};

/// Bytes read at once.
const PIECE: usize = 64 << 10;

/// `GET …/vnfd`, `GET …/nsd`: the one file as text, or all of them as an archive.
pub(crate) async fn descriptor<F: Wire>(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let (content, described) = content_of::<F>(cx, &request).await?;
    let files = described.layout().definitions.clone();
    let form = Form::of(&request.headers, files.len())?;
    let body = in_archive(cx, &content, move |archive| match (form, files.first()) {
        (Form::Text, Some(file)) => Ok(archive.text(file)?.into_bytes()),
        (Form::Text | Form::Zip, _) => packed(archive, &files),
    });
    let media = if form == Form::Text { "text/plain" } else { "application/zip" };
    Ok(answer(media, body.await?))
}

/// `GET …/manifest`.
pub(crate) async fn manifest<F: Wire>(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let (content, described) = content_of::<F>(cx, &request).await?;
    let file = described.layout().manifest.clone().ok_or_else(|| {
        let id = request.param(F::PARAM);
        Refusal::new(Why::Absent, format!("{} '{id}' has no manifest", F::NOUN))
    })?;
    let text = in_archive(cx, &content, move |archive| Ok(archive.text(&file)?));
    Ok(answer("text/plain", text.await?.into_bytes()))
}

/// `GET …/artifacts/{artifactPath}`: any file of the archive, or a part of it.
pub(crate) async fn artifact<F: Wire>(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let (content, _) = content_of::<F>(cx, &request).await?;
    let path = request.param("artifactPath").to_owned();
    let media = media_of(&path);
    let reader = cx.blobs.reader(&content.blob).await?;
    let (range, bytes) = file(reader, path, request.headers).await?;
    let body = Body::Stream(media, range.len(), bytes);
    Ok(range.dress(Reply { status: StatusCode::OK, headers: Vec::new(), body }))
}

/// The content a request is about, and what it told.
async fn content_of<F: Wire>(cx: &Cx, request: &Request) -> Result<(Content, F), Error> {
    let loaded = Loaded::<F>::by(cx, request).await?;
    let entry = loaded.entry.value;
    let content = onboarded(&entry)?.clone();
    let described = entry.described.ok_or_else(|| {
        Error::Bug(format!("{} '{}' is ONBOARDED and tells nothing", F::NOUN, entry.id))
    })?;
    Ok((content, described))
}

/// The form a descriptor leaves in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Text,
    Zip,
}

impl Form {
    /// What the client accepts of what `files` definition files can be made into.
    ///
    /// # Errors
    /// Not acceptable when only text is taken and there are several files (SOL005 clause
    /// 9.4.4.3.2), or neither form is.
    fn of(headers: &HeaderMap, files: usize) -> Result<Self, Refusal> {
        let accept = headers.get_all(header::ACCEPT).iter().filter_map(|v| v.to_str().ok());
        let accept = accept.collect::<Vec<_>>().join(",").to_ascii_lowercase();
        let any = accept.trim().is_empty() || accept.contains("*/*");
        let zip = any || accept.contains("application/zip") || accept.contains("application/*");
        let text = any || accept.contains("text/plain") || accept.contains("text/*");
        match (files, text, zip) {
            (1, true, _) => Ok(Self::Text),
            (_, _, true) => Ok(Self::Zip),
            (_, true, false) => {
                let detail = format!(
                    "the descriptor is made of {files} files; accept application/zip to get them"
                );
                Err(Refusal::new(Why::NotAcceptable, detail))
            }
            (_, false, false) => {
                let detail = "accept text/plain or application/zip";
                Err(Refusal::new(Why::NotAcceptable, detail))
            }
        }
    }
}

/// Reads an archive on a blocking thread.
async fn in_archive<T: Send + 'static>(
    cx: &Cx,
    content: &Content,
    read: impl FnOnce(&mut Archive<'_>) -> Result<T, Source> + Send + 'static,
) -> Result<T, Error> {
    let reader = cx.blobs.reader(&content.blob).await?;
    let done = tokio::task::spawn_blocking(move || {
        let mut archive = Archive::open(reader, Limits::default())?;
        read(&mut archive)
    });
    match done.await {
        Ok(read) => read.map_err(|source| blobs::Error::Unavailable(source).into()),
        Err(stopped) => Err(Error::Bug(format!("reading an archive stopped: {stopped}"))),
    }
}

/// Content that was read whole before cannot be read now.
fn unreadable(finding: Finding) -> Error {
    Error::Blobs(blobs::Error::Unavailable(Box::new(finding)))
}

/// The definitions as an archive of their own, with what names the entry.
fn packed(archive: &mut Archive<'_>, files: &[String]) -> Result<Vec<u8>, Source> {
    let meta = archive.has_file(meta::PATH).then(|| meta::PATH.to_owned());
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for file in meta.iter().chain(files) {
        let text = archive.text(file)?;
        let started = zip.start_file(file.as_str(), SimpleFileOptions::default());
        // The definitions were within the bounds of memory when they were on-boarded.
        started.map_err(io::Error::from).and_then(|()| zip.write_all(text.as_bytes()))?;
    }
    Ok(zip.finish().map_err(io::Error::from)?.into_inner())
}

/// Whole content as an answer.
fn answer(media: &'static str, content: Vec<u8>) -> Reply {
    let body = Body::Text(media, content.into());
    Reply { status: StatusCode::OK, headers: Vec::new(), body }
}

/// A file of an archive as a stream, from a blocking thread that ends with its reader.
async fn file(
    reader: Box<dyn ReadSeek>,
    path: String,
    headers: HeaderMap,
) -> Result<(Range, ByteStream), Error> {
    let (found, range) = oneshot::channel();
    let (pieces, bytes) = mpsc::channel(2);
    tokio::task::spawn_blocking(move || {
        let opened = Archive::open(reader, Limits::default()).map_err(unreadable);
        let ranged = opened.and_then(|archive| Ok((range_of(&archive, &path, &headers)?, archive)));
        let (range, archive) = ranged.map_or_else(|no| (Err(no), None), |(r, a)| (Ok(r), Some(a)));
        let wanted = range.as_ref().ok().copied().zip(archive);
        // Whoever asked may be gone; then nobody reads on.
        if let (Ok(()), Some((range, mut archive))) = (found.send(range), wanted) {
            pour(&mut archive, &path, range, &pieces);
        }
    });
    let range = range.await.map_err(|_| Error::Bug("reading an archive stopped".into()))??;
    let next = |mut bytes: mpsc::Receiver<_>| async { bytes.recv().await.map(|b| (b, bytes)) };
    Ok((range, Box::pin(stream::unfold(bytes, next))))
}

/// Which bytes of a file are asked for.
fn range_of(archive: &Archive<'_>, path: &str, headers: &HeaderMap) -> Result<Range, Refusal> {
    let size = archive.size(path).filter(|_| archive.has_file(path));
    let size = size.ok_or_else(|| {
        Refusal::new(Why::Absent, format!("there is no file '{path}' in the archive"))
    })?;
    Range::asked(headers, size)
}

/// Sends the bytes of a range, until they end or nobody takes them.
fn pour(archive: &mut Archive<'_>, path: &str, range: Range, to: &mpsc::Sender<io::Result<Bytes>>) {
    let poured = archive.content(path).map_err(io::Error::other).and_then(|mut content| {
        io::copy(&mut (&mut content).take(range.from), &mut io::sink())?;
        let mut left = content.take(range.len());
        loop {
            let mut piece = Vec::with_capacity(PIECE);
            let read = (&mut left).take(PIECE as u64).read_to_end(&mut piece)?;
            if read == 0 || to.blocking_send(Ok(piece.into())).is_err() {
                return Ok(());
            }
        }
    });
    if let Err(error) = poured {
        // The status is out already; a broken stream is all that can be said.
        let _ = to.blocking_send(Err(error));
    }
}

/// The media type of a file by its name.
fn media_of(path: &str) -> &'static str {
    let (_, end) = path.rsplit_once('.').unwrap_or_default();
    match end.to_ascii_lowercase().as_str() {
        "yaml" | "yml" | "txt" | "mf" | "meta" | "md" | "sh" | "py" | "cfg" | "conf" => {
            "text/plain"
        }
        "json" => "application/json",
        "zip" | "csar" => "application/zip",
        "cms" | "p7s" => "application/cms",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(accept: Option<&'static str>, files: usize) -> Result<Form, Why> {
        let accept = accept.map(|accept| (header::ACCEPT, accept.parse().unwrap()));
        Form::of(&accept.into_iter().collect(), files).map_err(|refusal| refusal.why)
    }

    #[test]
    fn one_file_leaves_as_text_and_several_as_an_archive() {
        assert_eq!(form(None, 1), Ok(Form::Text));
        assert_eq!(form(Some("text/plain, application/zip"), 1), Ok(Form::Text));
        assert_eq!(form(Some("application/zip"), 1), Ok(Form::Zip));
        assert_eq!(form(None, 3), Ok(Form::Zip));
        assert_eq!(form(Some("text/plain;q=0.5, Application/Zip"), 3), Ok(Form::Zip));
    }

    #[test]
    fn several_files_cannot_leave_as_text_and_nothing_leaves_as_json() {
        assert_eq!(form(Some("text/plain"), 3), Err(Why::NotAcceptable));
        assert_eq!(form(Some("application/json"), 1), Err(Why::NotAcceptable));
    }
}
