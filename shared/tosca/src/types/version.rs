//! Versions of SOL001, as numbers that can be compared.

use std::fmt;

/// A version such as 4.3.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Version(pub u16, pub u16, pub u16);

impl Version {
    /// Reads `4.3.1` or `4_3_1`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(['.', '_']).map(|part| part.parse().ok());
        let version = Self(parts.next()??, parts.next()??, parts.next()??);
        parts.next().is_none().then_some(version)
    }

    /// The first `x.y.z`, `x_y_z` or `vxyz` within a longer text such as a URL.
    #[must_use]
    pub fn within(text: &str) -> Option<Self> {
        let pieces = text.split(|c: char| !c.is_ascii_digit() && c != '.' && c != '_');
        pieces.map(|p| p.trim_matches(['.', '_'])).find_map(Self::parse)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_found_in_every_form_of_import() {
        for (text, expected) in [
            ("etsi_nfv_sol001_vnfd_2_5_1_types.yaml", Some(Version(2, 5, 1))),
            (
                "https://forge.etsi.org/rep/nfv/SOL001/raw/v2.6.1/etsi_nfv_sol001_vnfd_types.yaml",
                Some(Version(2, 6, 1)),
            ),
            ("etsi_nfv_sol001_vnfd_types.yaml", None),
        ] {
            assert_eq!(Version::within(text), expected, "{text}");
        }
    }

    #[test]
    fn versions_compare_by_number() {
        assert!(Version(2, 8, 1) < Version(3, 3, 1) && Version(3, 7, 1) < Version(4, 2, 1));
    }
}
