//! `mano vim`: the infrastructure managers, and what really exists there.

use super::{
    Mano,
    client::{Api, segment},
    descriptor::Which,
    failure::Failure,
    instance::{json_file, pair},
    print::{self, Column, Format},
};
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};
use std::path::PathBuf;
use ureq::http::Method;

/// What can be done with a VIM.
#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Register a VIM, so that resources may be placed there.
    Add(Add),
    /// Remove a VIM; nothing may be deployed there.
    Delete(Which),
    /// List what there is.
    List,
    /// Show one with the capacity of its zones.
    Show(Which),
    /// List what really exists there, by the VIM's own memory.
    Resources(Resources),
    /// Show, or change, how a simulated VIM behaves.
    Behaviour(Behaviour),
    /// Let a simulated VIM lose a resource by itself.
    Lose(Lose),
}

/// `add`
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// Its id: you choose it.
    id: String,
    /// The driver that speaks to it.
    #[arg(long = "type", value_name = "TYPE", default_value = "sim")]
    vim_type: String,
    /// A zone and what it has, storage and memory in GiB. Repeatable.
    #[arg(
        long = "zone",
        value_name = "NAME:vcpus=N,memory=N,storage=N",
        value_parser = zone,
        default_value = "zone-1:vcpus=64,memory=256,storage=1000"
    )]
    zones: Vec<Value>,
    /// A JSON file that says how to reach it, as its driver wants it; never shown again.
    #[arg(long, value_name = "FILE")]
    access_info: Option<PathBuf>,
}

/// `resources`
#[derive(Debug, Args)]
pub(crate) struct Resources {
    /// The VIM.
    #[arg(value_name = "VIM")]
    id: String,
    /// Only what the inventory does not know. Exit status 1 if there is any.
    #[arg(long)]
    unknown: bool,
}

/// `behaviour`
#[derive(Debug, Args)]
pub(crate) struct Behaviour {
    /// The VIM.
    #[arg(value_name = "VIM")]
    id: String,
    /// Change one attribute; `null` takes it away. Repeatable.
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    set: Vec<(String, Value)>,
    /// Forget all changes first.
    #[arg(long)]
    reset: bool,
}

/// `lose`
#[derive(Debug, Args)]
pub(crate) struct Lose {
    /// The VIM.
    #[arg(value_name = "VIM")]
    id: String,
    /// The resource: the VIM's own id of it, or its name.
    #[arg(value_name = "RESOURCE")]
    resource: String,
}

/// What `--help` ends with.
pub(crate) const EXAMPLES: &str = "\
Examples:
  mano vim add east --zone zone-1:vcpus=64,memory=256,storage=1000 \\
                    --zone zone-2:vcpus=32,memory=128,storage=500
  mano vim list
  mano vim resources east                   what really exists there
  mano vim resources east --unknown         what exists there that nobody accounts for
  mano vim behaviour east --set latencyMs=200 --set asynchronousMs=2000
  mano vim behaviour east --set failNth=3 --set failKind=PERMANENT
  mano vim behaviour east --reset
  mano vim lose east forwarding-1           and then: mano ns heal";

const COLUMNS: &[Column] = &[
    ("ID", &["/id"]),
    ("TYPE", &["/vimType"]),
    ("ZONES", &["/zoneNames"]),
    ("VCPUS", &["/used/vcpus"]),
    ("MEMORY GIB", &["/used/memoryGib"]),
    ("STORAGE GIB", &["/used/storageGib"]),
];

const RESOURCES: &[Column] = &[
    ("RESOURCE ID", &["/resourceId"]),
    ("NAME", &["/name"]),
    ("KIND", &["/kind"]),
    ("ZONE", &["/zone", "/zoneId"]),
    ("STATUS", &["/status"]),
    ("KNOWN", &["/known"]),
];

/// Carries a command out.
pub(crate) fn act(mano: &Mano, action: &Action) -> Result<(), Failure> {
    match action {
        Action::Add(asked) => add(mano, asked),
        Action::Delete(which) => {
            mano.client.delete(Api::Mano, &at(&which.id))?;
            print::line(&format!("VIM {} is removed", which.id))
        }
        Action::List => list(mano),
        Action::Show(which) => {
            print::one(mano.format, &mano.client.get(Api::Mano, &at(&which.id))?)
        }
        Action::Resources(asked) => resources(mano, asked),
        Action::Behaviour(asked) => behaviour(mano, asked),
        Action::Lose(asked) => lose(mano, asked),
    }
}

/// The path of a VIM.
fn at(id: &str) -> String {
    format!("/vims/{}", segment(id))
}

/// Registers one.
fn add(mano: &Mano, asked: &Add) -> Result<(), Failure> {
    let mut request = json!({"id": asked.id, "vimType": asked.vim_type, "zones": asked.zones});
    if let Some(path) = &asked.access_info {
        request["accessInfo"] = json_file(path)?;
    }
    let answer = mano.client.post(Api::Mano, "/vims", &request)?;
    match mano.format {
        Format::Table => print::line(&format!("VIM {} is registered", asked.id)),
        Format::Json | Format::Yaml => print::one(mano.format, &answer.body),
    }
}

/// Lists them: the zones by name, what is reserved of what there is.
fn list(mano: &Mano) -> Result<(), Failure> {
    let (mut vims, _) = mano.client.list(Api::Mano, "/vims", 10_000)?;
    if mano.format == Format::Table {
        for vim in &mut vims {
            let zones = vim.get("zones").and_then(Value::as_array).cloned().unwrap_or_default();
            let names = zones.iter().map(|zone| print::cell(zone, &["/id"]));
            vim["zoneNames"] = names.collect::<Vec<_>>().join(" ").into();
            for amount in ["vcpus", "memoryGib", "storageGib"] {
                let of = |what| print::cell(vim, &[format!("/{what}/{amount}").as_str()]);
                vim["used"][amount] = format!("{} of {}", of("reserved"), of("capacity")).into();
            }
        }
    }
    print::many(mano.format, &vims, COLUMNS)
}

/// What exists at a VIM.
pub(crate) fn existing(mano: &Mano, vim: &str) -> Result<Vec<Value>, Failure> {
    Ok(mano.client.list(Api::Mano, &format!("{}/resources", at(vim)), usize::MAX)?.0)
}

/// Lists what exists at a VIM.
fn resources(mano: &Mano, asked: &Resources) -> Result<(), Failure> {
    let mut found = existing(mano, &asked.id)?;
    if asked.unknown {
        found.retain(|resource| resource.get("known") == Some(&Value::Bool(false)));
    }
    print::many(mano.format, &found, RESOURCES)?;
    if asked.unknown && !found.is_empty() {
        let what = format!("{} resources at VIM {} are in no inventory", found.len(), asked.id);
        return Err(Failure::new(what)
            .next("see whether an operation is still under way, else remove them at the VIM"));
    }
    Ok(())
}

/// Shows or changes the behaviour.
fn behaviour(mano: &Mano, asked: &Behaviour) -> Result<(), Failure> {
    let path = format!("{}/behaviour", at(&asked.id));
    let mut now = if asked.reset { json!({}) } else { mano.client.get(Api::Mano, &path)? };
    if !asked.reset && asked.set.is_empty() {
        return print::one(mano.format, &now);
    }
    let mut fields: Map<_, _> = now.as_object().cloned().unwrap_or_default();
    for (name, value) in &asked.set {
        if value.is_null() {
            fields.remove(name);
        } else {
            fields.insert(name.clone(), value.clone());
        }
    }
    mano.client.ask(Method::PUT, Api::Mano, &path, Some(&fields.into()))?;
    now = mano.client.get(Api::Mano, &path)?;
    print::one(mano.format, &now)
}

/// Lets it lose something.
fn lose(mano: &Mano, asked: &Lose) -> Result<(), Failure> {
    let found = existing(mano, &asked.id)?;
    let means = |field: &str| {
        let field = format!("/{field}");
        let of =
            move |r: &&Value| r.pointer(&field).and_then(Value::as_str) == Some(&asked.resource);
        found.iter().filter(of).collect::<Vec<_>>()
    };
    let mut meant = means("resourceId");
    if meant.is_empty() {
        meant = means("name");
    }
    let [one] = meant[..] else {
        let what =
            format!("'{}' means {} resources at VIM {}", asked.resource, meant.len(), asked.id);
        return Err(
            Failure::new(what).next(format!("give an id of `mano vim resources {}`", asked.id))
        );
    };
    let id = print::cell(one, &["/resourceId"]);
    mano.client.delete(Api::Mano, &format!("{}/resources/{}", at(&asked.id), segment(&id)))?;
    print::line(&format!("VIM {} has lost {} ({id})", asked.id, print::cell(one, &["/name"])))
}

/// `NAME:vcpus=N,memory=N,storage=N` as the interface takes it.
fn zone(text: &str) -> Result<Value, String> {
    let (name, amounts) =
        text.split_once(':').ok_or("write it as NAME:vcpus=N,memory=N,storage=N")?;
    let mut zone = json!({"id": name, "vcpus": 0, "memoryGib": 0, "storageGib": 0});
    for amount in amounts.split(',').filter(|a| !a.is_empty()) {
        let (what, number) = amount.split_once('=').ok_or(format!("'{amount}' is not NAME=N"))?;
        let field = match what {
            "vcpus" => "vcpus",
            "memory" => "memoryGib",
            "storage" => "storageGib",
            _ => return Err(format!("'{what}' is not one of vcpus, memory, storage")),
        };
        let number: u32 =
            number.parse().map_err(|_| format!("'{number}' is not a whole number"))?;
        zone[field] = number.into();
    }
    Ok(zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_written_in_one_word() {
        let east = zone("z:vcpus=4,memory=8").unwrap();
        assert_eq!(east, json!({"id": "z", "vcpus": 4, "memoryGib": 8, "storageGib": 0}));
        for wrong in ["z", "z:cpu=1", "z:vcpus=-1", "z:vcpus"] {
            assert!(zone(wrong).is_err(), "{wrong}");
        }
    }
}
