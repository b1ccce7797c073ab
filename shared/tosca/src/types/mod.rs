//! Which types there are: SOL001's and TOSCA's own from a table, and those a package declares.
//!
//! A package's declaration of a name outranks the table's: it says what the author meant.

use std::collections::{BTreeMap, HashMap};

use crate::yaml::Node;

mod declared;
mod table;
mod version;

pub use table::{ALIASES, Table, base, known_versions, sol001};
pub use version::Version;

/// The kinds of type that TOSCA knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// `node_types`.
    Node,
    /// `data_types`.
    Data,
    /// `capability_types`.
    Capability,
    /// `relationship_types`.
    Relationship,
    /// `policy_types`.
    Policy,
    /// `group_types`.
    Group,
    /// `artifact_types`.
    Artifact,
    /// `interface_types`.
    Interface,
}

impl Kind {
    /// All of them, with the word of the table and the section of a template.
    pub const ALL: [(Self, &'static str, &'static str); 8] = [
        (Self::Node, "node", "node_types"),
        (Self::Data, "data", "data_types"),
        (Self::Capability, "capability", "capability_types"),
        (Self::Relationship, "relationship", "relationship_types"),
        (Self::Policy, "policy", "policy_types"),
        (Self::Group, "group", "group_types"),
        (Self::Artifact, "artifact", "artifact_types"),
        (Self::Interface, "interface", "interface_types"),
    ];
}

/// A property of a type.
#[derive(Debug, Clone, PartialEq)]
pub struct Property {
    /// Its type; `list<…>` and `map<…>` name what is in them.
    pub type_name: String,
    /// Whether a template must give it (it has no default).
    pub required: bool,
    /// Its default, where a package declares one.
    pub default: Option<Node>,
    /// The values allowed, where a package says so.
    pub valid: Vec<String>,
    /// The first SOL001 version that has it; 0.0.0 where that means nothing.
    pub since: Version,
}

/// A type: where it derives from and what it declares itself.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Type {
    /// The parent's name.
    pub parent: Option<String>,
    /// Properties by name.
    pub properties: BTreeMap<String, Property>,
    /// Types of the capabilities, by name.
    pub capabilities: BTreeMap<String, String>,
    /// Types of the capabilities that requirements ask for, by the requirement's name.
    pub requirements: BTreeMap<String, String>,
    /// Names of an interface's operations.
    pub operations: Vec<String>,
    /// The first SOL001 version that has it; 0.0.0 where that means nothing.
    pub since: Version,
    /// The last SOL001 version that has it, if it is gone.
    pub until: Option<Version>,
    /// Where a package declares it.
    pub place: Option<crate::finding::Place>,
}

/// Longest chain of parents that is followed; real ones have five.
const CHAIN: usize = 64;

/// The types in force for one package.
#[derive(Debug, Default)]
pub struct Types {
    declared: HashMap<(Kind, String), Type>,
}

impl Types {
    /// The type of this name: the package's, else the table's. A prefix `x:` is ignored.
    #[must_use]
    pub fn find(&self, kind: Kind, name: &str) -> Option<&Type> {
        let bare = || name.split_once(':').map(|(_, bare)| bare);
        self.find_exact(kind, name).or_else(|| self.find_exact(kind, bare()?))
    }

    fn find_exact(&self, kind: Kind, name: &str) -> Option<&Type> {
        let declared = self.declared.get(&(kind, name.to_owned()));
        declared.or_else(|| from_table(kind, name))
    }

    /// Whether the package declares the type itself.
    #[must_use]
    pub fn is_declared(&self, kind: Kind, name: &str) -> bool {
        self.declared.contains_key(&(kind, name.to_owned()))
    }

    /// The type and its ancestors, nearest first; ends at a cycle or an unknown name.
    pub fn chain<'a: 'n, 'n>(
        &'a self,
        kind: Kind,
        name: &'n str,
    ) -> impl Iterator<Item = (&'n str, &'a Type)> {
        let first: Option<(&'n str, &'a Type)> = self.find(kind, name).map(|t| (name, t));
        std::iter::successors(first, move |(name, found)| {
            let parent: &'a str = found.parent.as_deref()?;
            // A package may extend ETSI's type under ETSI's own name.
            if parent == *name {
                let known = from_table(kind, parent)?;
                return (!std::ptr::eq(known, *found)).then_some((parent, known));
            }
            self.find(kind, parent).map(|t| (parent, t))
        })
        .take(CHAIN)
    }

    /// Whether `name` is `ancestor`, derives from it, or is a draft's name for it.
    #[must_use]
    pub fn is_a(&self, kind: Kind, name: &str, ancestor: &str) -> bool {
        let bare = name.split_once(':').map_or(name, |(_, bare)| bare);
        canonical(bare) == ancestor
            || self.chain(kind, name).any(|(name, found)| {
                canonical(name) == ancestor
                    || found.parent.as_deref().map(canonical) == Some(ancestor)
            })
    }

    /// A property as the type or its nearest ancestor declares it.
    #[must_use]
    pub fn property(&self, kind: Kind, name: &str, property: &str) -> Option<&Property> {
        self.chain(kind, name).find_map(|(_, found)| found.properties.get(property))
    }

    /// All properties, the nearest declaration of each.
    #[must_use]
    pub fn properties(&self, kind: Kind, name: &str) -> BTreeMap<&str, &Property> {
        let mut all = BTreeMap::new();
        for (_, found) in self.chain(kind, name) {
            for (name, property) in &found.properties {
                all.entry(name.as_str()).or_insert(property);
            }
        }
        all
    }

    /// Types of all capabilities of a node type, by the capability's name.
    #[must_use]
    pub fn capabilities<'a>(&'a self, node_type: &str) -> BTreeMap<&'a str, &'a str> {
        let mut all = BTreeMap::new();
        for (_, found) in self.chain(Kind::Node, node_type) {
            for (name, type_name) in &found.capabilities {
                all.entry(name.as_str()).or_insert(type_name.as_str());
            }
        }
        all
    }

    /// The type of a node's capability.
    #[must_use]
    pub fn capability(&self, node_type: &str, capability: &str) -> Option<&str> {
        let mut chain = self.chain(Kind::Node, node_type);
        chain.find_map(|(_, found)| found.capabilities.get(capability)).map(String::as_str)
    }
}

/// The type as SOL001 or TOSCA has it.
pub(crate) fn from_table(kind: Kind, name: &str) -> Option<&'static Type> {
    sol001().find(kind, name).or_else(|| base().find(kind, name))
}

/// The final name of a type that drafts of SOL001 called otherwise.
#[must_use]
pub fn canonical(name: &str) -> &str {
    ALIASES.iter().find(|(draft, _)| *draft == name).map_or(name, |(_, last)| last)
}
