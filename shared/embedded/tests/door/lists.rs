//! Lists: filter, selector and paging through the door.

use crate::world::World;
use mano_ports::door::encode;
use serde_json::Value;

/// Ten things of two parents.
async fn ten() -> World {
    let world = World::new().await;
    for n in 0..10 {
        world.thing(&format!("t{n}"), n, if n % 2 == 0 { "even" } else { "odd" }).await;
    }
    world
}

/// The ids of all pages, and how many pages there were.
async fn walk(world: &World, uri: &str) -> (Vec<String>, Vec<usize>) {
    let (mut ids, mut sizes) = (Vec::new(), Vec::new());
    let mut next = Some(uri.to_owned());
    while let Some(uri) = next {
        let answer = world.get(&uri).await;
        assert_eq!(answer.status, 200, "{uri}: {answer:?}");
        let page: Vec<Value> = serde_json::from_slice(&answer.body).unwrap();
        sizes.push(page.len());
        ids.extend(page.iter().map(|thing| thing["id"].as_str().unwrap().to_owned()));
        let link = answer.header("link");
        next = link.strip_suffix(">; rel=\"next\"").map(|uri| {
            let root = "<http://mano.example:8080";
            uri.strip_prefix(root).unwrap().to_owned()
        });
    }
    (ids, sizes)
}

#[tokio::test]
async fn an_empty_list_is_200_with_an_empty_array() {
    let answer = World::new().await.get("/nslcm/v2/things").await;
    assert_eq!((answer.status, answer.body.as_ref()), (200, b"[]".as_slice()));
}

#[tokio::test]
async fn links_lead_to_everything_once_and_in_order() {
    let (ids, sizes) = walk(&ten().await, "/nslcm/v2/things").await;
    assert_eq!(ids, (0..10).map(|n| format!("t{n}")).collect::<Vec<_>>());
    assert_eq!(sizes, [3, 3, 3, 1]);
}

#[tokio::test]
async fn the_last_page_has_no_link_also_when_it_is_full() {
    let world = World::new().await;
    for n in 0..6 {
        world.thing(&format!("t{n}"), n, "p").await;
    }
    assert_eq!(walk(&world, "/nslcm/v2/things").await.1, [3, 3]);
}

#[tokio::test]
async fn a_filter_goes_with_the_link() {
    let world = ten().await;
    let filter = encode("(gte,size,2);(neq,id,t5)");
    let (ids, sizes) = walk(&world, &format!("/nslcm/v2/things?filter={filter}")).await;
    assert_eq!(ids, ["t2", "t3", "t4", "t6", "t7", "t8", "t9"]);
    assert_eq!(sizes, [3, 3, 1]);
    let indexed = encode("(eq,parent,odd);(gt,size,1)");
    let (ids, _) = walk(&world, &format!("/nslcm/v2/things?filter={indexed}")).await;
    assert_eq!(ids, ["t3", "t5", "t7", "t9"]);
}

#[tokio::test]
async fn a_selector_goes_with_the_link_and_filters_see_what_it_hides() {
    let world = ten().await;
    let plain = world.get("/nslcm/v2/things").await.json();
    assert!(plain[0].get("extra").is_none() && plain[0]["_links"]["self"]["href"].is_string());
    let mut next = "/nslcm/v2/things?all_fields".to_owned();
    for _ in 0..2 {
        let answer = world.get(&next).await;
        assert!(answer.json()[0]["extra"]["of"].is_string(), "{next}");
        let (uri, _) = answer.header("link").split_once(">;").unwrap();
        next = uri.strip_prefix("<http://mano.example:8080").unwrap().to_owned();
    }
    let hidden = encode("(eq,extra/of,t4)");
    let answer = world.get(&format!("/nslcm/v2/things?filter={hidden}")).await.json();
    assert_eq!(answer[0]["id"], "t4");
    assert!(answer[0].get("extra").is_none());
}

#[tokio::test]
async fn what_is_wrong_with_a_query_is_400() {
    let world = ten().await;
    let page = world.get("/nslcm/v2/things?all_fields").await;
    let (link, _) = page.header("link").split_once(">;").unwrap();
    let (_, marker) = link.split_once("nextpage_opaque_marker=").unwrap();
    let with = |more: &str| format!("/nslcm/v2/things?nextpage_opaque_marker={marker}{more}");
    for (uri, status) in [
        (with(""), 200),
        (with("&all_fields"), 200),
        (with("&exclude_default"), 400),
        (with("&filter=(eq,id,t1)"), 400),
        (with("x"), 400),
        ("/nslcm/v2/things?nextpage_opaque_marker=".into(), 400),
        ("/nslcm/v2/things?filter=".into(), 400),
        ("/nslcm/v2/things?filter=(eq,colour,red)".into(), 400),
        ("/nslcm/v2/things?fields=wrong_field".into(), 400),
        ("/nslcm/v2/things?fields=extra&exclude_fields=extra".into(), 400),
    ] {
        assert_eq!(world.get(&uri).await.status, status, "{uri}");
    }
}

#[tokio::test]
async fn elements_that_come_and_go_between_pages_disturb_no_others() {
    let world = ten().await;
    let first = world.get("/nslcm/v2/things").await;
    let (link, _) = first.header("link").split_once(">;").unwrap();
    world.thing("t25", 1, "p").await;
    world.thing("t1a", 1, "p").await;
    let rest = link.strip_prefix("<http://mano.example:8080").unwrap();
    let (ids, _) = walk(&world, rest).await;
    assert_eq!(ids, ["t25", "t3", "t4", "t5", "t6", "t7", "t8", "t9"]);
}
