//! One request written as text, given to the door of the whole orchestrator, and its answer judged.
//!
//! ```text
//!   POST /vnflcm/v2/vnf_instances/{vnf}/scale     what stands in braces is filled in
//!   accept: text/plain                            headers; those a good client sends are added
//!                                                 where they are not named
//!   { "type": "SCALE_OUT" }                       after an empty line: the content, as it is
//! ```

use crate::world::{
    World,
    stock::{PAIR, SMALL, stocked},
};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, request::Parts};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

/// What a good client sends.
const GOOD: [(&str, &str); 2] = [("version", "2.0.0"), ("content-type", "application/json")];

/// A world with something of each kind in it.
pub(crate) struct Entry {
    world: World,
    known: Vec<(&'static str, String)>,
    runtime: Runtime,
}

impl Entry {
    /// A fresh world.
    pub(crate) fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let (world, known) = runtime.block_on(filled());
        Self { world, known, runtime }
    }

    /// The status of the answer; none where no server would make a request of these bytes.
    ///
    /// # Panics
    /// The answer is one that no request may get.
    pub(crate) fn judge(&self, bytes: &[u8]) -> Option<u16> {
        let (head, content) = self.read(bytes)?;
        let told = format!("{} {}", head.method, head.uri);
        let (status, media, body) = self.runtime.block_on(self.world.raw(head, content));
        assert!(status < 500, "{told}: {status} {}", String::from_utf8_lossy(&body));
        if status >= 400 {
            let problem: Value = serde_json::from_slice(&body).unwrap();
            assert!(media.starts_with("application/"), "{told}: {media}");
            assert_eq!(problem["status"], status, "{told}: {problem}");
            assert!(problem["detail"].as_str().is_some_and(|s| s.len() > 3), "{told}: {problem}");
        } else if media == "application/json" {
            serde_json::from_slice::<Value>(&body).unwrap();
        }
        Some(status)
    }

    /// The request.
    fn read(&self, bytes: &[u8]) -> Option<(Parts, Bytes)> {
        let end = bytes.windows(2).position(|pair| pair == b"\n\n").unwrap_or(bytes.len());
        let (head, content) = (&bytes[..end], bytes.get(end + 2..).unwrap_or_default());
        let mut lines = head.split(|byte| *byte == b'\n');
        let line = String::from_utf8(lines.next()?.to_vec()).ok()?;
        let (method, uri) = line.split_once(' ')?;
        let mut request =
            Request::builder().method(method).uri(self.filled_in(uri)).body(()).ok()?;
        let headers = request.headers_mut();
        for line in lines {
            let at = line.iter().position(|byte| *byte == b':')?;
            let name = HeaderName::from_bytes(&line[..at]).ok()?;
            let value = line[at + 1..].trim_ascii();
            headers.append(name, HeaderValue::from_bytes(value).ok()?);
        }
        for (name, value) in GOOD {
            let ours = name == "version" && uri.starts_with("/mano/");
            if !ours && !headers.contains_key(name) {
                headers.insert(name, HeaderValue::from_static(value));
            }
        }
        Some((request.into_parts().0, Bytes::copy_from_slice(content)))
    }

    /// Names in braces replaced by ids that exist.
    fn filled_in(&self, uri: &str) -> String {
        let fill = |uri: String, (name, id): &(&str, String)| uri.replace(name, id);
        self.known.iter().fold(uri.to_owned(), fill)
    }
}

/// A VIM, descriptors, an operation of each kind that is done, instances not yet instantiated.
async fn filled() -> (World, Vec<(&'static str, String)>) {
    let mut world = stocked().await;
    let ns = json!({ "nsdId": PAIR, "nsName": "a", "nsDescription": "b" });
    let vnf = json!({ "vnfdId": SMALL });
    let ids = [
        made(&world, "/nslcm/v2/ns_instances", ns.clone()).await,
        made(&world, "/vnflcm/v2/vnf_instances", vnf.clone()).await,
        made(&world, "/nslcm/v2/ns_instances", ns).await,
        made(&world, "/vnflcm/v2/vnf_instances", vnf).await,
        made(&world, "/vnfpkgm/v2/vnf_packages", json!({})).await,
        made(&world, "/nsd/v2/ns_descriptors", json!({})).await,
    ];
    let paths = [
        format!("/nslcm/v2/ns_instances/{}/instantiate", ids[2]),
        format!("/vnflcm/v2/vnf_instances/{}/instantiate", ids[3]),
    ];
    let mut known: Vec<_> = ["{ns}", "{vnf}", "{ns-up}", "{vnf-up}", "{package}", "{nsd}"]
        .into_iter()
        .zip(ids)
        .collect();
    for (name, path) in ["{ns-op}", "{vnf-op}"].into_iter().zip(paths) {
        let asked = json!({ "nsFlavourId": "standard", "flavourId": "standard" });
        let op = world.post(&path, asked).await.expect(202).id();
        assert_eq!(world.rests(&op).await, "COMPLETED");
        known.push((name, op));
    }
    (world, known)
}

async fn made(world: &World, path: &str, body: Value) -> String {
    world.post(path, body).await.expect(201).id()
}
