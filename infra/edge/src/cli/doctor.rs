//! `mano doctor`: what waits for a person, and what exists that nobody accounts for.

use super::{
    Mano,
    backup::{check, whole_folder},
    client::Api,
    failure::Failure,
    find::text,
    ns,
    op::dead_letters,
    print,
    vim::existing,
    vnf,
};
use clap::Args;
use serde_json::Value;
use std::{collections::BTreeSet, path::PathBuf};

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
    examine(mano, &mut findings)?;
    tell(mano, &findings)
}

/// What can be asked of a server.
type Question = fn(&Mano) -> Result<Vec<String>, Failure>;

/// Everything that is asked of a server that is there.
const QUESTIONS: &[Question] = &[undecided_ns, undecided_vnf, unhandled, left_behind, unaccounted];

/// Asks the server; what it does not answer is one more finding.
fn examine(mano: &Mano, findings: &mut Vec<String>) -> Result<(), Failure> {
    match mano.client.unready() {
        Ok(unready) => findings.extend(unready),
        Err(failure) if failure.status() == 2 => return Err(failure),
        // Who does not answer this answers nothing else.
        Err(failure) => {
            findings.push(failure.sentence());
            return Ok(());
        }
    }
    for question in QUESTIONS {
        match question(mano) {
            Ok(found) => findings.extend(found),
            Err(failure) if findings.contains(&failure.sentence()) => {}
            Err(failure) => findings.push(failure.sentence()),
        }
    }
    Ok(())
}

/// Tells the findings.
fn tell(mano: &Mano, findings: &[String]) -> Result<(), Failure> {
    if mano.format != print::Format::Table {
        print::one(mano.format, &Value::from(findings))?;
    } else if findings.is_empty() {
        print::line(&format!("{} answers, and nothing needs you", mano.client.endpoint()))?;
    } else {
        for finding in findings {
            print::line(&format!("- {finding}"))?;
        }
    }
    match findings.len() {
        0 => Ok(()),
        1 => Err(Failure::new("one finding needs a person")),
        count => Err(Failure::new(format!("{count} findings need a person"))),
    }
}

fn undecided_ns(mano: &Mano) -> Result<Vec<String>, Failure> {
    undecided(mano, Api::NsLcm, "/ns_lcm_op_occs")
}

fn undecided_vnf(mano: &Mano) -> Result<Vec<String>, Failure> {
    undecided(mano, Api::VnfLcm, "/vnf_lcm_op_occs")
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

/// Messages that nobody could handle.
fn unhandled(mano: &Mano) -> Result<Vec<String>, Failure> {
    let tell = |letter: &Value| {
        let (id, queue) = (text(letter, "id"), text(letter, "queue"));
        let reason = text(letter, "reason");
        format!("message {id} of queue {queue} was not handled ({reason}): `mano op redrive {id}`")
    };
    Ok(dead_letters(mano)?.iter().map(tell).collect())
}

/// Resources, and with them capacity, of instances that are not instantiated and that no operation
/// has taken: what a given-up operation left.
fn left_behind(mano: &Mano) -> Result<Vec<String>, Failure> {
    let (mut findings, mut told) = (Vec::new(), BTreeSet::new());
    for (family, noun, state) in
        [(&ns::FAMILY, "ns", "nsState"), (&vnf::FAMILY, "vnf", "instantiationState")]
    {
        let path = format!("{}?filter=(eq,{state},NOT_INSTANTIATED)", family.noun.path);
        for instance in mano.client.list(family.noun.api, &path, usize::MAX)?.0 {
            let id = text(&instance, "id");
            // An instance at rest can be instantiated, and says so. A service counts its functions.
            if instance.pointer("/_links/instantiate").is_none() || told.contains(id) {
                continue;
            }
            let held = family.resources(mano, id)?;
            if held.is_empty() {
                continue;
            }
            told.extend(held.iter().map(|resource| text(resource, "instanceId").to_owned()));
            let (what, count) = (family.noun.what, held.len());
            findings.push(format!(
                "{what} {id} is not instantiated and holds {count} resources that a given-up \
                 operation left: `mano {noun} release {id}`"
            ));
        }
    }
    Ok(findings)
}

/// Resources at the VIMs that are in no inventory.
fn unaccounted(mano: &Mano) -> Result<Vec<String>, Failure> {
    let vims = mano.client.list(Api::Mano, "/vims", usize::MAX)?.0;
    Ok(vims.iter().flat_map(|vim| unaccounted_at(mano, text(vim, "id"))).collect())
}

/// Resources at a VIM that are in no inventory, or the VIM's silence.
fn unaccounted_at(mano: &Mano, vim: &str) -> Vec<String> {
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
