//! `mano serve`: the server, from the command line's side.

use super::{failure::Failure, print::note};
use crate::serve::{Options, logs, serve};
use tokio::runtime::Runtime;

/// What `--help` ends with.
pub(crate) const EXAMPLES: &str = "\
Examples:
  mano serve                                on this machine only, data in ./mano-data
  mano serve --data /var/lib/mano --listen 0.0.0.0:8443 \\
             --tls-cert server.pem --tls-key server.key --tokens tokens.txt
  mano serve --jwt-issuer https://idp.example --jwt-audience mano
  mano serve --jwt-issuer https://idp.example --jwt-audience mano --jwt-keys keys.json

It ends on SIGTERM or Ctrl-C, after what is under way; operations go on at the next start.
A tokens file has lines of: TOKEN NAME [TENANT]
Tokens of an issuer are signed with RS256, RS384, ES256 or EdDSA; docs/callers.md says what they
must claim.";

/// Serves until it is told to end.
pub(crate) fn act(options: &Options) -> Result<(), Failure> {
    logs(options.log);
    runtime()?.block_on(async {
        let running = serve(options.clone()).await.map_err(|error| Failure::caused(&error))?;
        note(&format!("serving at {}; Ctrl-C ends it", running.url()));
        running.until_signal().await.map_err(|error| Failure::caused(&error))
    })
}

/// What a server runs on.
pub(crate) fn runtime() -> Result<Runtime, Failure> {
    Runtime::new().map_err(|error| Failure::new(format!("cannot start threads: {error}")))
}
