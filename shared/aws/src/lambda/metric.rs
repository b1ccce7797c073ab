//! Metrics told by a line of output, in CloudWatch's embedded metric format.

use jiff::Timestamp;
use serde_json::{Value, json};
use std::io::Write as _;

/// What is measured, of whom, and how much of it.
pub(super) struct Metric<'a> {
    pub(super) name: &'static str,
    /// CloudWatch's unit.
    pub(super) unit: &'static str,
    /// The dimension, and what it is here.
    pub(super) of: (&'static str, &'a str),
    pub(super) value: i64,
}

impl Metric<'_> {
    /// Tells it; the namespace is `mano`.
    pub(super) fn tell(&self, now: Timestamp) {
        // Without a reader of the output there is nobody to tell.
        let _ = writeln!(std::io::stdout(), "{}", self.line(now));
    }

    fn line(&self, now: Timestamp) -> Value {
        let (dimension, whose) = self.of;
        json!({
            "_aws": {
                "Timestamp": now.as_millisecond(),
                "CloudWatchMetrics": [{
                    "Namespace": "mano",
                    "Dimensions": [[dimension]],
                    "Metrics": [{ "Name": self.name, "Unit": self.unit }],
                }],
            },
            dimension: whose,
            self.name: self.value,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_the_value_and_the_dimension_that_it_announces() {
        let metric = Metric { name: "Found", unit: "Count", of: ("Site", "north"), value: 3 };
        let line = metric.line(Timestamp::UNIX_EPOCH);
        let told = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(told["Metrics"][0]["Name"], "Found");
        assert_eq!(line[told["Dimensions"][0][0].as_str().unwrap_or_default()], "north");
        assert_eq!(line["Found"], 3);
    }
}
