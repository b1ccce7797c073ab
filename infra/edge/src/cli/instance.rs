//! What network services and network functions have in common: list, show, delete, release.

use super::{
    Mano,
    client::{Api, segment},
    descriptor::{List, Which, list_of},
    failure::Failure,
    find::{Noun, text},
    op::{self, Wait},
    print::{self, Column, Format},
    vnf,
};
use clap::{Args, ValueEnum};
use serde_json::Value;
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use ureq::http::Method;

/// What differs between a network service and a network function.
pub(crate) struct Family {
    /// How it is found.
    pub(crate) noun: Noun,
    /// Its operations.
    pub(crate) ops: op::Kind,
    /// The container under our own interface.
    pub(crate) own: &'static str,
    /// The columns of a list.
    pub(crate) columns: &'static [Column],
}

/// Whose a resource of a network service is, where it is not the service's own.
const OWNER: Column = ("VNF", &["/vnf"]);

/// The resources of an instance, as the inventory has them.
const RESOURCES: &[Column] = &[
    ("RESOURCE", &["/name"]),
    ("KIND", &["/kind"]),
    ("VIM", &["/vimId"]),
    ("ZONE", &["/zoneId"]),
    ("PRESENCE", &["/presence"]),
    ("RESOURCE ID", &["/resourceId"]),
];

/// What the tables say better; `-o yaml` shows it.
const TOLD_BY_TABLES: &[&str] = &[
    "/vnfInstance",
    "/virtualLinkInfo",
    "/instantiatedVnfInfo/vnfcResourceInfo",
    "/instantiatedVnfInfo/vnfVirtualLinkResourceInfo",
    "/instantiatedVnfInfo/virtualStorageResourceInfo",
];

/// Larger or smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Direction {
    /// Larger.
    Out,
    /// Smaller.
    In,
}

impl Direction {
    /// The ETSI word.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Out => "SCALE_OUT",
            Self::In => "SCALE_IN",
        }
    }
}

/// The way out of the options: the whole request.
#[derive(Debug, Args)]
pub(crate) struct Body {
    /// Send this JSON file ('-': standard input) instead of what the other options say.
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
}

impl Body {
    /// The request: the file, or what was `made` of the other options.
    pub(crate) fn request(&self, made: Value) -> Result<Value, Failure> {
        self.body.as_deref().map_or(Ok(made), json_file)
    }
}

/// `NAME=VALUE`, the value as JSON if it is JSON.
pub(crate) fn pair(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
    Ok((name.to_owned(), value))
}

/// The JSON in a file, or in standard input.
pub(crate) fn json_file(path: &Path) -> Result<Value, Failure> {
    let read = if path == Path::new("-") {
        io::read_to_string(io::stdin())
    } else {
        fs::read_to_string(path)
    };
    let text = read.map_err(|error| Failure::file("read", path, &error))?;
    serde_json::from_str(&text)
        .map_err(|error| Failure::misuse(format!("{} is not JSON: {error}", path.display())))
}

impl Family {
    /// The identity that `typed` means.
    pub(crate) fn id(&self, mano: &Mano, typed: &str) -> Result<String, Failure> {
        self.noun.id(&mano.client, typed)
    }

    /// Makes one; its id is the result.
    pub(crate) fn create(&self, mano: &Mano, request: &Value) -> Result<(), Failure> {
        let answer = mano.client.post(self.noun.api, self.noun.path, request)?;
        match mano.format {
            Format::Table => print::line(text(&answer.body, "id")),
            Format::Json | Format::Yaml => print::one(mano.format, &answer.body),
        }
    }

    /// Starts the operation `task` on the one that `typed` means.
    pub(crate) fn start(
        &self,
        mano: &Mano,
        typed: &str,
        task: &str,
        request: &Value,
        wait: &Wait,
    ) -> Result<(), Failure> {
        let path = format!("{}/{task}", self.noun.at(&self.id(mano, typed)?));
        let answer = mano.client.post(self.noun.api, &path, request)?;
        op::started(mano, self.ops, &answer, wait)
    }

    /// Lists them.
    pub(crate) fn list(&self, mano: &Mano, asked: &List) -> Result<(), Failure> {
        list_of(mano, &self.noun, self.columns, asked)
    }

    /// One in full; for people, what it is made of as tables.
    pub(crate) fn show(&self, mano: &Mano, which: &Which) -> Result<(), Failure> {
        let id = self.id(mano, &which.id)?;
        let mut instance = mano.client.get(self.noun.api, &self.noun.at(&id))?;
        if mano.format != Format::Table {
            return print::one(mano.format, &instance);
        }
        let members = instance.get_mut("vnfInstance").map(Value::take);
        for told_by_tables in TOLD_BY_TABLES {
            if let Some((parent, name)) = told_by_tables.rsplit_once('/')
                && let Some(Value::Object(fields)) = instance.pointer_mut(parent)
            {
                fields.remove(name);
            }
        }
        print::one(mano.format, &instance)?;
        let mut resources = self.resources(mano, &id)?;
        let Some(Value::Array(members)) = members else {
            return section(mano, &resources, RESOURCES);
        };
        section(mano, &members, vnf::FAMILY.columns)?;
        name_owners(&mut resources, &members);
        section(mano, &resources, &[&[OWNER], RESOURCES].concat())
    }

    /// The inventory's rows of one, those of its functions included.
    pub(crate) fn resources(&self, mano: &Mano, id: &str) -> Result<Vec<Value>, Failure> {
        let path = format!("{}/{}/resources", self.own, segment(id));
        Ok(mano.client.list(Api::Mano, &path, 10_000)?.0)
    }

    /// Deletes one.
    pub(crate) fn delete(&self, mano: &Mano, which: &Which) -> Result<(), Failure> {
        let id = self.id(mano, &which.id)?;
        mano.client.delete(self.noun.api, &self.noun.at(&id))?;
        print::line(&format!("{} {id} is deleted", self.noun.what))
    }

    /// Gives back everything that given-up operations left of one.
    pub(crate) fn release(&self, mano: &Mano, which: &Which) -> Result<(), Failure> {
        let id = self.id(mano, &which.id)?;
        let path = format!("{}/{}/release", self.own, segment(&id));
        let answer = mano.client.ask(Method::POST, Api::Mano, &path, None)?;
        let left = answer.body.get("left").and_then(Value::as_array).cloned().unwrap_or_default();
        if mano.format != Format::Table {
            print::one(mano.format, &answer.body)?;
        }
        if left.is_empty() {
            return match mano.format {
                Format::Table => print::line(&format!(
                    "{} {id} holds nothing of given-up operations any more",
                    self.noun.what
                )),
                Format::Json | Format::Yaml => Ok(()),
            };
        }
        let left: Vec<_> = left.iter().map(|one| one.to_string()).collect();
        Err(Failure::new(format!("{} resources are left: {}", left.len(), left.join(", ")))
            .next("see that their VIM answers, and repeat"))
    }
}

/// Writes into the resources of a network service what the function is called that holds them.
fn name_owners(resources: &mut [Value], members: &[Value]) {
    for resource in resources {
        let owner = members.iter().find(|vnf| text(vnf, "id") == text(resource, "instanceId"));
        if let Some(owner) = owner {
            resource["vnf"] = print::cell(owner, &["/vnfInstanceName", "/id"]).into();
        }
    }
}

/// A table after an empty line, if there is something in it.
fn section(mano: &Mano, rows: &[Value], columns: &[Column]) -> Result<(), Failure> {
    if rows.is_empty() {
        return Ok(());
    }
    print::line("")?;
    print::many(mano.format, rows, columns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_parameter_is_json_where_it_can_be() {
        assert_eq!(pair("a=3").unwrap(), ("a".into(), json!(3)));
        assert_eq!(pair("a=x=y").unwrap(), ("a".into(), json!("x=y")));
        assert!(pair("a").is_err());
    }

    #[test]
    fn a_body_from_a_file_goes_as_it_is_and_junk_is_misuse() {
        let room = tempfile::tempdir().unwrap();
        let path = room.path().join("body.json");
        fs::write(&path, r#"{"flavourId": "large"}"#).unwrap();
        let body = Body { body: Some(path.clone()) };
        assert_eq!(body.request(json!({})).unwrap(), json!({"flavourId": "large"}));
        fs::write(&path, "flavourId: large").unwrap();
        assert_eq!(body.request(json!({})).unwrap_err().status(), 2);
    }
}
