//! Distributed Maps on the durable host: children, readers, writers, crashes, redrive.

use super::{
    stage::{CALL, Stage, standard},
    *,
};
use serde_json::json;
use std::io::Write;

/// A Map whose children call the function once per item; `more` are fields of the Map.
fn map(kind: &str, more: &str, payload: &str) -> Machine {
    let text = format!(
        r#"{{"QueryLanguage": "JSONata", "StartAt": "M", "States": {{"M": {{"Type": "Map", {more}
            "ItemProcessor": {{"ProcessorConfig": {{"Mode": "DISTRIBUTED", "ExecutionType": "{kind}"}},
                "StartAt": "T", "States": {{"T": {{{CALL}, "Arguments": {{"FunctionName": "contract",
                    "Payload": {payload}}}, "Output": "{{% $states.result.Payload.said %}}",
                    "End": true}}}}}}, "End": true}}}}}}"#
    );
    standard("map", &text)
}

/// Says the item, under the note `calls-{item}`.
const SAY: &str = r#"{"step": "contract.call", "tenant": "contract", "run": 0,
    "op": "{% $string($states.input) %}", "text": "{% $string($states.input) %}"}"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_items_of_a_map_are_children_of_either_kind_and_the_parent_shows_only_the_run() {
    for kind in ["STANDARD", "EXPRESS"] {
        let stage = Stage::new(vec![map(kind, r#""MaxConcurrency": 3,"#, SAY)]).await;
        stage.start("map", "m-0", json!([1, 2, 3, 4, 5, 6, 7])).await;
        assert_eq!(stage.output("map", "m-0").await, json!(["1", "2", "3", "4", "5", "6", "7"]));
        let types = stage.types("map", "m-0").await;
        assert_eq!(
            types[2..6],
            ["MapStateStarted", "MapRunStarted", "MapRunSucceeded", "MapStateSucceeded"]
        );
        let arn = map_run(&stage, "m-0").await;
        let children = stage.engine().runs(&arn, None, 100).await.expect("children").items;
        assert_eq!(children.len(), 7);
        assert!(children.iter().all(|run| run.status == "SUCCEEDED"));
        let rows = stage.types(&arn, &children[0].name).await.len();
        assert_eq!(rows > 0, kind == "STANDARD", "only Standard children have a history");
    }
}

/// The name under which the children of a run's only map run are listed.
async fn map_run(stage: &Stage, run: &str) -> String {
    let history = stage.engine().history("map", run, None, 100).await.expect("history").items;
    let row = history.iter().find(|row| row["type"] == "MapRunStarted").expect("a map run");
    let arn = row["mapRunStartedEventDetails"]["mapRunArn"].as_str().expect("an ARN");
    format!("map/{}", arn.rsplit(':').next().expect("a uuid"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_take_json_lines_tables_and_packed_inventories_from_the_blobs() {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(b"\"in\",\"one\"\n\"in\",\"two\"\n").expect("packed");
    let packed = packed.finish().expect("packed");
    let manifest = json!({ "destinationBucket": "arn:aws:s3:::in", "fileSchema": "Bucket, Key",
        "files": [{ "key": "list.csv.gz" }] });
    let said = r#"{"step": "contract.call", "tenant": "contract", "run": 0,
        "op": "{% $type($states.input) = 'object' ? $states.input.Key : $string($states.input) %}",
        "text": "{% $type($states.input) = 'object' ? $states.input.Key : $string($states.input) %}"}"#;
    for (key, content, config, expected) in [
        ("a.json", b"[1, 2]".to_vec(), r#""InputType": "JSON""#, json!(["1", "2"])),
        (
            "a.jsonl",
            b"3\n4\n5\n".to_vec(),
            r#""InputType": "JSONL", "MaxItems": 2"#,
            json!(["3", "4"]),
        ),
        (
            "a.csv",
            b"Key,B\nx,1\ny,2\n".to_vec(),
            r#""InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW""#,
            json!(["x", "y"]),
        ),
        (
            "manifest.json",
            manifest.to_string().into_bytes(),
            r#""InputType": "MANIFEST""#,
            json!(["one", "two"]),
        ),
    ] {
        let reader = format!(
            r#""ItemReader": {{"Resource": "arn:aws:states:::s3:getObject",
                "ReaderConfig": {{{config}}}, "Arguments": {{"Bucket": "in", "Key": "{key}"}}}},"#
        );
        let stage = Stage::new(vec![map("STANDARD", &reader, said)]).await;
        stage.blob(&format!("in/{key}"), &content).await;
        stage.blob("in/list.csv.gz", &packed).await;
        stage.start("map", "m-0", json!({})).await;
        assert_eq!(stage.output("map", "m-0").await, expected, "{key}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_objects_below_a_prefix_are_items_in_the_order_of_their_keys() {
    let reader = |arguments: &str| {
        format!(
            r#""ItemReader": {{"Resource": "arn:aws:states:::s3:listObjectsV2",
                "Arguments": {{"Bucket": "logs", {arguments}}}}},"#
        )
    };
    let said = r#"{"step": "contract.call", "tenant": "contract", "run": 0,
        "op": "{% $states.input.Key %}",
        "text": "{% $states.input.Key & ' ' & $string($states.input.Size) %}"}"#;
    let more = r#""ReaderConfig": {"MaxItems": 2}, "#;
    let limited = reader(r#""Prefix": "day/""#).replacen('{', &format!("{{{more}"), 1);
    for (reader, expected) in [
        (reader(r#""Prefix": "day/""#), json!(["day/1 1", "day/2 2", "day/a/3 3"])),
        (reader(r#""Prefix": "day/", "MaxKeys": 1"#), json!(["day/1 1"])),
        (limited, json!(["day/1 1", "day/2 2"])),
        (reader(r#""Prefix": "night/""#), json!([])),
    ] {
        let stage = Stage::new(vec![map("STANDARD", &reader, said)]).await;
        for (name, content) in
            [("day/a/3", "abc"), ("day/2", "ab"), ("day-0", ""), ("day/1", "a"), ("other", "x")]
        {
            stage.blob(&format!("logs/{name}"), content.as_bytes()).await;
        }
        stage.blob("elsewhere/day/4", b"abcd").await;
        stage.start("map", "m-0", json!({})).await;
        assert_eq!(stage.output("map", "m-0").await, expected, "{reader}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_lists_a_page_and_goes_on_from_it() {
    let text = r#"{"QueryLanguage": "JSONata", "StartAt": "L", "States": {"L": {"Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:s3:listObjectsV2",
        "Arguments": "{% $states.input %}", "End": true}}}"#;
    let stage = Stage::new(vec![standard("list", text)]).await;
    for key in ["a", "b", "c"] {
        stage.blob(&format!("logs/{key}"), key.as_bytes()).await;
    }
    let asked = json!({ "Bucket": "logs", "MaxKeys": 2 });
    stage.start("list", "l-0", asked).await;
    let first = stage.output("list", "l-0").await;
    assert_eq!((&first["KeyCount"], &first["IsTruncated"]), (&json!(2), &json!(true)));
    assert_eq!(
        (&first["Contents"][1]["Key"], &first["Contents"][1]["Size"]),
        (&json!("b"), &json!(1))
    );
    let next = json!({ "Bucket": "logs", "ContinuationToken": first["NextContinuationToken"] });
    stage.start("list", "l-1", next).await;
    let last = stage.output("list", "l-1").await;
    assert_eq!((&last["Contents"][0]["Key"], &last["IsTruncated"]), (&json!("c"), &json!(false)));
    stage.start("list", "l-2", json!({ "Bucket": "none" })).await;
    let run = stage.over("list", "l-2").await;
    assert_eq!(run.error.as_deref(), Some("S3.NoSuchBucketException"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_that_is_not_there_fails_the_reader() {
    let reader = r#""ItemReader": {"Resource": "arn:aws:states:::s3:getObject",
        "Arguments": {"Bucket": "in", "Key": "none.json"}},"#;
    let stage = Stage::new(vec![map("STANDARD", reader, SAY)]).await;
    stage.start("map", "m-0", json!({})).await;
    let run = stage.over("map", "m-0").await;
    assert_eq!(run.error.as_deref(), Some("States.ItemReaderFailed"));
    assert!(run.cause.expect("a cause").contains("in/none.json"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_tolerated_failures_and_written_results() {
    let more = r#""ItemBatcher": {"MaxItemsPerBatch": 2}, "ToleratedFailureCount": 1,
        "ResultWriter": {"Resource": "arn:aws:states:::s3:putObject",
            "Arguments": {"Bucket": "out", "Prefix": "here"}},"#;
    let payload = r#"{"step": "contract.call", "tenant": "contract", "run": 0,
        "op": "{% $string($states.input.Items[0]) %}",
        "text": "{% $string($states.input.Items[0]) %}"}"#;
    let stage = Stage::new(vec![map("STANDARD", more, payload)]).await;
    stage.start("map", "m-0", json!(["a", "b", "fail-9", "c", "d"])).await;
    let output = stage.output("map", "m-0").await;
    let key = output["ResultWriterDetails"]["Key"].as_str().expect("a key").to_owned();
    let manifest = stage.read_blob(&format!("out/{key}")).await;
    let file =
        |kind: &str| manifest["ResultFiles"][kind][0]["Key"].as_str().expect("a file").to_owned();
    let succeeded = stage.read_blob(&format!("out/here/{}", file("SUCCEEDED"))).await;
    let outputs: Vec<_> =
        succeeded.as_array().expect("a list").iter().map(|one| &one["Output"]).collect();
    assert_eq!(outputs, [&json!("\"a\""), &json!("\"d\"")]);
    let failed = stage.read_blob(&format!("out/here/{}", file("FAILED"))).await;
    assert_eq!(failed[0]["Error"], json!("Mano.Transient"));
    stage.start("map", "m-1", json!(["fail-9", "a", "fail-9", "b"])).await;
    let run = stage.over("map", "m-1").await;
    assert_eq!(run.error.as_deref(), Some("States.ExceedToleratedFailureThreshold"));
}

/// Waits in each child for a token.
const WAIT: &str = r#"{"step": "contract.wait", "tenant": "contract", "run": 0,
    "op": "{% $string($states.input) %}", "token": "{% $states.context.Task.Token %}"}"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_map_in_the_middle_of_its_children_goes_on_after_every_crash() {
    let waits = map("STANDARD", r#""MaxConcurrency": 4,"#, WAIT);
    let text = waits.text.replace("lambda:invoke", "lambda:invoke.waitForTaskToken");
    let text = text.replace("$states.result.Payload.said", "$states.result");
    let mut stage = Stage::new(vec![standard("map", &text)]).await;
    let items: Vec<u32> = (100..112).collect();
    stage.start("map", "m-0", json!(items)).await;
    for item in &items {
        // Each in another process.
        stage = stage.crashed().await;
        let token = until_note(&stage.host, &format!("token-{item}")).await;
        let done = Outcome::Success(json!(item * 2));
        stage.engine().resume(&token, done).await.expect("resumed");
    }
    let expected: Vec<u32> = items.iter().map(|item| item * 2).collect();
    assert_eq!(stage.output("map", "m-0").await, json!(expected));
    let arn = map_run(&stage, "m-0").await;
    let children = stage.engine().runs(&arn, None, 100).await.expect("children").items;
    assert_eq!(children.len(), items.len(), "no child twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_map_that_is_stopped_stops_its_children_and_a_redrive_starts_what_failed_anew() {
    let stage = Stage::new(vec![map("STANDARD", "", SAY)]).await;
    stage.start("map", "m-0", json!(["x", "fail-1", "y"])).await;
    assert_eq!(stage.over("map", "m-0").await.status, "FAILED");
    let stage = stage.crashed().await;
    stage.engine().redrive("map", "m-0").await.expect("redriven");
    assert_eq!(stage.output("map", "m-0").await, json!(["x", "fail-1", "y"]));
    assert!(stage.types("map", "m-0").await.contains(&"MapRunRedriven".to_owned()));
    assert_eq!(lines(&stage.host, "calls-fail-1").await.len(), 2);
    let text =
        map("STANDARD", "", WAIT).text.replace("lambda:invoke", "lambda:invoke.waitForTaskToken");
    let stage = Stage::new(vec![standard("map", &text)]).await;
    stage.start("map", "s-0", json!([900])).await;
    until_note(&stage.host, "token-900").await;
    let arn = map_run(&stage, "s-0").await;
    let child = stage.engine().runs(&arn, None, 10).await.expect("children").items.remove(0);
    // The process dies after the Map ended and before the child heard of it.
    let stop = Event::Stop { error: None, cause: None };
    let id = stage.engine().index().named("map", "s-0").expect("in memory");
    let next = stage.engine().happen(id, stop, true).await.expect("stopped").expect("running");
    drop(next);
    stage.host.store().write(|_| Ok(())).await.expect("written");
    let stage = stage.crashed().await;
    assert_eq!(stage.over(&arn, &child.name).await.status, "ABORTED");
}
