//! `mano ns`: network services (SOL005 NS lifecycle management).

use super::{
    Mano,
    client::Api,
    descriptor::{List, Which},
    failure::Failure,
    find::{Noun, text},
    instance::{Body, Direction, Family},
    nsd,
    op::{Kind, Wait},
    vnf,
};
use clap::{Args, Subcommand, value_parser};
use serde_json::{Value, json};

/// How network services are found and shown.
pub(crate) const FAMILY: Family = Family {
    noun: Noun {
        api: Api::NsLcm,
        path: "/ns_instances",
        what: "NS instance",
        names: &["nsInstanceName"],
        listed_by: "mano ns list",
    },
    ops: Kind::Ns,
    own: "/ns_instances",
    columns: &[
        ("ID", &["/id"]),
        ("NAME", &["/nsInstanceName"]),
        ("STATE", &["/nsState"]),
        ("NSD", &["/nsdId"]),
        ("DESCRIPTION", &["/nsInstanceDescription"]),
    ],
};

/// What can be done with a network service.
#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Make the record of a network service; nothing is deployed yet.
    Create(Create),
    /// Deploy it.
    Instantiate(Instantiate),
    /// Make it, or one of its network functions, larger or smaller.
    Scale(Scale),
    /// Put back what it lost.
    Heal(Heal),
    /// Take down what was deployed.
    Terminate(Task),
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
    /// The NS descriptor: its NSD id, its id here, the beginning of that, or its name.
    #[arg(value_name = "NSD")]
    nsd: String,
    /// What people will call it.
    #[arg(long)]
    name: String,
    /// What it is for.
    #[arg(long, default_value = "")]
    description: String,
}

/// `instantiate`
#[derive(Debug, Args)]
pub(crate) struct Instantiate {
    /// The network service: id, beginning of the id, or name.
    #[arg(value_name = "NS")]
    id: String,
    /// The deployment flavour (nsFlavourId) [default: the only one].
    #[arg(long, value_name = "ID")]
    flavour: Option<String>,
    /// The size to begin with (nsInstantiationLevelId) [default: the descriptor's].
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
    /// The network service: id, beginning of the id, or name.
    #[arg(value_name = "NS")]
    id: String,
    /// Larger or smaller.
    #[arg(value_enum)]
    direction: Direction,
    /// What to scale: an aspect of the service, or with --vnf of that function.
    #[arg(long, value_name = "ID")]
    aspect: String,
    /// By how many steps.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = value_parser!(u32).range(1..))]
    steps: u32,
    /// Scale only this network function of the service.
    #[arg(long, value_name = "VNF")]
    vnf: Option<String>,
    #[command(flatten)]
    wait: Wait,
}

/// `heal`
#[derive(Debug, Args)]
pub(crate) struct Heal {
    /// The network service: id, beginning of the id, or name.
    #[arg(value_name = "NS")]
    id: String,
    /// Heal only this network function of the service. Repeatable.
    #[arg(long, value_name = "VNF")]
    vnf: Vec<String>,
    /// Why, for the record of those network functions; a request about a whole service has no place for it.
    #[arg(long, value_name = "TEXT", requires = "vnf")]
    cause: Option<String>,
    #[command(flatten)]
    wait: Wait,
}

/// A task that needs no more than the service.
#[derive(Debug, Args)]
pub(crate) struct Task {
    /// The network service: id, beginning of the id, or name.
    #[arg(value_name = "NS")]
    id: String,
    #[command(flatten)]
    wait: Wait,
}

impl Task {
    /// Whether it returns at once.
    #[cfg(test)]
    pub(crate) const fn no_wait(&self) -> bool {
        self.wait.returns_at_once()
    }
}

/// A filter that people may begin with.
pub(crate) const FILTER: &str = "(eq,nsState,INSTANTIATED)";

/// What `--help` ends with.
pub(crate) const EXAMPLES: &str = "\
Examples:
  mano ns create edge-service --name east   prints the id
  mano ns instantiate east
  mano ns scale east out --aspect caching
  mano ns heal east --vnf r1 --cause 'a machine is gone'
  mano ns show east
  mano ns terminate east && mano ns delete east

Commands that start an operation follow it, on a terminal as in a script, and exit with 0 only
if it completed; with --no-wait they print the operation's id and return at once.";

/// Carries a command out.
pub(crate) fn act(mano: &Mano, action: &Action) -> Result<(), Failure> {
    match action {
        Action::Create(asked) => create(mano, asked),
        Action::Instantiate(asked) => instantiate(mano, asked),
        Action::Scale(asked) => scale(mano, asked),
        Action::Heal(asked) => heal(mano, asked),
        Action::Terminate(task) => {
            FAMILY.start(mano, &task.id, "terminate", &json!({}), &task.wait)
        }
        Action::Delete(which) => FAMILY.delete(mano, which),
        Action::List(asked) => FAMILY.list(mano, asked),
        Action::Show(which) => FAMILY.show(mano, which),
        Action::Release(which) => FAMILY.release(mano, which),
    }
}

/// Makes the record.
fn create(mano: &Mano, asked: &Create) -> Result<(), Failure> {
    let noun = &nsd::FAMILY.noun;
    let (all, _) = mano.client.list(noun.api, noun.path, 10_000)?;
    let nsd_id = text(noun.pick(&all, &asked.nsd)?, "nsdId").to_owned();
    let request = json!({
        "nsdId": nsd_id,
        "nsName": asked.name,
        "nsDescription": asked.description,
    });
    FAMILY.create(mano, &request)
}

/// Deploys it.
fn instantiate(mano: &Mano, asked: &Instantiate) -> Result<(), Failure> {
    let mut request = json!({});
    if let Some(flavour) = &asked.flavour {
        request["nsFlavourId"] = flavour.as_str().into();
    }
    if let Some(level) = &asked.level {
        request["nsInstantiationLevelId"] = level.as_str().into();
    }
    let request = asked.body.request(request)?;
    FAMILY.start(mano, &asked.id, "instantiate", &request, &asked.wait)
}

/// Makes it larger or smaller.
fn scale(mano: &Mano, asked: &Scale) -> Result<(), Failure> {
    let request = match &asked.vnf {
        None => json!({
            "scaleType": "SCALE_NS",
            "scaleNsData": {"scaleNsByStepsData": {
                "scalingDirection": asked.direction.word(),
                "aspectId": asked.aspect,
                "numberOfSteps": asked.steps,
            }},
        }),
        Some(vnf) => json!({
            "scaleType": "SCALE_VNF",
            "scaleVnfData": [{
                "vnfInstanceId": vnf::FAMILY.id(mano, vnf)?,
                "scaleVnfType": asked.direction.word(),
                "scaleByStepData": {"aspectId": asked.aspect, "numberOfSteps": asked.steps},
            }],
        }),
    };
    FAMILY.start(mano, &asked.id, "scale", &request, &asked.wait)
}

/// Puts back what it lost.
fn heal(mano: &Mano, asked: &Heal) -> Result<(), Failure> {
    let request = if asked.vnf.is_empty() {
        json!({"healNsData": {"degreeHealing": "HEAL_RESTORE"}})
    } else {
        let one = |vnf: &String| -> Result<Value, Failure> {
            let id = vnf::FAMILY.id(mano, vnf)?;
            Ok(match &asked.cause {
                Some(cause) => json!({"vnfInstanceId": id, "cause": cause}),
                None => json!({ "vnfInstanceId": id }),
            })
        };
        json!({"healVnfData": asked.vnf.iter().map(one).collect::<Result<Vec<_>, _>>()?})
    };
    FAMILY.start(mano, &asked.id, "heal", &request, &asked.wait)
}
