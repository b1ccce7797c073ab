//! Reading a Task: what its resource is and how long it may take.

use std::sync::Arc;

use super::{Amount, Language, Resource, Task, build::Builder, fields::Fields};
use crate::event::Integration;

impl Builder {
    pub(super) fn task(&mut self, fields: &Fields<'_>, language: Language) -> Option<Task> {
        if !fields.require(&["Resource"], &mut self.findings) {
            return None;
        }
        let arn = fields.text("Resource", &mut self.findings)?;
        let Some(resource) = resource(arn) else {
            let message = format!(
                "The resource provided {arn} is not recognized. The value is not a valid resource \
                 ARN, or the resource is not available in this region."
            );
            self.findings.error(&fields.place("Resource"), message);
            return None;
        };
        self.express_limits(fields, &resource);
        let limit = 1.0..=99_999_999.0;
        let timeout = self.amount(fields, "TimeoutSeconds", language, limit.clone(), true);
        let heartbeat = self.amount(fields, "HeartbeatSeconds", language, limit, true);
        if let (Some(Amount::Fixed(timeout)), Some(Amount::Fixed(heartbeat))) =
            (&timeout, &heartbeat)
            && heartbeat >= timeout
        {
            let message = "HeartbeatSeconds must be smaller than TimeoutSeconds";
            self.findings.error(&fields.place("HeartbeatSeconds"), message);
        }
        let credentials = match fields.object("Credentials", &mut self.findings) {
            Some(given) if !given.has("RoleArn") && !given.has("RoleArn.$") => {
                let message = "The field 'RoleArn' is required but was missing";
                self.findings.error(&given.at, message);
                None
            }
            Some(_) => self.either(fields, "Credentials", language),
            None => None,
        };
        Some(Task { resource, timeout, heartbeat, credentials })
    }

    /// What an Express execution may not wait for.
    fn express_limits(&mut self, fields: &Fields<'_>, resource: &Resource) {
        let what = match resource.integration {
            Integration::Callback => "'.waitForTaskToken' service integration ",
            Integration::Sync => "'.sync' service integration ",
            Integration::Activity => "Activity ARN",
            Integration::Lambda | Integration::Service => return,
        };
        if self.express {
            let message = format!("Express state machine does not support {what}");
            self.findings.error(&fields.place("Resource"), message);
        }
    }
}

/// Actions of `dynamodb` that have an integration of their own; others need `aws-sdk:dynamodb`.
const DYNAMODB: [&str; 4] = ["getItem", "putItem", "updateItem", "deleteItem"];

/// Takes a resource ARN apart.
pub(crate) fn resource(arn: &str) -> Option<Resource> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [prefix, _partition, service, region, _account, rest] = parts[..] else { return None };
    if prefix != "arn" {
        return None;
    }
    let whole = |integration| Resource {
        arn: Arc::from(arn),
        integration,
        service: Arc::from(""),
        api: Arc::from(arn),
    };
    match (service, region) {
        ("lambda", _) if rest.starts_with("function:") => Some(whole(Integration::Lambda)),
        ("states", region) if !region.is_empty() && rest.starts_with("activity:") => {
            Some(whole(Integration::Activity))
        }
        ("states", "") => optimized(arn, rest),
        _ => None,
    }
}

/// `lambda:invoke.waitForTaskToken`, `aws-sdk:s3:getObject`, `states:startExecution.sync:2`.
fn optimized(arn: &str, rest: &str) -> Option<Resource> {
    let (service, api) = match rest.strip_prefix("aws-sdk:") {
        Some(rest) => {
            let (service, api) = rest.split_once(':')?;
            (format!("aws-sdk:{service}"), api)
        }
        None => {
            let (service, api) = rest.split_once(':')?;
            (service.to_owned(), api)
        }
    };
    let action = api.split('.').next().unwrap_or_default();
    let known = service != "dynamodb" || DYNAMODB.contains(&action);
    let integration = match api.split_once('.').map(|(_, pattern)| pattern) {
        None => Integration::Service,
        Some("sync" | "sync:2") => Integration::Sync,
        Some("waitForTaskToken") => Integration::Callback,
        Some(_) => return None,
    };
    (known && !action.is_empty()).then(|| Resource {
        arn: Arc::from(arn),
        integration,
        service: Arc::from(service),
        api: Arc::from(api),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_come_apart_into_service_and_api() {
        for (arn, service, api, integration) in [
            ("arn:aws:states:::lambda:invoke", "lambda", "invoke", Integration::Service),
            (
                "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
                "sqs",
                "sendMessage.waitForTaskToken",
                Integration::Callback,
            ),
            (
                "arn:aws:states:::states:startExecution.sync:2",
                "states",
                "startExecution.sync:2",
                Integration::Sync,
            ),
            (
                "arn:aws:states:::aws-sdk:s3:getObject",
                "aws-sdk:s3",
                "getObject",
                Integration::Service,
            ),
        ] {
            let found =
                resource(arn).map(|r| (r.service.to_string(), r.api.to_string(), r.integration));
            assert_eq!(found, Some((service.to_owned(), api.to_owned(), integration)), "{arn}");
        }
    }

    #[test]
    fn what_is_no_resource_is_refused() {
        for arn in ["", "lambda", "arn:aws:s3:::bucket", "arn:aws:states:::dynamodb:query"] {
            assert!(resource(arn).is_none(), "{arn}");
        }
    }
}
