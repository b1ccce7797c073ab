//! A wire type's attributes as a table, so that filters and selectors can be checked against it.
//!
//! ```
//! use mano_model::sol::sol013::{Attribute, Kind, Listing, any, object, text};
//! const LINKS: &[Attribute] = &[object("self", &[text("href").must()]).must()];
//! const SHAPE: &[Attribute] =
//!     &[text("id").must(), text("vnfInstanceName"), any("metadata"), object("_links", LINKS).must()];
//! static LISTING: Listing = Listing::new(SHAPE, &["metadata"]);
//! ```

use crate::plan::Index;

/// What an attribute holds.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A string, an identifier or an enumerated word.
    Text,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// An RFC 3339 date-time.
    DateTime,
    /// A structure with these attributes.
    Object(&'static [Attribute]),
    /// A map from any key to this.
    MapOf(&'static Self),
    /// Whatever the sender put there (`KeyValuePairs` and the like).
    Any,
}

/// One attribute of a wire type.
#[derive(Debug, Clone, Copy)]
pub struct Attribute {
    /// The name on the wire.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// An array of it.
    pub many: bool,
    /// Lower bound 1, or conditionally mandatory: no selector takes it away.
    pub mandatory: bool,
}

impl Attribute {
    /// The same, mandatory.
    #[must_use]
    pub const fn must(self) -> Self {
        Self { mandatory: true, ..self }
    }

    /// An array of it.
    #[must_use]
    pub const fn many(self) -> Self {
        Self { many: true, ..self }
    }

    /// Whether a selector may take it away: complex and optional (SOL013 clause 5.3).
    #[must_use]
    pub const fn removable(&self) -> bool {
        let complex = matches!(self.kind, Kind::Object(_) | Kind::MapOf(_) | Kind::Any);
        !self.mandatory && (complex || self.many)
    }

    /// An optional attribute of a kind.
    const fn of(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, many: false, mandatory: false }
    }
}

/// An optional string.
#[must_use]
pub const fn text(name: &'static str) -> Attribute {
    Attribute::of(name, Kind::Text)
}

/// An optional number.
#[must_use]
pub const fn number(name: &'static str) -> Attribute {
    Attribute::of(name, Kind::Number)
}

/// An optional boolean.
#[must_use]
pub const fn boolean(name: &'static str) -> Attribute {
    Attribute::of(name, Kind::Boolean)
}

/// An optional date-time.
#[must_use]
pub const fn date_time(name: &'static str) -> Attribute {
    Attribute::of(name, Kind::DateTime)
}

/// An optional structure.
#[must_use]
pub const fn object(name: &'static str, attributes: &'static [Attribute]) -> Attribute {
    Attribute::of(name, Kind::Object(attributes))
}

/// An optional map.
#[must_use]
pub const fn map(name: &'static str, of: &'static Kind) -> Attribute {
    Attribute::of(name, Kind::MapOf(of))
}

/// An optional attribute of unknown content.
#[must_use]
pub const fn any(name: &'static str) -> Attribute {
    Attribute::of(name, Kind::Any)
}

/// What a list of a wire type knows about it.
#[derive(Debug, Clone, Copy)]
pub struct Listing {
    /// The attributes of the type.
    pub shape: &'static [Attribute],
    /// Paths that are left out when the client names no selector (`exclude_default`).
    pub excluded_by_default: &'static [&'static str],
    /// Top-level text attributes that the store finds documents by.
    pub indexes: &'static [(&'static str, Index)],
}

impl Listing {
    /// A list of a type, with what is left out by default.
    #[must_use]
    pub const fn new(
        shape: &'static [Attribute],
        excluded_by_default: &'static [&'static str],
    ) -> Self {
        Self { shape, excluded_by_default, indexes: &[] }
    }

    /// With attributes that the store finds documents by, so that `(eq,…)` on one reads less.
    #[must_use]
    pub const fn by(self, indexes: &'static [(&'static str, Index)]) -> Self {
        Self { indexes, ..self }
    }
}
