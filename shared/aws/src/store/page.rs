//! Pages in the order of ids: many partitions read at once and merged, within a budget.
//!
//! ```text
//!   partition 0 ─▶ a  e  k …┐
//!   partition 1 ─▶ b  c  z …┼─▶ the least head of all ─▶ page ─▶ next = its last id
//!   …                       │    (a partition that ran dry is read on first)
//!   partition 15 ─▶ d  f  … ┘
//! ```

use super::{
    DynamoStore, failed,
    item::{Item, Row, s, text, weight},
    keys::{self, PK, SHARDS, SK},
    read::{BLOBS, place_of},
};
use futures_util::{StreamExt, TryStreamExt, future::try_join_all, stream};
use mano_model::plan::{Index, Key};
use mano_ports::store::{Error, Page, Query, Stored};
use std::collections::{HashMap, VecDeque};

/// A page ends with the document that brings it to so many bytes, however many were asked for.
const BUDGET: usize = 4 << 20;
/// Rows that an index named are read so many at a time,
const CHUNK: usize = 25;
/// and so many times at once: a row has up to 400 KB.
const AT_ONCE: usize = 2;

/// What of a partition was read and not yet used.
struct Source {
    partition: String,
    heads: VecDeque<Item>,
    /// Ids from here on were not read; none: all were.
    from: Option<String>,
}

/// Which ids, in which partitions.
struct Range {
    index: Option<Index>,
    /// The least id.
    from: String,
    /// Ids reach up to this; none: to the end.
    to: Option<String>,
    /// The least that is read of a partition at a time.
    chunk: i32,
}

impl DynamoStore {
    pub(super) async fn read_page(&self, query: &Query) -> Result<Page, Error> {
        let limit = query.limit.max(1);
        let Some((range, partitions)) = range(query, limit) else { return Ok(Page::default()) };
        let from = Some(range.from.clone());
        let source = |partition| Source { partition, heads: VecDeque::new(), from: from.clone() };
        let mut sources: Vec<_> = partitions.into_iter().map(source).collect();
        let (mut found, mut bytes) = (Vec::new(), 0);
        while found.len() < limit && bytes < BUDGET {
            self.refill(&range, &mut sources).await?;
            let Some(item) = least(&mut sources) else { break };
            bytes += weight(&item);
            found.push(item);
        }
        let more = sources.iter().any(|source| source.from.is_some() || !source.heads.is_empty());
        let last = found.last().map(|item| text(item, SK).to_owned());
        let (found, end) = match &query.index {
            None => (found, None),
            Some(index) => self.indexed(query, index, &found).await?,
        };
        let documents = self.documents(query, found).await?;
        Ok(Page { documents, next: end.or(last.filter(|_| more)) })
    }

    /// Reads on where nothing is left, all at the same time.
    async fn refill(&self, range: &Range, sources: &mut [Source]) -> Result<(), Error> {
        let dry = sources.iter_mut().filter(|source| source.heads.is_empty());
        let reads = dry.map(async |source| {
            while source.heads.is_empty()
                && let Some(from) = source.from.take()
            {
                let (items, next) = self.part(range, &source.partition, &from).await?;
                source.heads = items.into();
                source.from = next;
            }
            Ok::<_, Error>(())
        });
        try_join_all(reads).await.map(drop)
    }

    /// Some rows of a partition, and where to go on.
    async fn part(
        &self,
        range: &Range,
        partition: &str,
        from: &str,
    ) -> Result<(Vec<Item>, Option<String>), Error> {
        let hash = range.index.map_or(PK, Index::as_str);
        let mut values =
            HashMap::from([(":p".to_owned(), s(partition)), (":from".to_owned(), s(from))]);
        let mut condition = String::from("#p = :p AND sk >= :from");
        if let Some(to) = &range.to {
            values.insert(":to".into(), s(to));
            condition = "#p = :p AND sk BETWEEN :from AND :to".into();
        }
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .set_index_name(range.index.map(|index| index.as_str().to_owned()))
            .consistent_read(range.index.is_none())
            .key_condition_expression(condition)
            .expression_attribute_names("#p", hash)
            .set_expression_attribute_values(Some(values))
            .limit(range.chunk);
        let got = query.send().await.map_err(failed)?;
        let next = got.last_evaluated_key.map(|last| after(text(&last, SK)));
        Ok((got.items.unwrap_or_default(), next))
    }

    /// Rows as documents.
    async fn documents(&self, query: &Query, found: Vec<Item>) -> Result<Vec<Stored>, Error> {
        let within = found.into_iter().filter(|item| is_within(query, text(item, SK)));
        let rows: Vec<_> =
            within.map(|item| self.stored(Row::read(key(query, text(&item, SK)), item))).collect();
        stream::iter(rows).buffered(BLOBS).try_collect().await
    }

    /// The rows that an index named and that are still to be found there, and the last one's id
    /// where the budget ends with it.
    async fn indexed(
        &self,
        query: &Query,
        (index, value): &(Index, String),
        found: &[Item],
    ) -> Result<(Vec<Item>, Option<String>), Error> {
        let reads: Vec<_> = found
            .chunks(CHUNK)
            .map(async |some| {
                let rows = self.batch(some.iter().map(place_of).collect()).await?;
                Ok::<_, Error>((some, rows))
            })
            .collect();
        let mut reads = stream::iter(reads).buffered(AT_ONCE);
        let (mut current, mut bytes) = (Vec::new(), 0);
        while let Some((some, mut rows)) = reads.try_next().await? {
            for item in some.iter().filter_map(|named| rows.remove(&place_of(named))) {
                let id = text(&item, SK);
                let (kind, shard) = (query.kind, keys::shard(id));
                if text(&item, index.as_str())
                    != keys::under(*index, kind, &query.tenant, value, shard)
                {
                    continue;
                }
                bytes += weight(&item);
                let end = (bytes >= BUDGET).then(|| id.to_owned());
                current.push(item);
                if end.is_some() {
                    return Ok((current, end));
                }
            }
        }
        Ok((current, None))
    }
}

/// What is read for a query; none: nothing can be found.
fn range(query: &Query, limit: usize) -> Option<(Range, Vec<String>)> {
    let first = query.within.as_ref().map(|parent| format!("{parent}/"));
    let beyond = query.after.as_deref().map(after);
    let from = match (first, beyond) {
        (Some(first), Some(beyond)) => first.max(beyond),
        // The empty text is no sort key: the least one that is, is as good.
        (first, beyond) => first.or(beyond).unwrap_or_else(|| "\0".into()),
    };
    // The byte after '/' is '0': everything below a parent sorts before it.
    let to = query.within.as_ref().map(|parent| format!("{parent}0"));
    if to.as_ref().is_some_and(|to| from > *to) {
        return None;
    }
    let (kind, tenant) = (query.kind, &query.tenant);
    let shards: Vec<u32> = match &query.within {
        Some(parent) => vec![keys::shard(parent)],
        None => (0..SHARDS).collect(),
    };
    let partitions: Vec<String> = match &query.index {
        None => shards.iter().map(|shard| keys::documents(kind, tenant, *shard)).collect(),
        Some((index, value)) => {
            let spread = shards
                .iter()
                .filter(|shard| query.within.is_some() || **shard < keys::spread(*index));
            spread.map(|shard| keys::under(*index, kind, tenant, value, *shard)).collect()
        }
    };
    let share = limit / partitions.len() + limit / partitions.len() / 2 + 2;
    let chunk = i32::try_from(share).unwrap_or(i32::MAX);
    Some((
        Range { index: query.index.as_ref().map(|(index, _)| *index), from, to, chunk },
        partitions,
    ))
}

/// The least text after this one.
fn after(id: &str) -> String {
    format!("{id}\0")
}

fn is_within(query: &Query, id: &str) -> bool {
    let below = |parent: &String| id.strip_prefix(parent).is_some_and(|rest| rest.starts_with('/'));
    query.within.as_ref().is_none_or(below)
}

fn key(query: &Query, id: &str) -> Key {
    Key { kind: query.kind, tenant: query.tenant.clone(), id: id.into() }
}

/// Takes the row with the least id.
fn least(sources: &mut [Source]) -> Option<Item> {
    let head = |source: &Source| source.heads.front().map(|item| text(item, SK).to_owned());
    let least = sources.iter_mut().filter(|s| !s.heads.is_empty()).min_by_key(|s| head(s))?;
    least.heads.pop_front()
}
