//! The clients of AWS, made once and connected when first used.

use crate::settings::Settings;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig, timeout::TimeoutConfig};
use aws_smithy_http_client::tls;
use std::time::Duration;

/// A connection that takes longer than this is tried anew.
const CONNECT: Duration = Duration::from_secs(2);
/// An attempt that takes longer than this is tried anew: three of them fit into a request's time.
const ATTEMPT: Duration = Duration::from_secs(5);
/// An attempt at a part of large content may take so long.
const PART: Duration = Duration::from_secs(60);

/// One client per service.
#[derive(Debug, Clone)]
pub struct Clients {
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) sfn: aws_sdk_sfn::Client,
    pub(crate) sqs: aws_sdk_sqs::Client,
    pub(crate) eventbridge: aws_sdk_eventbridge::Client,
}

impl Clients {
    /// Clients as the environment says: endpoint, region, credentials, retries.
    pub async fn new(settings: &Settings) -> Self {
        Self::of(&config(settings.region()).await, settings.emulated)
    }

    /// Clients of one configuration; an emulator takes bucket names in the path only.
    #[must_use]
    pub fn of(config: &SdkConfig, path_style: bool) -> Self {
        let patient =
            TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(PART);
        let s3 = aws_sdk_s3::config::Builder::from(config)
            .force_path_style(path_style)
            .timeout_config(patient.build())
            .build();
        Self {
            dynamodb: aws_sdk_dynamodb::Client::new(config),
            s3: aws_sdk_s3::Client::from_conf(s3),
            sfn: aws_sdk_sfn::Client::new(config),
            sqs: aws_sdk_sqs::Client::new(config),
            eventbridge: aws_sdk_eventbridge::Client::new(config),
        }
    }
}

/// The configuration of the environment.
async fn config(region: Option<String>) -> SdkConfig {
    match region {
        Some(region) => loader().region(Region::new(region)).load().await,
        None => loader().load().await,
    }
}

/// How every client here speaks: one small TLS library, and attempts that end.
pub fn loader() -> ConfigLoader {
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
        .build_https();
    let timeouts =
        TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(ATTEMPT);
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .timeout_config(timeouts.build())
}
