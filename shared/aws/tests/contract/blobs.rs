//! The blob store's laws on a bucket.

use crate::world::{Keep, World};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use mano_aws::S3Blobs;
use mano_ports::{
    blobs::{Address, Blobs as _, Stored},
    contract::blobs::Fresh,
};
use std::{io::Read as _, sync::Arc, time::Duration};

async fn blobs(world: &World) -> S3Blobs {
    world.with_bucket().await;
    S3Blobs::new(&world.clients(), &world.settings())
}

async fn fresh(world: Arc<World>) -> Fresh {
    let blobs = Arc::new(blobs(&world).await);
    Fresh { blobs, http: Some(Box::new(http)), keep: Box::new(Keep(world)) }
}

/// A client that knows the address and nothing else.
fn http(to: &Address, content: Option<&[u8]>) -> (u16, Vec<u8>) {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let method = if content.is_some() { "PUT" } else { "GET" };
    let mut request = ureq::http::Request::builder().method(method).uri(&to.url);
    for (name, value) in &to.headers {
        request = request.header(name, value);
    }
    let answer = match content {
        Some(content) => agent.run(request.body(content).expect("a request")),
        None => agent.run(request.body(()).expect("a request")),
    };
    let mut answer = answer.expect("an answer");
    (answer.status().as_u16(), answer.body_mut().read_to_vec().expect("content"))
}

mano_ports::blobs_contract!(fresh(crate::world!()).await);

/// Content of many parts, each byte telling its place.
fn piece(n: u8) -> Bytes {
    Bytes::from(vec![n; 3 << 20])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn content_of_many_parts_is_whole_and_read_by_ranges() {
    let world = crate::world!();
    let blobs = blobs(&world).await;
    let pieces = stream::iter((0..7_u8).map(|n| Ok(piece(n))));
    let stored = blobs.put("large.csar", Box::pin(pieces), 1 << 30).await.expect("put");
    assert_eq!(stored.size, 7 * (3 << 20));
    assert_eq!(blobs.size("large.csar").await.expect("size"), stored.size);
    let edge = (3 << 20) * 4;
    let mut part = blobs.open("large.csar", edge - 2, edge + 2).await.expect("open");
    let mut bytes = Vec::new();
    while let Some(more) = part.next().await {
        bytes.extend_from_slice(&more.expect("read"));
    }
    assert_eq!(bytes, [3, 3, 4, 4]);
    let mut reader = blobs.reader("large.csar").await.expect("reader");
    let whole = tokio::task::spawn_blocking(move || {
        let mut whole = Vec::new();
        reader.read_to_end(&mut whole).map(|_| whole)
    });
    let whole = whole.await.expect("joined").expect("read");
    assert!(
        (0..7_u8).all(|n| whole[(3 << 20) * usize::from(n)] == n) && whole.len() == 7 * (3 << 20)
    );
    world.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_stream_that_breaks_leaves_nothing() {
    let world = crate::world!();
    let blobs = blobs(&world).await;
    let broken =
        stream::iter((0..8_u8).map(|n| {
            if n < 7 { Ok(piece(n)) } else { Err(std::io::ErrorKind::BrokenPipe.into()) }
        }));
    assert!(blobs.put("broken.csar", Box::pin(broken), 1 << 30).await.is_err());
    assert!(blobs.size("broken.csar").await.is_err());
    let uploads = world.s3.list_multipart_uploads().bucket(&world.name).send().await;
    assert!(uploads.expect("uploads").uploads.unwrap_or_default().is_empty());
    world.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_presigned_address_binds_the_content() {
    let world = crate::world!();
    let blobs = blobs(&world).await;
    let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".to_owned();
    let minute = Duration::from_secs(60);
    let put = blobs.upload_url("up/abc", &Stored { size: 3, sha256 }, minute).await;
    let put = put.expect("asked").expect("an address");
    let sum = "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=";
    assert_eq!(put.headers, [("x-amz-checksum-sha256".to_owned(), sum.to_owned())]);
    let url = put.url;
    assert!(url.contains("X-Amz-Signature=") && url.contains("blobs/up/abc"), "{url}");
    let signed = "X-Amz-SignedHeaders=content-length%3Bhost%3Bx-amz-checksum-sha256";
    assert!(url.contains(signed), "{url}");
    let get = blobs.download_url("up/abc", minute).await.expect("asked").expect("an address");
    assert!(get.contains("X-Amz-Expires=60"), "{get}");
    world.remove().await;
}
