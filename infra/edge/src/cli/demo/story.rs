//! The story: what is done, in what words, and what must be true after each step.

use super::{Asked, timeline::Timeline};
use crate::cli::{
    Mano,
    client::Api,
    descriptor,
    failure::Failure,
    find::text,
    nsd, op, package, print,
    tree::Node,
    vim,
    watch::{Sink, follow},
};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::{fs, path::Path};
use ureq::http::Method;

/// The VIMs of the story.
const VIMS: [&str; 2] = ["east", "west"];
/// What the network service of the story is called.
const NAME: &str = "edge-1";

/// What the story remembers while it is told.
struct Story<'a> {
    mano: &'a Mano,
    packages: &'a Path,
    pace: u64,
    step: u32,
    timeline: Timeline,
}

/// Tells the story from beginning to end.
pub(super) fn tell(mano: &Mano, packages: &Path, asked: &Asked) -> Result<(), Failure> {
    let timeline = Timeline::default();
    let mut story = Story { mano, packages, pace: asked.pace, step: 0, timeline };
    story.vims()?;
    let descriptors = story.packages()?;
    let ns = story.deploy()?;
    story.scale(&ns)?;
    story.lose_and_heal(&ns)?;
    story.fail_and_roll_back(&ns)?;
    story.take_down(&ns)?;
    story.delete(&ns, &descriptors)?;
    story.nothing_left()?;
    story.end(asked)
}

impl Story<'_> {
    /// Says what comes.
    fn say(&mut self, sentence: &str) -> Result<(), Failure> {
        self.step += 1;
        print::line(&format!("\n{}. {sentence}", self.step))
    }

    /// Says what happened.
    fn tell(&self, sentence: &str) -> Result<(), Failure> {
        print::line(&format!("   {sentence}"))
    }

    /// Two places to deploy to.
    fn vims(&mut self) -> Result<(), Failure> {
        let at = self.mano.client.endpoint().to_owned();
        self.say(&format!(
            "A server runs at {at}. Register two simulated VIMs of two zones each."
        ))?;
        for vim in VIMS {
            let zone =
                |name| json!({"id": name, "vcpus": 32, "memoryGib": 128, "storageGib": 2000});
            let zones = [zone("zone-1"), zone("zone-2")];
            let request = json!({"id": vim, "vimType": "sim", "zones": zones});
            self.mano.client.post(Api::Mano, "/vims", &request)?;
            self.behave(vim, json!({}))?;
            self.tell(&format!("VIM {vim}: whatever it makes takes it {} ms", self.pace))?;
        }
        Ok(())
    }

    /// Sets how a VIM behaves, besides its pace.
    fn behave(&self, vim: &str, mut how: Value) -> Result<(), Failure> {
        how["asynchronousMs"] = self.pace.into();
        let path = format!("/vims/{vim}/behaviour");
        self.mano.client.ask(Method::PUT, Api::Mano, &path, Some(&how)).map(|_| ())
    }

    /// On-boards two VNF packages and the NS descriptor made of them; the paths of all three.
    fn packages(&mut self) -> Result<Vec<(&'static descriptor::Family, String)>, Failure> {
        self.say(
            "On-board two VNF packages and the descriptor of a network service made of them.",
        )?;
        let mut descriptors = Vec::new();
        for (family, name) in [
            (&package::FAMILY, "edge-router"),
            (&package::FAMILY, "edge-cache"),
            (&nsd::FAMILY, "edge-service"),
        ] {
            let info = family.onboard_one(self.mano, &self.packages.join(name), false)?;
            let id = text(&info, "id").to_owned();
            self.tell(&format!("{name}: {} {id}", text(&info, family.onboarding)))?;
            descriptors.push((family, id));
        }
        // What is made of others goes before them.
        descriptors.reverse();
        Ok(descriptors)
    }

    /// Creates and instantiates the network service.
    fn deploy(&mut self) -> Result<String, Failure> {
        self.say(
            "Deploy the service: one router and one cache, each with its networks and disks.",
        )?;
        let client = &self.mano.client;
        let (all, _) = client.list(Api::Nsd, "/ns_descriptors", 10)?;
        let nsd = nsd::FAMILY.noun.pick(&all, "edge-service")?;
        let request = json!({
            "nsdId": text(nsd, "nsdId"), "nsName": NAME, "nsDescription": "the demonstration's",
        });
        let ns = client.post(Api::NsLcm, "/ns_instances", &request)?;
        let ns = text(&ns.body, "id").to_owned();
        self.operate(&ns, "instantiate", &json!({"nsFlavourId": "standard"}), "COMPLETED")?;
        self.count()?;
        Ok(ns)
    }

    /// Scales out by one step.
    fn scale(&mut self, ns: &str) -> Result<(), Failure> {
        self.say("Scale out by one step of the aspect 'caching': a second cache appears.")?;
        let before = self.exists()?.len();
        self.operate(ns, "scale", &scale_out(), "COMPLETED")?;
        let after = self.count()?;
        expect(after > before, "scaling out made nothing")
    }

    /// Lets a VIM lose a machine, and heals.
    fn lose_and_heal(&mut self, ns: &str) -> Result<(), Failure> {
        self.say("A VIM loses a machine by itself; heal the service: what is gone is made again.")?;
        let before = self.exists()?;
        let lost = before.iter().find(|(_, resource)| text(resource, "kind") == "COMPUTE");
        let (vim, resource) = lost.ok_or_else(|| Failure::new("there is no machine to lose"))?;
        let id = text(resource, "resourceId");
        self.mano.client.delete(Api::Mano, &format!("/vims/{vim}/resources/{id}"))?;
        self.tell(&format!("VIM {vim} has lost {} ({id})", text(resource, "name")))?;
        let request = json!({"healNsData": {"degreeHealing": "HEAL_RESTORE"}});
        self.operate(ns, "heal", &request, "COMPLETED")?;
        let after = self.count()?;
        expect(after == before.len(), "healing did not bring back what was lost")
    }

    /// Lets an operation fail, and rolls it back.
    fn fail_and_roll_back(&mut self, ns: &str) -> Result<(), Failure> {
        self.say("Now the VIMs refuse every new machine: scaling out fails half way, and waits.")?;
        let before = self.exists()?.len();
        for vim in VIMS {
            self.behave(vim, json!({"refuse": [{"kind": "COMPUTE"}]}))?;
        }
        let failed = self.operate(ns, "scale", &scale_out(), "FAILED_TEMP")?;
        self.tell("FAILED_TEMP: the operation waits for a decision - retry, roll back, or fail.")?;
        for vim in VIMS {
            self.behave(vim, json!({}))?;
        }
        self.say("Roll it back: what the failed operation made is undone, nothing else.")?;
        let path = format!("/ns_lcm_op_occs/{}/rollback", failed.id);
        self.mano.client.ask(Method::POST, Api::NsLcm, &path, None)?;
        self.rest(&failed.id, "ROLLED_BACK", failed.state_entered_time)?;
        let after = self.count()?;
        expect(after == before, "rolling back did not lead to where it was before")
    }

    /// Terminates the network service.
    fn take_down(&mut self, ns: &str) -> Result<(), Failure> {
        self.say("Terminate the service: every resource goes, in the opposite order.")?;
        self.operate(ns, "terminate", &json!({}), "COMPLETED").map(|_| ())
    }

    /// Deletes the records.
    fn delete(
        &mut self,
        ns: &str,
        descriptors: &[(&'static descriptor::Family, String)],
    ) -> Result<(), Failure> {
        self.say("Delete the records: the instance, the descriptor, the packages.")?;
        self.mano.client.delete(Api::NsLcm, &format!("/ns_instances/{ns}"))?;
        for (family, id) in descriptors {
            family.set(self.mano, id, "DISABLED")?;
            self.mano.client.delete(family.noun.api, &family.noun.at(id))?;
        }
        self.tell("deleted")
    }

    /// Asks the VIMs themselves, and every list, whether anything is left.
    fn nothing_left(&mut self) -> Result<(), Failure> {
        self.say("Ask the VIMs' own memory what exists there.")?;
        let mut left: Vec<String> = Vec::new();
        for (vim, resource) in self.exists()? {
            left.push(format!("{} at {vim}", text(&resource, "name")));
        }
        for (api, path) in [
            (Api::NsLcm, "/ns_instances"),
            (Api::VnfLcm, "/vnf_instances"),
            (Api::Nsd, "/ns_descriptors"),
            (Api::VnfPackages, "/vnf_packages"),
        ] {
            for record in self.mano.client.list(api, path, 100)?.0 {
                left.push(format!("{path}/{}", text(&record, "id")));
            }
        }
        for vim in VIMS {
            let shown = self.mano.client.get(Api::Mano, &format!("/vims/{vim}"))?;
            let reserved = shown.get("reserved").and_then(Value::as_object);
            if reserved.is_none_or(|amounts| amounts.values().any(|amount| *amount != 0)) {
                left.push(format!("reserved capacity at {vim}"));
            }
        }
        if !left.is_empty() {
            return Err(Failure::new(format!("this was left: {}", left.join(", "))));
        }
        self.tell("nothing: no resource at any VIM, no capacity reserved, no record in any list")
    }

    /// Ends with the picture of it all.
    fn end(&self, asked: &Asked) -> Result<(), Failure> {
        let picture = self.timeline.text(print::width().map(usize::from));
        print::line(&format!("\nWhat happened when:\n\n{picture}"))?;
        if let Some(path) = &asked.svg {
            let written = fs::write(path, self.timeline.svg());
            written.map_err(|error| Failure::file("write", path, &error))?;
            print::line(&format!("\ndrawn in {}", path.display()))?;
        }
        Ok(())
    }

    /// Starts a task of the network service and follows it to the state it shall rest in.
    fn operate(
        &mut self,
        ns: &str,
        task: &str,
        request: &Value,
        goal: &str,
    ) -> Result<Node, Failure> {
        let path = format!("/ns_instances/{ns}/{task}");
        let answer = self.mano.client.post(Api::NsLcm, &path, request)?;
        self.rest(answer.created_id()?, goal, None)
    }

    /// Follows an operation to the state it shall rest in.
    fn rest(&mut self, id: &str, goal: &str, began: Option<Timestamp>) -> Result<Node, Failure> {
        let tree = follow(self.mano, id, Sink::Story)?;
        self.timeline.add(&tree, began);
        op::judged(op::Kind::Ns, &tree, goal)?;
        Ok(tree)
    }

    /// What exists at the VIMs, by their own memory.
    fn exists(&self) -> Result<Vec<(&'static str, Value)>, Failure> {
        let mut all = Vec::new();
        for vim in VIMS {
            all.extend(vim::existing(self.mano, vim)?.into_iter().map(|resource| (vim, resource)));
        }
        Ok(all)
    }

    /// Tells how much exists; what no inventory knows ends the story.
    fn count(&self) -> Result<usize, Failure> {
        let all = self.exists()?;
        let unknown = all.iter().filter(|(_, r)| r.get("known") != Some(&Value::Bool(true)));
        let names: Vec<_> =
            unknown.map(|(vim, r)| format!("{} at {vim}", text(r, "name"))).collect();
        expect(names.is_empty(), &format!("no inventory knows of {}", names.join(", ")))?;
        let at = |vim| all.iter().filter(|(v, _)| *v == vim).count();
        let [east, west] = VIMS.map(at);
        let count = all.len();
        self.tell(&format!(
            "{count} resources exist: {east} at east, {west} at west; all accounted for"
        ))?;
        Ok(count)
    }
}

/// One step larger.
fn scale_out() -> Value {
    json!({
        "scaleType": "SCALE_NS",
        "scaleNsData": {"scaleNsByStepsData": {
            "scalingDirection": "SCALE_OUT", "aspectId": "caching", "numberOfSteps": 1,
        }},
    })
}

/// What the story says must be true.
fn expect(holds: bool, otherwise: &str) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(Failure::new(format!("the story went wrong: {otherwise}"))) }
}
