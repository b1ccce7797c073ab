use crate::support::{reference, zip_folder};
use mano_tosca::{Limits, Mode, inspect_vnf};

#[test]
fn explore() {
    let Some(root) = reference("packages") else { return };
    let only = std::env::var("ONLY").unwrap_or_default();
    let mut dirs = vec![];
    for d in ["free5gc/vnfpackage", "tacker", "onap/vnf", "onap/ns", "onap/pnf"] {
        for e in std::fs::read_dir(root.join(d)).unwrap().flatten() { dirs.push(e.path()); }
    }
    dirs.sort();
    for d in dirs {
        if !d.to_string_lossy().contains(&only) { continue }
        println!("=== {}", d.display());
        match inspect_vnf(zip_folder(&d), Mode::Lenient, Limits::default()) {
            Ok(p) => { if only.is_empty() { println!("  OK {} flavours {} images {}", p.vnfd.product_name, p.vnfd.flavours.len(), p.images.len()) } else { println!("{}", serde_json::to_string_pretty(&(&p.vnfd, &p.images)).unwrap()) };
                for w in p.package.warnings { println!("  {w}"); } }
            Err(r) => { for e in r.errors { println!("  ERR {e}"); } for w in r.warnings { println!("  {w}"); } }
        }
    }
}
