//! `mano doctor`: what waits for a person, and what exists that nobody accounts for.

use super::{
    Mano,
    backup::{check, whole_folder},
    client::Api,
    failure::Failure,
    find::text,
    op::dead_letters,
    print,
    vim::existing,
};
use clap::Args;
use serde_json::Value;
use std::path::PathBuf;

/// `doctor`
#[derive(Debug, Args)]
pub(crate) struct Asked {
    /// Also check the records in this data folder, on this machine; its server may run.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Only check that this backup is whole; no server is asked.
    #[arg(long, value_name = "DIR", conflicts_with = "data")]
    backup: Option<PathBuf>,
}

/// What `--help` ends with.
pub(crate) const EXAMPLES: &str = "\
Examples:
  mano doctor                               exit status 0: nothing to do
  mano doctor --data /var/lib/mano          the records on the disk as well
  mano doctor --backup /backup/monday       whether a backup can be put back
  mano doctor -o json                       the findings for a program";

/// Looks at everything and tells what needs a person.
pub(crate) fn act(mano: &Mano, asked: &Asked) -> Result<(), Failure> {
    if let Some(folder) = &asked.backup {
        check(folder)?;
        return print::line(&format!("{} is whole", folder.display()));
    }
    let mut findings = Vec::new();
    if let Some(folder) = &asked.data {
        findings.extend(whole_folder(folder).err().map(|failure| failure.what().to_owned()));
    }
    findings.extend(mano.client.unready()?);
    for (api, path) in [(Api::NsLcm, "/ns_lcm_op_occs"), (Api::VnfLcm, "/vnf_lcm_op_occs")] {
        findings.extend(undecided(mano, api, path)?);
    }
    findings.extend(dead_letters(mano)?.iter().map(|letter| {
        let (id, queue) = (text(letter, "id"), text(letter, "queue"));
        let reason = text(letter, "reason");
        format!("message {id} of queue {queue} was not handled ({reason}): `mano op redrive {id}`")
    }));
    for vim in mano.client.list(Api::Mano, "/vims", usize::MAX)?.0 {
        findings.extend(unaccounted(mano, text(&vim, "id")));
    }
    if mano.format != print::Format::Table {
        print::one(mano.format, &Value::from(findings.clone()))?;
    } else if findings.is_empty() {
        print::line(&format!("{} answers, and nothing needs you", mano.client.endpoint()))?;
    } else {
        for finding in &findings {
            print::line(&format!("- {finding}"))?;
        }
    }
    match findings.len() {
        0 => Ok(()),
        count => Err(Failure::new(format!("{count} findings need a person"))),
    }
}

/// Operations that wait for a decision.
fn undecided(mano: &Mano, api: Api, path: &str) -> Result<Vec<String>, Failure> {
    let path = format!("{path}?filter=(eq,operationState,FAILED_TEMP)");
    let (found, _) = mano.client.list(api, &path, usize::MAX)?;
    let tell = |op: &Value| {
        let id = text(op, "id");
        let what = print::cell(op, &["/lcmOperationType", "/operation"]);
        let of = print::cell(op, &["/nsInstanceId", "/vnfInstanceId"]);
        format!(
            "{what} of {of} waits for a decision: `mano op show {id}`, then `mano op retry|rollback|fail {id}`"
        )
    };
    Ok(found.iter().map(tell).collect())
}

/// Resources at a VIM that are in no inventory, or the VIM's silence.
fn unaccounted(mano: &Mano, vim: &str) -> Vec<String> {
    match existing(mano, vim) {
        Err(failure) => vec![format!("VIM {vim} cannot be looked at: {}", failure.what())],
        Ok(found) => found
            .iter()
            .filter(|resource| resource.get("known") == Some(&Value::Bool(false)))
            .map(|resource| {
                let name = print::cell(resource, &["/name"]);
                let id = print::cell(resource, &["/resourceId"]);
                format!("VIM {vim} has {name} ({id}), which is in no inventory")
            })
            .collect(),
    }
}
