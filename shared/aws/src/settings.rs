//! What a function is told by its environment, read once and named where it is missing.

use crate::tenants::{BadTenants, Tenants};
use mano_ports::door::jwt::{Address, BadAddress, BadKeys, KeySet, Place, Trust};
use std::collections::HashMap;

/// What stands in the way of starting.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Variables that must be there and are not.
    #[error("the environment has no {}: set what is missing on the function", .0.join(", no "))]
    Missing(Vec<String>),
    /// A variable whose value is none of those there are.
    #[error("{name} is '{value}', which is none of: {known}")]
    Unknown {
        /// The variable.
        name: &'static str,
        /// What it says.
        value: String,
        /// What it may say.
        known: &'static str,
    },
    /// Keys of an issuer cannot be asked for there.
    #[error("{0} cannot be used")]
    Address(&'static str, #[source] BadAddress),
    /// Keys of an issuer were given and cannot be read.
    #[error("MANO_JWT_KEYS cannot be used")]
    Keys(#[from] BadKeys),
    /// The map of tenants cannot be read.
    #[error("MANO_TENANTS cannot be read")]
    Tenants(#[from] BadTenants),
}

/// How callers prove who they are.
#[derive(Debug, Clone)]
pub enum Auth {
    /// API Gateway checks the signature of an IAM identity.
    Iam,
    /// They show a token of an issuer, who has these keys.
    Jwt(Trust, Keys),
}

/// Where the keys of an issuer are had from.
#[derive(Debug, Clone)]
pub enum Keys {
    /// The issuer publishes them.
    Published(Place),
    /// They stand in the environment, where there is no way to the issuer.
    Given(KeySet),
}

/// The surroundings of a function.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The table of all documents.
    pub table: String,
    /// The bucket of all content.
    pub bucket: String,
    /// The event bus for OSS and BSS, by name.
    pub bus: String,
    /// The beginning of every state machine's ARN; a workflow's name completes it.
    pub state_machines: String,
    /// The place that alone writes its documents.
    pub site: String,
    /// How callers prove who they are.
    pub auth: Auth,
    /// Who belongs to which tenant.
    pub tenants: Tenants,
    /// Scheme, host and prefix for links; none: as the client called.
    pub api_root: Option<String>,
    /// Whether an emulator answers instead of AWS.
    pub emulated: bool,
    variables: HashMap<String, String>,
}

impl Settings {
    /// Reads variables; empty ones count as missing.
    ///
    /// # Errors
    /// Everything that is missing, at once, or the first value that cannot be.
    pub fn read(variables: impl IntoIterator<Item = (String, String)>) -> Result<Self, Error> {
        let variables: HashMap<_, _> =
            variables.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        let mut missing = Vec::new();
        let mut must = |name: &str| {
            variables.get(name).cloned().unwrap_or_else(|| {
                missing.push(name.to_owned());
                String::new()
            })
        };
        let (table, bucket, bus) = (must("MANO_TABLE"), must("MANO_BUCKET"), must("MANO_BUS"));
        let state_machines = must("MANO_STATE_MACHINE_PREFIX");
        let by_jwt = variables.get("MANO_AUTH").is_some_and(|auth| auth == "jwt");
        let (issuer, audience) = if by_jwt {
            (must("MANO_JWT_ISSUER"), must("MANO_JWT_AUDIENCE"))
        } else {
            Default::default()
        };
        if !["AWS_REGION", "MANO_REGION"].iter().any(|name| variables.contains_key(*name)) {
            missing.push("AWS_REGION".into());
        }
        if !missing.is_empty() {
            return Err(Error::Missing(missing));
        }
        let optional = |name: &str| variables.get(name).cloned();
        let tenants = Tenants::parse(optional("MANO_TENANTS").as_deref())?;
        let auth = match optional("MANO_AUTH").as_deref() {
            None | Some("iam") => Auth::Iam,
            Some("jwt") => {
                let keys = keys(&issuer, optional("MANO_JWT_KEYS").as_deref())?;
                let tenant_claim =
                    optional("MANO_JWT_TENANT_CLAIM").unwrap_or_else(|| Trust::TENANT_CLAIM.into());
                let tenants = tenants.named().clone();
                Auth::Jwt(Trust { issuer, audience, tenant_claim, tenants }, keys)
            }
            Some(value) => {
                let (name, value) = ("MANO_AUTH", value.into());
                return Err(Error::Unknown { name, value, known: "iam, jwt" });
            }
        };
        Ok(Self {
            table,
            bucket,
            bus,
            state_machines,
            site: optional("MANO_SITE").unwrap_or_else(|| "core".into()),
            auth,
            tenants,
            api_root: optional("MANO_API_ROOT").map(|root| root.trim_end_matches('/').to_owned()),
            emulated: ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"]
                .iter()
                .any(|name| variables.contains_key(*name)),
            variables,
        })
    }

    /// Refuses to start without the queues that a function receives from.
    ///
    /// # Errors
    /// The variables that are missing.
    pub fn demand_queues(&self, queues: impl Iterator<Item = &'static str>) -> Result<(), Error> {
        let names = queues.flat_map(|queue| [variable("QUEUE", queue), variable("DEAD", queue)]);
        let missing: Vec<_> = names.filter(|name| !self.variables.contains_key(name)).collect();
        if missing.is_empty() { Ok(()) } else { Err(Error::Missing(missing)) }
    }

    /// The region, where it has a name of its own.
    #[must_use]
    pub fn region(&self) -> Option<String> {
        self.variables.get("MANO_REGION").cloned()
    }

    /// Any other variable.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// Where messages of a queue go.
    ///
    /// # Errors
    /// The variable that is missing.
    pub fn queue(&self, name: &str) -> Result<&str, Error> {
        self.url(variable("QUEUE", name))
    }

    /// Where messages of a queue go that nobody could handle.
    ///
    /// # Errors
    /// The variable that is missing.
    pub fn dead(&self, name: &str) -> Result<&str, Error> {
        self.url(variable("DEAD", name))
    }

    /// Every queue that has dead letters, by name, and where they lie.
    pub(crate) fn dead_queues(&self) -> impl Iterator<Item = (String, &str)> {
        self.variables.iter().filter_map(|(name, url)| {
            let queue = name.strip_prefix("MANO_DEAD_")?.to_lowercase().replace('_', "-");
            Some((queue, url.as_str()))
        })
    }

    fn url(&self, name: String) -> Result<&str, Error> {
        self.variables.get(&name).map(String::as_str).ok_or_else(|| Error::Missing(vec![name]))
    }
}

/// Where the keys of an issuer are had from: a set, an address, or nothing but the issuer.
fn keys(issuer: &str, keys: Option<&str>) -> Result<Keys, Error> {
    let address = |name, text| Address::parse(text).map_err(|bad| Error::Address(name, bad));
    Ok(match keys.map(str::trim) {
        Some(set) if set.starts_with('{') => Keys::Given(KeySet::parse(set.as_bytes())?),
        Some(at) => Keys::Published(Place::At(address("MANO_JWT_KEYS", at)?)),
        None => Keys::Published(Place::By(address("MANO_JWT_ISSUER", issuer)?)),
    })
}

/// `MANO_QUEUE_UPLOAD_WATCH` of the queue `upload-watch`.
fn variable(what: &str, queue: &str) -> String {
    format!("MANO_{what}_{}", queue.to_uppercase().replace('-', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Result<Settings, Error> {
        Settings::read(pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())))
    }

    const ALL: [(&str, &str); 6] = [
        ("MANO_TABLE", "t"),
        ("MANO_BUCKET", "b"),
        ("MANO_BUS", "u"),
        ("MANO_STATE_MACHINE_PREFIX", "arn:aws:states:us-east-1:1:stateMachine:s-"),
        ("AWS_REGION", "us-east-1"),
        ("MANO_QUEUE_UPLOAD_WATCH", "http://queue"),
    ];

    #[test]
    fn everything_that_is_missing_is_named_at_once() {
        let said = of(&[("MANO_BUS", "u"), ("MANO_TABLE", "")]).expect_err("missing").to_string();
        for name in ["MANO_TABLE", "MANO_BUCKET", "MANO_STATE_MACHINE_PREFIX", "AWS_REGION"] {
            assert!(said.contains(name), "{said}");
        }
        assert!(!said.contains("MANO_BUS"), "{said}");
    }

    #[test]
    fn a_door_that_nobody_could_keep_is_not_opened() {
        let open = ALL.iter().chain(&[("MANO_AUTH", "none")]).copied().collect::<Vec<_>>();
        let said = of(&open).expect_err("refused").to_string();
        assert!(said.contains("MANO_AUTH") && said.contains("iam"), "{said}");
    }

    #[test]
    fn tokens_need_an_issuer_that_can_be_asked_and_an_audience() {
        let with = |more: &[(&str, &str)]| {
            let jwt = ALL.iter().chain(&[("MANO_AUTH", "jwt")]).chain(more);
            of(&jwt.copied().collect::<Vec<_>>())
        };
        let said = with(&[("MANO_JWT_AUDIENCE", "")]).expect_err("missing").to_string();
        assert!(said.contains("MANO_JWT_ISSUER") && said.contains("MANO_JWT_AUDIENCE"), "{said}");
        let (issuer, audience) =
            (("MANO_JWT_ISSUER", "https://idp.example"), ("MANO_JWT_AUDIENCE", "mano"));
        let said = with(&[issuer]).expect_err("missing").to_string();
        assert!(!said.contains("MANO_JWT_ISSUER") && said.contains("MANO_JWT_AUDIENCE"), "{said}");
        let plain = with(&[("MANO_JWT_ISSUER", "http://idp.example"), audience]);
        assert!(plain.expect_err("refused").to_string().contains("MANO_JWT_ISSUER"));
        for keys in ["keys.json", "{}", r#"{"keys": []}"#] {
            let keys = with(&[issuer, audience, ("MANO_JWT_KEYS", keys)]);
            assert!(keys.expect_err("refused").to_string().contains("MANO_JWT_KEYS"));
        }
        let map = ("MANO_TENANTS", r#"{"oss": "acme"}"#);
        let settings = with(&[issuer, audience, map]).expect("complete");
        let Auth::Jwt(trust, Keys::Published(Place::By(_))) = settings.auth else {
            panic!("{settings:?}")
        };
        assert_eq!((&*trust.issuer, &*trust.audience), ("https://idp.example", "mano"));
        assert_eq!((&*trust.tenant_claim, &*trust.tenants["oss"]), ("tenant", "acme"));
    }

    #[test]
    fn signatures_need_no_issuer() {
        for iam in [&[("MANO_AUTH", "iam"), ("MANO_JWT_ISSUER", "")][..], &[]] {
            let settings = of(&ALL.iter().chain(iam).copied().collect::<Vec<_>>());
            assert!(matches!(settings.expect("complete").auth, Auth::Iam));
        }
    }

    #[test]
    fn a_queue_goes_by_its_name_in_capitals() {
        let settings = of(&ALL).expect("complete");
        assert_eq!(settings.queue("upload-watch").expect("set"), "http://queue");
        let said = settings.demand_queues(["upload-watch"].into_iter()).expect_err("no dead");
        assert!(said.to_string().contains("MANO_DEAD_UPLOAD_WATCH"), "{said}");
        assert!(settings.queue("watch").is_err());
    }
}
