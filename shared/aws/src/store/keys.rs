//! Where a row lies in the table: partition and sort keys.
//!
//! ```text
//!   {kind}#{tenant}#{0..15} │ {id}              a document; children lie with their siblings
//!   plan#{plan id}          │ plan              a plan was carried out
//!   spoken#{0..15}          │ {about}           how many facts a document was spoken of in
//!   fact#{0..15}            │ {about}#{seq}     a fact that somebody still has to hear
//!   sweep#blobs             │ sweep             where the next sweep of blobs begins
//!   tries#{message}         │ tries             how often a message was tried in vain
//! ```

use mano_model::{
    TenantId, ids,
    plan::{Index, Key, Kind},
};

/// The partition key's attribute.
pub const PK: &str = "pk";
/// The sort key's attribute.
pub const SK: &str = "sk";
/// The attribute by which rows expire.
pub const TTL: &str = "ttl";
/// What the partition keys of facts begin with: the filter of the table's stream.
pub const FACTS: &str = "fact#";

/// Partitions per kind and tenant, so that none is hot.
pub(crate) const SHARDS: u32 = 16;

/// Longest id, in bytes: `DynamoDB`'s for sort keys, less one for "what comes after it".
const LONGEST: usize = 1023;

/// Which partition a document lies in; children lie where their siblings lie.
pub(crate) fn shard(id: &str) -> u32 {
    let stem = id.split('/').next().unwrap_or(id);
    crc32fast::hash(stem.as_bytes()) % SHARDS
}

/// Whether the table can have such a key.
pub(crate) fn fits(key: &Key) -> bool {
    !key.id.is_empty() && key.id.len() <= LONGEST && key.tenant.as_str().len() <= LONGEST
}

/// A partition of documents.
pub(crate) fn documents(kind: Kind, tenant: &TenantId, shard: u32) -> String {
    format!("{}#{tenant}#{shard}", kind.as_str())
}

/// The partition of a document.
pub(crate) fn partition(key: &Key) -> String {
    documents(key.kind, &key.tenant, shard(&key.id))
}

/// The row that says a plan was carried out.
pub(crate) fn plan(id: &uuid::Uuid) -> String {
    format!("plan#{id}")
}

/// Partitions of an index: what has few values has many documents under each.
pub(crate) const fn spread(index: Index) -> u32 {
    match index {
        Index::OperationState | Index::VimId => SHARDS,
        Index::NsdId
        | Index::VnfdId
        | Index::VnfPkgId
        | Index::NsInstanceId
        | Index::VnfInstanceId => 1,
    }
}

/// A partition of an index.
pub(crate) fn under(
    index: Index,
    kind: Kind,
    tenant: &TenantId,
    value: &str,
    shard: u32,
) -> String {
    format!("{}#{tenant}#{}#{value}", kind.as_str(), shard % spread(index))
}

/// A document that is spoken of, in a name of fixed length.
pub(crate) fn about(key: &Key) -> String {
    ids::derived(&[key.kind.as_str(), key.tenant.as_str(), &key.id]).to_string()
}

/// The row that says how often a message was tried.
pub(crate) fn tries(message: &str) -> String {
    format!("tries#{message}")
}

/// The row that says where the next sweep of blobs begins.
pub(crate) const SWEEP: (&str, &str) = ("sweep#blobs", "sweep");

/// The partition of what is said about a document.
pub(crate) fn facts(about: &str) -> String {
    format!("{FACTS}{}", crc32fast::hash(about.as_bytes()) % SHARDS)
}

/// The partition of the counter of what was said about a document.
pub(crate) fn spoken(about: &str) -> String {
    format!("spoken#{}", crc32fast::hash(about.as_bytes()) % SHARDS)
}

/// The sort key of a fact.
pub(crate) fn fact(about: &str, seq: u64) -> String {
    format!("{about}#{seq:020}")
}

/// The document and the place a fact's sort key names.
pub(crate) fn parse_fact(sk: &str) -> Option<(&str, u64)> {
    let (about, seq) = sk.split_once('#')?;
    Some((about, seq.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_lie_with_their_siblings_and_parents_apart() {
        let shards: std::collections::HashSet<_> =
            (0..200).map(|n| shard(&format!("op-{n}"))).collect();
        assert_eq!(shards.len(), SHARDS as usize);
        assert_eq!(shard("op-7/net-1"), shard("op-7/vdu-1/port"));
    }

    #[test]
    fn a_facts_key_sorts_by_its_place_and_is_read_again() {
        let key = Key { kind: Kind::Note, tenant: TenantId::default(), id: "a#b".into() };
        let about = about(&key);
        assert!(fact(&about, 9) < fact(&about, 10));
        assert_eq!(parse_fact(&fact(&about, 10)), Some((&*about, 10)));
        assert_eq!(parse_fact("no fact"), None);
    }
}
