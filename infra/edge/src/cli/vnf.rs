//! `mano vnf`: network functions (SOL003 VNF lifecycle management).

use super::{
    Mano,
    client::Api,
    descriptor::{List, Which},
    failure::Failure,
    find::{Noun, text},
    instance::{Body, Direction, Family},
    op::{Kind, Wait},
    package,
};
use clap::{Args, Subcommand, value_parser};
use serde_json::json;

/// How network functions are found and shown.
pub(crate) const FAMILY: Family = Family {
    noun: Noun {
        api: Api::VnfLcm,
        path: "/vnf_instances",
        what: "VNF instance",
        names: &["vnfInstanceName"],
        listed_by: "mano vnf list",
    },
    ops: Kind::Vnf,
    own: "/vnf_instances",
    columns: &[
        ("ID", &["/id"]),
        ("NAME", &["/vnfInstanceName"]),
        ("STATE", &["/instantiationState"]),
        ("PRODUCT", &["/vnfProductName"]),
        ("VERSION", &["/vnfdVersion"]),
        ("VNFD", &["/vnfdId"]),
    ],
};

/// What can be done with a network function.
#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Make the record of a network function; nothing is deployed yet.
    Create(Create),
    /// Deploy it.
    Instantiate(Instantiate),
    /// Make it larger or smaller.
    Scale(Scale),
    /// Put back what it lost.
    Heal(Heal),
    /// Take down what was deployed.
    Terminate(Terminate),
    /// Delete the record; it must be terminated.
    Delete(Which),
    /// List what there is.
    List(List),
    /// Show one in full, with its resources.
    Show(Which),
    /// Give back everything that given-up (FAILED) operations left behind.
    Release(Which),
}

/// `create`
#[derive(Debug, Args)]
pub(crate) struct Create {
    /// The VNF package: VNFD id, package id, the beginning of that, or product name.
    #[arg(value_name = "VNFD")]
    vnfd: String,
    /// What people will call it.
    #[arg(long)]
    name: Option<String>,
    /// What it is for.
    #[arg(long)]
    description: Option<String>,
}

/// `instantiate`
#[derive(Debug, Args)]
pub(crate) struct Instantiate {
    /// The network function: id, beginning of the id, or name.
    #[arg(value_name = "VNF")]
    id: String,
    /// The deployment flavour (flavourId) [default: the only one].
    #[arg(long, value_name = "ID")]
    flavour: Option<String>,
    /// The size to begin with (instantiationLevelId) [default: the descriptor's].
    #[arg(long, value_name = "ID")]
    level: Option<String>,
    #[command(flatten)]
    body: Body,
    #[command(flatten)]
    wait: Wait,
}

/// `scale`
#[derive(Debug, Args)]
pub(crate) struct Scale {
    /// The network function: id, beginning of the id, or name.
    #[arg(value_name = "VNF")]
    id: String,
    /// Larger or smaller.
    #[arg(value_enum)]
    direction: Direction,
    /// What to scale.
    #[arg(long, value_name = "ID")]
    aspect: String,
    /// By how many steps.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = value_parser!(u32).range(1..))]
    steps: u32,
    #[command(flatten)]
    body: Body,
    #[command(flatten)]
    wait: Wait,
}

/// `heal`
#[derive(Debug, Args)]
pub(crate) struct Heal {
    /// The network function: id, beginning of the id, or name.
    #[arg(value_name = "VNF")]
    id: String,
    /// Heal only this component (vnfcInstanceId). Repeatable.
    #[arg(long, value_name = "ID")]
    vnfc: Vec<String>,
    /// Why, for the record.
    #[arg(long, value_name = "TEXT")]
    cause: Option<String>,
    #[command(flatten)]
    body: Body,
    #[command(flatten)]
    wait: Wait,
}

/// `terminate`
#[derive(Debug, Args)]
pub(crate) struct Terminate {
    /// The network function: id, beginning of the id, or name.
    #[arg(value_name = "VNF")]
    id: String,
    #[command(flatten)]
    wait: Wait,
}

/// A filter that people may begin with.
pub(crate) const FILTER: &str = "(eq,instantiationState,INSTANTIATED)";

/// What `--help` ends with.
pub(crate) const EXAMPLES: &str = "\
Examples:
  mano vnf create edge-router --name r1     prints the id
  mano vnf instantiate r1
  mano vnf scale r1 out --aspect forwarding --steps 2
  mano vnf heal r1 --cause 'a machine is gone'
  mano vnf show r1
  mano vnf terminate r1 && mano vnf delete r1

Commands that start an operation follow it, on a terminal as in a script, and exit with 0 only
if it completed; with --no-wait they print the operation's id and return at once.";

/// Carries a command out.
pub(crate) fn act(mano: &Mano, action: &Action) -> Result<(), Failure> {
    match action {
        Action::Create(asked) => create(mano, asked),
        Action::Instantiate(asked) => instantiate(mano, asked),
        Action::Scale(asked) => scale(mano, asked),
        Action::Heal(asked) => heal(mano, asked),
        Action::Terminate(asked) => terminate(mano, asked),
        Action::Delete(which) => FAMILY.delete(mano, which),
        Action::List(asked) => FAMILY.list(mano, asked),
        Action::Show(which) => FAMILY.show(mano, which),
        Action::Release(which) => FAMILY.release(mano, which),
    }
}

/// Makes the record.
fn create(mano: &Mano, asked: &Create) -> Result<(), Failure> {
    let noun = &package::FAMILY.noun;
    let (all, _) = mano.client.list(noun.api, noun.path, 10_000)?;
    let mut request = json!({"vnfdId": text(noun.pick(&all, &asked.vnfd)?, "vnfdId")});
    if let Some(name) = &asked.name {
        request["vnfInstanceName"] = name.as_str().into();
    }
    if let Some(description) = &asked.description {
        request["vnfInstanceDescription"] = description.as_str().into();
    }
    FAMILY.create(mano, &request)
}

/// Deploys it.
fn instantiate(mano: &Mano, asked: &Instantiate) -> Result<(), Failure> {
    let mut request = json!({});
    if let Some(flavour) = &asked.flavour {
        request["flavourId"] = flavour.as_str().into();
    }
    if let Some(level) = &asked.level {
        request["instantiationLevelId"] = level.as_str().into();
    }
    let request = asked.body.request(request)?;
    FAMILY.start(mano, &asked.id, "instantiate", &request, &asked.wait)
}

/// Makes it larger or smaller.
fn scale(mano: &Mano, asked: &Scale) -> Result<(), Failure> {
    let request = json!({
        "type": asked.direction.word(),
        "aspectId": asked.aspect,
        "numberOfSteps": asked.steps,
    });
    let request = asked.body.request(request)?;
    FAMILY.start(mano, &asked.id, "scale", &request, &asked.wait)
}

/// Puts back what it lost.
fn heal(mano: &Mano, asked: &Heal) -> Result<(), Failure> {
    let mut request = json!({});
    if !asked.vnfc.is_empty() {
        request["vnfcInstanceId"] = asked.vnfc.as_slice().into();
    }
    if let Some(cause) = &asked.cause {
        request["cause"] = cause.as_str().into();
    }
    let request = asked.body.request(request)?;
    FAMILY.start(mano, &asked.id, "heal", &request, &asked.wait)
}

/// Takes down what was deployed.
fn terminate(mano: &Mano, asked: &Terminate) -> Result<(), Failure> {
    let request = json!({"terminationType": "FORCEFUL"});
    FAMILY.start(mano, &asked.id, "terminate", &request, &asked.wait)
}
