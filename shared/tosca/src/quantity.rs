//! Sizes as TOSCA writes them (`8 GB`) and as Kubernetes does (`512Mi`, `250m`).

/// A quantity of bytes or of processors, and whether Kubernetes wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantity {
    /// Bytes, or thousandths of a processor.
    pub amount: u64,
    /// Whether the notation is Kubernetes', not TOSCA's.
    pub kubernetes: bool,
}

/// TOSCA's size units (clause 3.3.6.4 of the simple profile), in lower case.
const TOSCA: [(&str, u64); 9] = [
    ("b", 1),
    ("kb", 1000),
    ("kib", 1 << 10),
    ("mb", 1_000_000),
    ("mib", 1 << 20),
    ("gb", 1_000_000_000),
    ("gib", 1 << 30),
    ("tb", 1_000_000_000_000),
    ("tib", 1 << 40),
];
/// Kubernetes' suffixes, which are case-sensitive.
const KUBERNETES: [(&str, u64); 9] = [
    ("k", 1000),
    ("Ki", 1 << 10),
    ("M", 1_000_000),
    ("Mi", 1 << 20),
    ("G", 1_000_000_000),
    ("Gi", 1 << 30),
    ("T", 1_000_000_000_000),
    ("Ti", 1 << 40),
    ("K", 1000),
];

/// Splits `1.5 GB` into the number in thousandths and the unit.
fn split(text: &str) -> Option<(u128, &str)> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || whole.len() > 18 || fraction.contains('.') {
        return None;
    }
    let digits: String = fraction.chars().chain("000".chars()).take(3).collect();
    let thousandths = whole.parse::<u128>().ok()? * 1000 + digits.parse::<u128>().ok()?;
    Some((thousandths, unit.trim()))
}

/// Reads a size in bytes. A bare number counts bytes, with Kubernetes' marking.
#[must_use]
pub fn size(text: &str) -> Option<Quantity> {
    let (thousandths, unit) = split(text)?;
    let lower = unit.to_ascii_lowercase();
    let tosca = TOSCA.iter().find(|(name, _)| *name == lower);
    let (factor, kubernetes) = match tosca {
        Some((_, factor)) => (*factor, false),
        None if unit.is_empty() => (1, true),
        None => (KUBERNETES.iter().find(|(name, _)| *name == unit)?.1, true),
    };
    let bytes = (thousandths * u128::from(factor)).div_ceil(1000);
    Some(Quantity { amount: u64::try_from(bytes).ok()?, kubernetes })
}

/// Reads a number of processors in thousandths: `2`, `0.5`, Kubernetes' `250m`.
#[must_use]
pub fn processors(text: &str) -> Option<Quantity> {
    let (thousandths, unit) = split(text)?;
    let (amount, kubernetes) = match unit {
        "" => (thousandths, text.contains('.')),
        "m" => (thousandths.div_ceil(1000), true),
        _ => return None,
    };
    Some(Quantity { amount: u64::try_from(amount).ok()?, kubernetes })
}

/// Whole mebibytes that hold so many bytes.
#[must_use]
pub fn mib(bytes: u64) -> u64 {
    bytes.div_ceil(1 << 20)
}

/// Whole gibibytes that hold so many bytes.
#[must_use]
pub fn gib(bytes: u64) -> u64 {
    bytes.div_ceil(1 << 30)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tosca_size_is_read_with_or_without_a_space() {
        for text in ["8 GB", "8GB", " 8 gb "] {
            assert_eq!(
                size(text),
                Some(Quantity { amount: 8_000_000_000, kubernetes: false }),
                "{text}"
            );
        }
        assert_eq!(size("1.5 GiB").map(|q| q.amount), Some(1_610_612_736));
    }

    #[test]
    fn a_kubernetes_size_is_marked_as_such() {
        assert_eq!(size("512Mi"), Some(Quantity { amount: 536_870_912, kubernetes: true }));
        assert_eq!(size("24G"), Some(Quantity { amount: 24_000_000_000, kubernetes: true }));
    }

    #[test]
    fn nonsense_is_no_size() {
        for text in ["", "GB", "-1 GB", "1..2 GB", "8 bananas", "99999999999999999999 TB", "1e9"] {
            assert_eq!(size(text), None, "{text}");
        }
    }

    #[test]
    fn processors_come_whole_and_in_thousandths() {
        assert_eq!(processors("4"), Some(Quantity { amount: 4000, kubernetes: false }));
        assert_eq!(processors("250m"), Some(Quantity { amount: 250, kubernetes: true }));
        assert_eq!(processors("two"), None);
    }

    #[test]
    fn sizes_are_rounded_up_to_the_unit_asked_for() {
        assert_eq!((mib(536_870_912), mib(512_000_000), gib(1)), (512, 489, 1));
    }
}
