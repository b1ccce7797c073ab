//! `docs/conformance.md` against the route tables, so that it cannot lie.

use super::FUNCTIONS;
use std::collections::BTreeSet;

type Routes = BTreeSet<(String, String)>;

/// The rows that say so: methods and paths.
fn rows(served: &str) -> Routes {
    let text =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/conformance.md"));
    let mut rows = Routes::new();
    for line in text.unwrap().lines() {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [path, methods, said, _] = cells[..] else { continue };
        if said == served {
            let path = path.trim_matches('`');
            rows.extend(methods.split(", ").map(|method| (method.to_owned(), path.to_owned())));
        }
    }
    rows
}

/// What the tables serve of the standard's interfaces, with the lists of versions that the door
/// serves of each.
fn served() -> Routes {
    let all = FUNCTIONS.iter().flat_map(|function| function.routes);
    let ours = all.filter(|route| !route.path.starts_with("/mano/"));
    let mut routes = Routes::new();
    for route in ours {
        routes.insert((route.method.to_string(), route.path.replace("{*", "{")));
        let mut parts = route.path.split('/').skip(1);
        let (api, major) = (parts.next().unwrap(), parts.next().unwrap());
        for path in [format!("/{api}/api_versions"), format!("/{api}/{major}/api_versions")] {
            routes.insert(("GET".into(), path));
        }
    }
    routes
}

#[test]
fn what_conformance_says_is_served_is_served_and_nothing_else() {
    assert_eq!(rows("yes"), served(), "docs/conformance.md on the left, the tables on the right");
    let no = rows("no");
    assert!(no.len() > 20, "{no:?}");
    assert!(no.is_disjoint(&served()), "it is served: {:?}", no.intersection(&served()));
}
