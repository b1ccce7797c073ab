//! The ports on AWS, and the Lambda host.
