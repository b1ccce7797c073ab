//! Lists: filter, selector and paging over any number of stored documents, in bounded memory.

use super::query::encode;
use crate::{
    Cx, Error,
    http::{Body, Reply, Request},
    store::{Query, Stored},
};
use ::http::{StatusCode, header};
use mano_model::{
    Refusal,
    sol::sol013::{Filter, Listing, Marker, Selector},
};
use serde_json::Value;
use std::{future::Future, time::Duration};

/// Largest list in one answer, in bytes; one element more may follow.
const MAX_BYTES: usize = 4 << 20;
/// Most documents looked at for one answer.
const MAX_SCANNED: usize = 20_000;
/// A list answers with what it has when its deadline is nearer than this.
const RESERVE: Duration = Duration::from_secs(5);

/// What a client asks of a list: which elements, which attributes, from where on.
#[derive(Debug)]
pub struct Asked {
    /// Which elements.
    pub filter: Filter,
    /// Which attributes.
    pub selector: Selector,
    /// The id after which the page begins.
    pub after: Option<String>,
    /// Filter and selector as they were written.
    written: Vec<(String, String)>,
}

/// Whether a parameter goes into the marker.
fn carried(name: &str) -> bool {
    name == "filter" || Selector::PARAMETERS.contains(&name)
}

impl Asked {
    /// Reads the query of a request for a list of this type.
    ///
    /// # Errors
    /// A refusal (400) of a filter, selector or marker that is wrong.
    pub fn read(request: &Request, listing: &Listing) -> Result<Self, Refusal> {
        let own: Vec<_> = request.query.iter().filter(|(name, _)| carried(name)).cloned().collect();
        let (after, written) = match request.query(Marker::PARAMETER) {
            None => (None, own),
            Some(sealed) => {
                let marker = Marker::open(&request.uri_path, sealed)?;
                same(&own, &marker.query)?;
                (Some(marker.after), marker.query)
            }
        };
        let pairs = || written.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let selector = Selector::parse(listing, pairs())?;
        let filter = match pairs().find(|(name, _)| *name == "filter") {
            Some((_, text)) => Filter::parse(listing.shape, text)?,
            None => Filter::default(),
        };
        Ok(Self { filter, selector, after, written })
    }

    /// The element as the client sees it, if the client wants it.
    #[must_use]
    pub fn show(&self, mut element: Value) -> Option<Value> {
        if !self.filter.keeps(&element) {
            return None;
        }
        self.selector.apply(&mut element);
        Some(element)
    }

    /// The `Link` header to what comes after `id`.
    #[must_use]
    pub fn link(&self, request: &Request, id: &str) -> String {
        let marker = Marker { after: id.into(), query: self.written.clone() };
        let sealed = marker.seal(&request.uri_path);
        let mut link = format!("<{}{}?", request.api_root, request.uri_path);
        let others = request.query.iter().filter(|(name, _)| !carried(name));
        for (name, value) in others.filter(|(name, _)| name != Marker::PARAMETER) {
            link.push_str(&format!("{}={}&", encode(name), encode(value)));
        }
        link.push_str(&format!("{}={sealed}>; rel=\"next\"", Marker::PARAMETER));
        link
    }
}

/// Refuses parameters beside a marker that are not those it carries.
fn same(own: &[(String, String)], marked: &[(String, String)]) -> Result<(), Refusal> {
    match own.iter().find(|pair| !marked.contains(pair)) {
        None => Ok(()),
        Some((name, _)) => Err(Refusal::malformed(format!(
            "{name} differs from what {} carries; take the link of the page before as it is",
            Marker::PARAMETER
        ))),
    }
}

/// Answers with one page of the documents of `query`, each as `wire` makes it.
///
/// [`Query::limit`] is the size of the page. An `(eq,…)` on an indexed attribute reads by the index.
/// The page ends early when it grows too large or takes too long; its link leads on.
///
/// # Errors
/// A refusal (400) of the query; whatever the store or `wire` fail with.
pub async fn list(
    cx: &Cx,
    request: &Request,
    listing: &Listing,
    query: Query,
    wire: impl Fn(&Stored) -> Result<Value, Error> + Send + Sync,
) -> Result<Reply, Error> {
    let mut walk = Walk::begin(request, listing, query)?;
    loop {
        let found = cx.store.page(&walk.query).await?;
        let mut made = Vec::with_capacity(found.documents.len());
        for stored in &found.documents {
            made.push((stored.key.id.clone(), wire(stored)?));
        }
        if let Some(reply) = walk.turn(cx, request, made, found.next)? {
            return Ok(reply);
        }
    }
}

/// As [`list`], where the elements of a store's page need more than their own documents: `wire`
/// gets the page and makes as many elements, in its order.
///
/// # Errors
/// As [`list`].
pub async fn list_many<Made>(
    cx: &Cx,
    request: &Request,
    listing: &Listing,
    query: Query,
    wire: impl Fn(Vec<Stored>) -> Made,
) -> Result<Reply, Error>
where
    Made: Future<Output = Result<Vec<Value>, Error>>,
{
    let mut walk = Walk::begin(request, listing, query)?;
    loop {
        let found = cx.store.page(&walk.query).await?;
        let ids: Vec<_> = found.documents.iter().map(|stored| stored.key.id.clone()).collect();
        let made = ids.into_iter().zip(wire(found.documents).await?).collect();
        if let Some(reply) = walk.turn(cx, request, made, found.next)? {
            return Ok(reply);
        }
    }
}

/// The way through the pages of a store.
struct Walk {
    asked: Asked,
    query: Query,
    page: Page,
}

impl Walk {
    /// Before the first page of the store.
    fn begin(request: &Request, listing: &Listing, query: Query) -> Result<Self, Refusal> {
        let asked = Asked::read(request, listing)?;
        let mut query = query.after(asked.after.clone());
        if query.index.is_none() {
            query.index = listing.indexes.iter().find_map(|(attribute, index)| {
                Some((*index, asked.filter.demands(attribute)?.to_owned()))
            });
        }
        let page = Page::new(query.limit.max(1));
        Ok(Self { asked, query, page })
    }

    /// Takes the elements of a page of the store; the answer, if that was the last one.
    fn turn(
        &mut self,
        cx: &Cx,
        request: &Request,
        made: Vec<(String, Value)>,
        next: Option<String>,
    ) -> Result<Option<Reply>, Error> {
        for (id, element) in made {
            if !self.page.take(&self.asked, id, element)? {
                return Ok(Some(self.page.reply(request, &self.asked)));
            }
        }
        let Some(next) = next else { return Ok(Some(self.page.whole())) };
        self.page.last = Some(next.clone());
        self.query.after = Some(next);
        let spent = self.page.scanned >= MAX_SCANNED;
        if spent || cx.clock.now() + RESERVE > request.deadline {
            return Ok(Some(self.page.reply(request, &self.asked)));
        }
        Ok(None)
    }
}

/// A page as it grows.
struct Page {
    limit: usize,
    text: Vec<u8>,
    shown: usize,
    scanned: usize,
    last: Option<String>,
}

impl Page {
    fn new(limit: usize) -> Self {
        Self { limit, text: vec![b'['], shown: 0, scanned: 0, last: None }
    }

    /// Takes one document; `false`: it is wanted and there is no room for it.
    fn take(&mut self, asked: &Asked, id: String, element: Value) -> Result<bool, Error> {
        self.scanned += 1;
        if let Some(element) = asked.show(element) {
            if self.shown >= self.limit || self.text.len() >= MAX_BYTES {
                return Ok(false);
            }
            if self.shown > 0 {
                self.text.push(b',');
            }
            serde_json::to_writer(&mut self.text, &element)
                .map_err(|error| Error::Bug(format!("an element is no JSON: {error}")))?;
            self.shown += 1;
        }
        self.last = Some(id);
        Ok(true)
    }

    /// The answer when nothing follows.
    fn whole(&mut self) -> Reply {
        self.text.push(b']');
        let text = std::mem::take(&mut self.text);
        Reply { status: StatusCode::OK, headers: Vec::new(), body: Body::Json(text.into()) }
    }

    /// The answer with a link to what follows.
    fn reply(&mut self, request: &Request, asked: &Asked) -> Reply {
        let link = self.last.as_deref().map(|last| asked.link(request, last));
        let reply = self.whole();
        match link {
            Some(link) => reply.header(header::LINK, link),
            None => reply,
        }
    }
}
