//! Metrics told by a line of output, in CloudWatch's embedded metric format.

use super::surroundings::Surroundings;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::io::Write as _;

impl Surroundings {
    /// Tells CloudWatch how much of something, in CloudWatch's unit, this function met: namespace `mano`,
    /// dimension `FunctionName`, as in the metrics of Lambda itself.
    pub(super) fn measure(&self, name: &'static str, unit: &'static str, value: i64) {
        let function = self.settings.get("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_default();
        // Without a reader of the output there is nobody to tell.
        let line = line(self.cx.clock.now(), function, name, unit, value);
        let _ = writeln!(std::io::stdout(), "{line}");
    }
}

fn line(now: Timestamp, function: &str, name: &str, unit: &str, value: i64) -> Value {
    json!({
        "_aws": {
            "Timestamp": now.as_millisecond(),
            "CloudWatchMetrics": [{
                "Namespace": "mano",
                "Dimensions": [["FunctionName"]],
                "Metrics": [{ "Name": name, "Unit": unit }],
            }],
        },
        "FunctionName": function,
        name: value,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_the_value_and_the_dimension_that_it_announces() {
        let line = line(Timestamp::UNIX_EPOCH, "mano-relay", "Found", "Count", 3);
        let told = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(told["Metrics"][0]["Name"], "Found");
        let dimension = told["Dimensions"][0][0].as_str().unwrap_or_default();
        assert_eq!(line[dimension], "mano-relay");
        assert_eq!(line["Found"], 3);
    }
}
