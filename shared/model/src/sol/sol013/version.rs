//! Versions of the interfaces, and what their `Version` header may say (SOL013 clause 9).

use crate::{Refusal, refusal::Why};
use serde::{Deserialize, Serialize};
use std::fmt;

/// `MAJOR.MINOR.PATCH`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Changes when clients must change.
    pub major: u32,
    /// Grows with every edition.
    pub minor: u32,
    /// Corrections.
    pub patch: u32,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl Version {
    /// A version by its numbers.
    #[must_use]
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self { major, minor, patch }
    }

    /// Reads `2.0.0` or `2.0.0-impl:example.org:product:1`; the suffix does not count.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let plain = match text.split_once('-') {
            None => text,
            Some((plain, suffix)) => {
                suffix.strip_prefix("impl:").filter(|rest| !rest.is_empty())?;
                plain
            }
        };
        let mut numbers = plain.split('.').map(number);
        let version = Self::new(numbers.next()??, numbers.next()??, numbers.next()??);
        numbers.next().is_none().then_some(version)
    }
}

/// A number of digits only; `parse` alone would take `+2`.
fn number(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// One major version of an interface.
#[derive(Debug, Clone, Copy)]
pub struct Api {
    /// `nslcm`, `vnflcm`, …: the first part of its paths.
    pub name: &'static str,
    /// `v2`: the second part of its paths.
    pub major: &'static str,
    /// The editions served, oldest first; all between the first and the last are taken.
    pub versions: &'static [Version],
    /// Whether a request must say which edition it means.
    pub required: bool,
}

/// Editions of the interfaces that reached major version 2 with release 3 of the standard.
const SECOND: &[Version] = &[
    Version::new(2, 0, 0),
    Version::new(2, 1, 0),
    Version::new(2, 2, 0),
    Version::new(2, 10, 0),
    Version::new(2, 12, 0),
];
/// Editions of the interfaces in release 2 of the standard.
const FIRST: &[Version] =
    &[Version::new(1, 0, 0), Version::new(1, 1, 0), Version::new(1, 2, 0), Version::new(1, 3, 0)];
/// Our own routes have one edition.
const OWN: &[Version] = &[Version::new(1, 0, 0)];

/// Every interface this software may serve, by the beginning of its paths.
pub const APIS: &[Api] = &[
    Api { name: "nsd", major: "v2", versions: SECOND, required: true },
    Api { name: "nsd", major: "v1", versions: FIRST, required: false },
    Api { name: "nslcm", major: "v2", versions: SECOND, required: true },
    Api { name: "nslcm", major: "v1", versions: FIRST, required: false },
    Api { name: "vnflcm", major: "v2", versions: SECOND, required: true },
    Api { name: "vnflcm", major: "v1", versions: FIRST, required: false },
    Api { name: "vnfpkgm", major: "v2", versions: SECOND, required: true },
    Api { name: "vnfpkgm", major: "v1", versions: FIRST, required: false },
    Api { name: "mano", major: "v1", versions: OWN, required: false },
];

impl Api {
    /// The interface a path belongs to.
    #[must_use]
    pub fn of(path: &str) -> Option<&'static Self> {
        let mut parts = path.strip_prefix('/')?.split('/');
        let (name, major) = (parts.next()?, parts.next()?);
        APIS.iter().find(|api| api.name == name && api.major == major)
    }

    /// The newest major version of the interface that a list of versions, `/{name}/api_versions`,
    /// speaks of.
    #[must_use]
    pub fn listed(path: &str) -> Option<&'static Self> {
        let name = path.strip_prefix('/')?.strip_suffix("/api_versions")?;
        APIS.iter().find(|api| api.name == name)
    }

    /// The newest edition.
    #[must_use]
    pub fn newest(&self) -> Version {
        self.versions.last().copied().unwrap_or(Version::new(1, 0, 0))
    }

    /// The edition a request is served by; `required`: a request must name one.
    ///
    /// # Errors
    /// Malformed (400) where the header is missing or no version; not acceptable (406) where the
    /// edition is not served.
    pub fn serve(&self, header: Option<&str>, required: bool) -> Result<Version, Refusal> {
        let Some(text) = header else {
            if required {
                return Err(self.refuse(Why::Malformed, "the Version header is missing"));
            }
            return Ok(self.newest());
        };
        let asked = Version::parse(text.trim()).ok_or_else(|| {
            self.refuse(Why::Malformed, &format!("Version '{text}' is not MAJOR.MINOR.PATCH"))
        })?;
        let oldest = self.versions.first().copied().unwrap_or(asked);
        if (oldest..=self.newest()).contains(&asked) {
            return Ok(asked);
        }
        Err(self.refuse(Why::NotAcceptable, &format!("version {asked} is not served")))
    }

    /// A refusal that says what is served.
    fn refuse(&self, why: Why, what: &str) -> Refusal {
        let served: Vec<_> = self.versions.iter().map(ToString::to_string).collect();
        let (name, major) = (self.name, self.major);
        Refusal::new(why, format!("{what}; {name}/{major} serves {}", served.join(", ")))
    }
}

/// What `api_versions` answers (SOL013 clause 9.3.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiVersionInformation {
    /// The beginning of the paths.
    pub uri_prefix: String,
    /// The editions.
    pub api_versions: Vec<ApiVersion>,
}

/// One edition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiVersion {
    /// `MAJOR.MINOR.PATCH`.
    pub version: String,
    /// Whether it will go away.
    pub is_deprecated: bool,
}

impl ApiVersionInformation {
    /// The editions of some interfaces under one prefix, newest major first.
    #[must_use]
    pub fn of<'a>(uri_prefix: String, apis: impl IntoIterator<Item = &'a Api>) -> Self {
        let versions = apis.into_iter().flat_map(|api| api.versions);
        let api_versions = versions
            .map(|version| ApiVersion { version: version.to_string(), is_deprecated: false })
            .collect();
        Self { uri_prefix, api_versions }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serve(path: &str, header: Option<&str>) -> Result<Version, Why> {
        let api = Api::of(path).unwrap();
        api.serve(header, api.required).map_err(|refusal| refusal.why)
    }

    #[test]
    fn editions_between_the_first_and_the_last_are_served() {
        let path = "/vnflcm/v2/vnf_instances";
        assert_eq!(serve(path, Some("2.0.0")), Ok(Version::new(2, 0, 0)));
        assert_eq!(serve(path, Some("2.12.0")), Ok(Version::new(2, 12, 0)));
        assert_eq!(serve(path, Some("2.3.1-impl:example.org:x:1")), Ok(Version::new(2, 3, 1)));
        assert_eq!(serve(path, Some("2.12.1")), Err(Why::NotAcceptable));
        assert_eq!(serve(path, Some("1.3.0")), Err(Why::NotAcceptable));
    }

    #[test]
    fn version_two_must_be_named_and_version_one_need_not() {
        assert_eq!(serve("/nslcm/v2/ns_instances", None), Err(Why::Malformed));
        assert_eq!(serve("/nslcm/v1/ns_instances", None), Ok(Version::new(1, 3, 0)));
        assert_eq!(serve("/mano/v1/vims", None), Ok(Version::new(1, 0, 0)));
    }

    #[test]
    fn what_is_no_version_is_malformed() {
        let junk = [
            "",
            "2",
            "2.0",
            "2.0.0.0",
            "v2.0.0",
            "2.0.x",
            "+2.0.0",
            "2.0.0-beta",
            "2.0.0-impl:",
            "99999999999.0.0",
            "2..0",
        ];
        for text in junk {
            assert_eq!(serve("/nsd/v2/ns_descriptors", Some(text)), Err(Why::Malformed), "{text}");
        }
    }

    #[test]
    fn a_path_of_no_interface_has_none() {
        for path in ["", "/", "/nsd", "/nsd/v3/x", "nsd/v2/x", "/other/v1/x"] {
            assert!(Api::of(path).is_none(), "{path}");
        }
    }
}
