//! Talking to a server: the ETSI interfaces and our own, over HTTP, and nothing else.

use super::{
    connection::{Connection, Identity},
    failure::Failure,
};
use crate::sum::{self, Sum};
use jiff::{Timestamp, fmt::rfc2822};
use serde_json::Value;
use std::io::Read;
use ureq::{
    Agent, SendBody,
    http::{Method, Request, Response, header, request},
};

/// A path segment, or a value in a query, with everything encoded that would end it.
pub(crate) use mano_ports::door::encode as segment;

/// An answer larger than this is refused rather than held in memory.
const LARGEST_ANSWER: u64 = 64 << 20;

/// The interfaces of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Api {
    /// SOL005 NSD management.
    Nsd,
    /// SOL005 VNF package management.
    VnfPackages,
    /// SOL005 NS lifecycle management.
    NsLcm,
    /// SOL003 VNF lifecycle management.
    VnfLcm,
    /// Our own.
    Mano,
}

impl Api {
    /// The path it begins with.
    pub(super) const fn root(self) -> &'static str {
        match self {
            Self::Nsd => "/nsd/v2",
            Self::VnfPackages => "/vnfpkgm/v2",
            Self::NsLcm => "/nslcm/v2",
            Self::VnfLcm => "/vnflcm/v2",
            Self::Mano => "/mano/v1",
        }
    }

    /// What stands in the `Version` header (SOL013 clause 9).
    const fn version(self) -> &'static str {
        match self {
            Self::NsLcm | Self::VnfLcm => "2.0.0",
            Self::Nsd | Self::VnfPackages => "2.1.0",
            Self::Mano => "1.0.0",
        }
    }
}

/// What a request carries.
pub(super) enum Content<'a> {
    None,
    Json(String),
    /// An archive as it is read, and the sum it will have.
    Archive(&'a mut dyn Read, Sum),
}

impl Content<'_> {
    fn sum(&self) -> Sum {
        match self {
            Self::None => sum::of(b""),
            Self::Json(text) => sum::of(text.as_bytes()),
            Self::Archive(_, sum) => *sum,
        }
    }
}

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The JSON content; null if there was none.
    pub(crate) body: Value,
    /// `Location`.
    pub(crate) location: Option<String>,
    /// Where the next page is (`Link`, `rel="next"`).
    next: Option<String>,
    /// The server's clock (`Date`).
    pub(crate) date: Option<Timestamp>,
}

impl Answer {
    /// The last segment of `Location`: the identity of what was created.
    pub(crate) fn created_id(&self) -> Result<&str, Failure> {
        let id = self.location.as_deref().and_then(|l| l.trim_end_matches('/').rsplit('/').next());
        id.filter(|id| !id.is_empty()).ok_or_else(|| {
            Failure::new("the server accepted this but did not say where to look (no Location)")
        })
    }
}

/// A connection to a server.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    agent: Agent,
    endpoint: String,
    identity: Identity,
}

impl Client {
    /// A client; nothing is asked yet.
    pub(crate) fn new(to: &Connection) -> Result<Self, Failure> {
        let endpoint = to.endpoint.trim_end_matches('/').to_owned();
        Ok(Self { agent: to.agent()?, endpoint, identity: to.identity()? })
    }

    /// Where the server is.
    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Reads one thing.
    pub(crate) fn get(&self, api: Api, path: &str) -> Result<Value, Failure> {
        Ok(self.ask(Method::GET, api, path, None)?.body)
    }

    /// Why the server cannot take work, in its own words; a server that is not asked this way
    /// is taken to be ready.
    pub(crate) fn unready(&self) -> Result<Option<String>, Failure> {
        let url = format!("{}/readyz", self.endpoint);
        let mut response = self.run(self.request(Method::GET, Api::Mano, &url), Content::None)?;
        if response.status() != 503 {
            return Ok(None);
        }
        let text = response.body_mut().with_config().limit(LARGEST_ANSWER).read_to_string();
        Ok(Some(text.unwrap_or_default().trim().to_owned()))
    }

    /// Reads one thing that may be absent.
    pub(crate) fn find(&self, api: Api, path: &str) -> Result<Option<Value>, Failure> {
        let url = self.url(api, path);
        let mut response = self.run(self.request(Method::GET, api, &url), Content::None)?;
        if response.status() == 404 {
            return Ok(None);
        }
        Ok(Some(read(&mut response, &format!("GET {url}"))?.body))
    }

    /// Reads a container, page by page, up to `limit` things; the flag says that there are more.
    pub(crate) fn list(
        &self,
        api: Api,
        path: &str,
        limit: usize,
    ) -> Result<(Vec<Value>, bool), Failure> {
        let (mut found, mut more) = (Vec::new(), false);
        self.pages(api, path, |page, is_last| {
            found.extend(page);
            more = found.len() > limit || (found.len() == limit && !is_last);
            !more
        })?;
        found.truncate(limit);
        Ok((found, more))
    }

    /// Reads a container page by page; `see` is told which is the last, and says whether to go on.
    ///
    /// ETSI's containers are arrays with a `Link` to the next page; the engine's are
    /// `{items, next}`, as the engine has them.
    pub(crate) fn pages(
        &self,
        api: Api,
        path: &str,
        mut see: impl FnMut(Vec<Value>, bool) -> bool,
    ) -> Result<(), Failure> {
        let first = self.url(api, path);
        let mut url = first.clone();
        loop {
            let mut response = self.run(self.request(Method::GET, api, &url), Content::None)?;
            let mut answer = read(&mut response, &format!("GET {url}"))?;
            let next = match answer.body.get("next").and_then(Value::as_str) {
                Some(marker) => Some(format!("{first}?after={}", segment(marker))),
                None => answer.next.as_deref().map(|link| self.follow(link)),
            };
            let page = match answer.body.get_mut("items") {
                Some(items) => items.take(),
                None => answer.body,
            };
            let Value::Array(page) = page else {
                return Err(Failure::new("the server answered something that is not a list")
                    .at(format!("GET {url}")));
            };
            let goes_on = see(page, next.is_none());
            match next {
                Some(next) if goes_on => url = next,
                Some(_) | None => return Ok(()),
            }
        }
    }

    /// Asks for something, with JSON content where there is some.
    pub(crate) fn ask(
        &self,
        method: Method,
        api: Api,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, Failure> {
        let url = self.url(api, path);
        let asked = format!("{method} {url}");
        let media = if method == Method::PATCH {
            "application/merge-patch+json"
        } else {
            "application/json"
        };
        let request = self.request(method, api, &url);
        let mut response = match body {
            None => self.run(request, Content::None)?,
            Some(body) => {
                let request = request.header(header::CONTENT_TYPE, media);
                self.run(request, Content::Json(body.to_string()))?
            }
        };
        read(&mut response, &asked)
    }

    /// Asks for something to be made or done.
    pub(crate) fn post(&self, api: Api, path: &str, body: &Value) -> Result<Answer, Failure> {
        self.ask(Method::POST, api, path, Some(body))
    }

    /// Removes something.
    pub(crate) fn delete(&self, api: Api, path: &str) -> Result<(), Failure> {
        self.ask(Method::DELETE, api, path, None).map(|_| ())
    }

    /// Sends an archive of `length` bytes as it is read.
    pub(crate) fn upload(
        &self,
        (api, path): (Api, &str),
        content: &mut dyn Read,
        (length, sum): (u64, Sum),
    ) -> Result<(), Failure> {
        let url = self.url(api, path);
        let request = self
            .request(Method::PUT, api, &url)
            .header(header::CONTENT_TYPE, "application/zip")
            .header(header::CONTENT_LENGTH, length)
            // A refusal then comes before the bytes are sent, and is not lost in a reset.
            .header(header::EXPECT, "100-continue");
        let mut response = self.run(request, Content::Archive(content, sum))?;
        read(&mut response, &format!("PUT {url}")).map(|_| ())
    }

    /// The URL of a path of an interface.
    pub(super) fn url(&self, api: Api, path: &str) -> String {
        format!("{}{}{path}", self.endpoint, api.root())
    }

    /// Where a link leads: always to the server we were told of, so that the token stays with it.
    fn follow(&self, link: &str) -> String {
        if link.starts_with(&self.endpoint) {
            return link.to_owned();
        }
        let after = link.split_once("://").map_or(link, |(_, rest)| rest);
        let path = after.find('/').map_or("/", |at| &after[at..]);
        let (scheme, rest) = self.endpoint.split_once("://").unwrap_or(("http", &self.endpoint));
        let host = rest.split('/').next().unwrap_or(rest);
        format!("{scheme}://{host}{path}")
    }

    /// The head of a request.
    pub(super) fn request(&self, method: Method, api: Api, url: &str) -> request::Builder {
        Request::builder()
            .method(method)
            .uri(url)
            .header("Version", api.version())
            .header(header::ACCEPT, "application/json, application/problem+json")
    }

    /// Sends it and waits for the head of the answer.
    pub(super) fn run(
        &self,
        request: request::Builder,
        content: Content<'_>,
    ) -> Result<Response<ureq::Body>, Failure> {
        let request = self.identity.on(request, || content.sum());
        match content {
            Content::None => self.run_at(&self.endpoint, request.body(())),
            Content::Json(text) => self.run_at(&self.endpoint, request.body(text)),
            Content::Archive(read, _) => {
                self.run_at(&self.endpoint, request.body(SendBody::from_reader(read)))
            }
        }
    }

    /// The same at another place, by the name that may be shown of it.
    pub(super) fn run_at<B: ureq::AsSendBody>(
        &self,
        place: &str,
        request: Result<Request<B>, ureq::http::Error>,
    ) -> Result<Response<ureq::Body>, Failure> {
        let sent = request.map_err(ureq::Error::from).and_then(|request| self.agent.run(request));
        sent.map_err(|error| Failure::unanswered(place, &error))
    }
}

/// Reads an answer whole; one that says no becomes a failure.
pub(super) fn read(response: &mut Response<ureq::Body>, asked: &str) -> Result<Answer, Failure> {
    let status = response.status().as_u16();
    let limited = response.body_mut().with_config().limit(LARGEST_ANSWER);
    let text = limited.read_to_string().map_err(|error| {
        Failure::new(format!("the answer could not be read: {error}")).at(asked)
    })?;
    if !(200..300).contains(&status) {
        return Err(Failure::answered(status, asked, &text));
    }
    let body = if text.is_empty() {
        Value::Null
    } else {
        serde_json::from_str(&text).map_err(|error| {
            Failure::new(format!("the answer is not JSON: {error}"))
                .at(asked)
                .next("is this the address of a mano server?")
        })?
    };
    let head =
        |name| response.headers().get(name).and_then(|v: &header::HeaderValue| v.to_str().ok());
    Ok(Answer {
        body,
        location: head(header::LOCATION).map(Into::into),
        next: head(header::LINK).and_then(next_page),
        date: head(header::DATE).and_then(|d| Some(rfc2822::parse(d).ok()?.timestamp())),
    })
}

/// The target of `rel="next"` in a `Link` header (RFC 8288).
fn next_page(link: &str) -> Option<String> {
    link.split(',').find_map(|one| {
        let (target, parameters) = one.trim().strip_prefix('<')?.split_once('>')?;
        let is_next =
            parameters.split(';').any(|p| matches!(p.trim(), r#"rel="next""# | "rel=next"));
        is_next.then(|| target.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(endpoint: &str) -> Client {
        let to = Connection { endpoint: endpoint.into(), token: None, iam: false, ca: None };
        Client::new(&to).unwrap()
    }

    #[test]
    fn the_next_page_is_found_among_links() {
        let link = r#"<http://h/first>; rel="first", <http://h/x?m=1>; rel="next""#;
        assert_eq!(next_page(link).as_deref(), Some("http://h/x?m=1"));
        assert_eq!(next_page(r#"<http://h/x>; rel="prev""#), None);
    }

    #[test]
    fn a_link_to_another_host_is_asked_of_our_own() {
        let ours = client("https://mano.example:8443/prefix/");
        assert_eq!(
            ours.follow("http://elsewhere/prefix/nsd/v2/ns_descriptors?nextpage_opaque_marker=Q"),
            "https://mano.example:8443/prefix/nsd/v2/ns_descriptors?nextpage_opaque_marker=Q"
        );
    }

    #[test]
    fn an_endpoint_that_is_no_url_is_misuse() {
        let failure = client("not a url").get(Api::Mano, "/vims").unwrap_err();
        assert_eq!(failure.status(), 2, "{failure}");
    }

    #[test]
    fn a_port_nobody_listens_on_is_named() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let failure = client(&format!("http://{free}")).get(Api::Mano, "/vims").unwrap_err();
        assert!(failure.to_string().contains(&format!("nothing answers at http://{free}")));
    }
}
