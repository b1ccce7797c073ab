//! Packages that are too much for a function: to the bucket and from it, past the interfaces.

use crate::{cloud::Client, example, world::World};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::io::{Cursor, Write as _};

const PACKAGES: &str = "/vnfpkgm/v2/vnf_packages";
/// What passes through the interfaces, in bytes.
const MOST: usize = 4 << 20;

/// A package of more than that.
pub(crate) fn large() -> Vec<u8> {
    let mut zip = zip::ZipWriter::new_append(Cursor::new(example("edge-router"))).unwrap();
    zip.start_file("Files/noise.bin", zip::write::SimpleFileOptions::default()).unwrap();
    let next = |n: &u32| Some(n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
    let noise = std::iter::successors(Some(1_u32), next).map(|n| n.to_le_bytes()[3]);
    zip.write_all(&noise.take(6 << 20).collect::<Vec<_>>()).unwrap();
    let package = zip.finish().unwrap().into_inner();
    assert!(package.len() > MOST, "{}", package.len());
    package
}

/// Asks an interface, signed; status, headers, content.
fn ask(world: &World, method: &Method, path: &str, more: &[(&str, &str)]) -> Said {
    let mut headers = HeaderMap::new();
    headers.insert("version", HeaderValue::from_static("2.1.0"));
    for (name, value) in more {
        let name = HeaderName::try_from(*name).unwrap();
        headers.insert(name, HeaderValue::try_from(*value).unwrap());
    }
    let (status, headers, content) =
        Client::new().ask("execute-api", method, &world.url(path), &headers, &[]);
    Said { status, headers, content }
}

struct Said {
    status: u16,
    headers: HeaderMap,
    content: Vec<u8>,
}

impl Said {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.content).unwrap_or(Value::Null)
    }

    /// Where it sends a client on, and with which headers.
    fn on(&self) -> (String, HeaderMap) {
        assert_eq!(self.status, 307, "{}", String::from_utf8_lossy(&self.content));
        let given = self.json()["headers"].as_object().cloned().unwrap_or_default();
        let headers = given.iter().map(|(name, value)| {
            let value = HeaderValue::try_from(value.as_str().unwrap()).unwrap();
            (HeaderName::try_from(name).unwrap(), value)
        });
        (self.headers[header::LOCATION].to_str().unwrap().to_owned(), headers.collect())
    }
}

/// Announces content.
fn announce(world: &World, path: &str, content: &[u8]) -> Said {
    let digest = format!("sha-256=:{}:", BASE64_STANDARD.encode(Sha256::digest(content)));
    let length = content.len().to_string();
    let told = [
        ("content-type", "application/zip"),
        ("x-mano-content-length", &*length),
        ("repr-digest", &digest),
    ];
    ask(world, &Method::PUT, path, &told)
}

#[tokio::test]
async fn a_large_package_goes_to_the_bucket_and_comes_from_it() {
    let mut world = World::new().await;
    let path = format!("{PACKAGES}/{}", world.post(PACKAGES, json!({})).await.expect(201).id());
    let (content, package, store) = (format!("{path}/package_content"), large(), Client::new());
    let (url, headers) = announce(&world, &content, &package).on();
    assert_eq!(world.get(&path).await["onboardingState"], "UPLOADING");
    let mut other = package.clone();
    other[7] ^= 1;
    let (status, _, said) = store.send(&Method::PUT, &url, headers.iter(), &other);
    assert!((400..500).contains(&status), "{status} {}", String::from_utf8_lossy(&said));
    assert_eq!(world.get(&path).await["onboardingState"], "UPLOADING", "nothing has come");
    let (status, _, said) = store.send(&Method::PUT, &url, headers.iter(), &package);
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&said));
    let mut shown = Value::Null;
    for _ in 0..120 {
        shown = world.get(&path).await;
        if ["ONBOARDED", "ERROR"].contains(&shown["onboardingState"].as_str().unwrap()) {
            break;
        }
        world.something_happens().await;
    }
    assert_eq!(shown["onboardingState"], "ONBOARDED", "{shown:#}");
    let (url, none) = ask(&world, &Method::GET, &content, &[("accept", "application/zip")]).on();
    let (status, _, whole) = store.send(&Method::GET, &url, none.iter(), &[]);
    assert!(status == 200 && whole == package, "it comes back as it was sent");
    let ranged = [("accept", "application/zip"), ("range", "bytes=5-1000004")];
    let part = ask(&world, &Method::GET, &content, &ranged);
    assert_eq!((part.status, part.content.len()), (206, 1_000_000));
    assert!(part.content == package[5..1_000_005]);
    let refused = announce(&world, &content, &package);
    assert_eq!(refused.status, 409, "content is taken once: {}", refused.json());
    let disabled = json!({ "operationalState": "DISABLED" });
    world.ask(Method::PATCH, &path, Some(disabled)).await.expect(200);
    world.ask(Method::DELETE, &path, None).await.expect(204);
}
