use crate::support::{reference, zip_folder};
use mano_tosca::{AnyPackage, Limits, Mode, inspect_any};

#[test]
fn explore() {
    let Some(root) = reference("packages") else { return };
    let only = std::env::var("ONLY").unwrap_or_default();
    let mut dirs = vec![];
    for d in ["free5gc/vnfpackage", "free5gc", "tacker", "onap/vnf", "onap/ns", "onap/pnf"] {
        for e in std::fs::read_dir(root.join(d)).unwrap().flatten() { if !e.path().ends_with("vnfpackage") {dirs.push(e.path())} }
    }
    for d in ["signed", "signed/pnf"] { for e in std::fs::read_dir(root.join(d)).unwrap().flatten() { if e.path().is_file() { dirs.push(e.path()); } else if d=="signed/pnf" { for f in std::fs::read_dir(e.path()).unwrap().flatten() { dirs.push(f.path()) } } } }
    dirs.sort();
    for d in dirs {
        if !d.to_string_lossy().contains(&only) { continue }
        println!("=== {}", d.display());
        let z = if d.is_dir() { zip_folder(&d) } else { std::io::Cursor::new(std::fs::read(&d).unwrap()) };
        match inspect_any(z, Mode::Lenient, Limits::default()) {
            Ok(p) => { if only.is_empty() { match &p {
                AnyPackage::Vnf(p) => println!("  OK VNF {} flavours {} images {}", p.vnfd.product_name, p.vnfd.flavours.len(), p.images.len()),
                AnyPackage::Ns(p) => println!("  OK NS {} {} flavours {} vnfds {:?}", p.nsd.nsd_id.value, p.nsd.name, p.nsd.flavours.len(), p.nsd.vnfd_ids()),
                AnyPackage::Pnf(p) => println!("  OK PNF {} {}", p.pnfd.pnfd_id.value, p.pnfd.name),
               }} else { match &p { AnyPackage::Vnf(p) =>  println!("{}", serde_json::to_string_pretty(&(&p.vnfd, &p.images)).unwrap()), AnyPackage::Ns(p) => println!("{}", serde_json::to_string_pretty(&p.nsd).unwrap()), AnyPackage::Pnf(p) => println!("{}", serde_json::to_string_pretty(&p.pnfd).unwrap()) } }
                for w in &p.package().warnings { println!("  {w}"); } }
            Err(r) => { for e in r.errors { println!("  ERR {e}"); } for w in r.warnings { println!("  {w}"); } }
        }
    }
}
