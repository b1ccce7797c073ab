//! Who asks: the one place that turns a token into a principal.

use crate::http::Principal;
use ::http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts};
use async_trait::async_trait;
use mano_model::TenantId;
use std::collections::HashMap;

/// Longest name of a caller or a tenant, in characters.
pub(super) const LONGEST_NAME: usize = 256;

/// Why a caller is not let in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The credentials are not written as they must be (400).
    #[error("{0}")]
    Malformed(String),
    /// No credentials (401).
    #[error("{0}")]
    Missing(String),
    /// Unknown or expired credentials (401).
    #[error("{0}")]
    Unknown(String),
    /// Known, and not allowed (403).
    #[error("{0}")]
    Forbidden(String),
    /// Nobody can say at the moment (503).
    #[error("{0}")]
    Unavailable(String),
}

impl Denied {
    /// What the client is answered.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::Missing(_) | Self::Unknown(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// `WWW-Authenticate`: how to ask, and what was wrong (RFC 6750, clause 3).
    #[must_use]
    pub fn challenge(&self) -> Option<HeaderValue> {
        let code = match self {
            Self::Missing(_) => return Some(HeaderValue::from_static("Bearer")),
            Self::Malformed(_) => "invalid_request",
            Self::Unknown(_) => "invalid_token",
            Self::Forbidden(_) | Self::Unavailable(_) => return None,
        };
        // The characters that the clause allows, which are also those of a header.
        let plain = |c: char| matches!(c, ' '..='~') && c != '"' && c != '\\';
        let why: String =
            self.to_string().chars().map(|c| if plain(c) { c } else { '?' }).collect();
        let text = format!("Bearer error=\"{code}\", error_description=\"{why}\"");
        HeaderValue::try_from(text).ok()
    }
}

/// Tells who asks.
#[async_trait]
pub trait Authenticator: Send + Sync {
    /// The caller of a request.
    async fn principal(&self, head: &Parts) -> Result<Principal, Denied>;
}

/// Everybody is the same caller of the default tenant: for one machine behind its own walls.
#[derive(Debug, Clone, Copy, Default)]
pub struct Anyone;

#[async_trait]
impl Authenticator for Anyone {
    async fn principal(&self, _head: &Parts) -> Result<Principal, Denied> {
        Ok(Principal { tenant: TenantId::default(), name: "anyone".into() })
    }
}

/// Fixed bearer tokens, each with a name and a tenant.
#[derive(Debug, Default)]
pub struct Tokens {
    known: HashMap<String, Principal>,
}

/// What is wrong with a list of tokens.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadTokens {
    /// A line is not `TOKEN NAME [TENANT]`.
    #[error("line {0} of the token file is not: TOKEN NAME [TENANT]")]
    Line(usize),
    /// A token is too short to be a secret.
    #[error("the token in line {0} of the token file is shorter than {min} characters", min = Tokens::SHORTEST)]
    Short(usize),
    /// A token stands twice.
    #[error("the token in line {0} of the token file stands there twice")]
    Twice(usize),
    /// A tenant is not written as one.
    #[error(
        "the tenant in line {0} of the token file is not made of letters (a to z), digits, - _ and ."
    )]
    Tenant(usize),
    /// There is none.
    #[error("the token file has no token; write lines like: TOKEN NAME [TENANT]")]
    None,
}

impl Tokens {
    /// Shortest token taken, in characters.
    pub const SHORTEST: usize = 16;

    /// Reads lines `TOKEN NAME [TENANT]`; empty lines and lines that begin with `#` do not count.
    ///
    /// # Errors
    /// The first line that is wrong.
    pub fn parse(text: &str) -> Result<Self, BadTokens> {
        let mut known = HashMap::new();
        for (number, line) in (1..).zip(text.lines()) {
            let words: Vec<_> = line.split_whitespace().collect();
            let (token, name, tenant) = match words[..] {
                [] => continue,
                [first, ..] if first.starts_with('#') => continue,
                [token, name] => (token, name, TenantId::DEFAULT),
                [token, name, tenant] => (token, name, tenant),
                _ => return Err(BadTokens::Line(number)),
            };
            if token.len() < Self::SHORTEST {
                return Err(BadTokens::Short(number));
            }
            if !is_tenant(tenant) {
                return Err(BadTokens::Tenant(number));
            }
            let principal = Principal { tenant: TenantId::new(tenant), name: name.into() };
            if known.insert(token.into(), principal).is_some() {
                return Err(BadTokens::Twice(number));
            }
        }
        if known.is_empty() { Err(BadTokens::None) } else { Ok(Self { known }) }
    }
}

#[async_trait]
impl Authenticator for Tokens {
    async fn principal(&self, head: &Parts) -> Result<Principal, Denied> {
        let token = bearer(&head.headers)?;
        // The map hashes with keys of this process, so an answer's time tells nothing of a token.
        self.known.get(token).cloned().ok_or_else(|| {
            Denied::Unknown("this token is unknown or has expired; ask for a new one".into())
        })
    }
}

/// The token of `Authorization: Bearer <token>` (RFC 6750).
pub fn bearer(headers: &HeaderMap) -> Result<&str, Denied> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().ok_or_else(|| {
        Denied::Missing("a token is required: Authorization: Bearer <token>".into())
    })?;
    let malformed = || Denied::Malformed("Authorization is not: Bearer <token>".into());
    if values.next().is_some() {
        return Err(malformed());
    }
    let (scheme, token) =
        value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(malformed)?;
    let token = token.trim();
    let fits = scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && !token.contains(' ');
    if fits { Ok(token) } else { Err(malformed()) }
}

/// Whether a text can be a tenant: it becomes a part of keys, and must not look like another part.
pub(super) fn is_tenant(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=LONGEST_NAME).contains(&text.len()) && text.bytes().all(known)
}
