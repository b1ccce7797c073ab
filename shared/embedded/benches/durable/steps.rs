//! Workflows of five tasks, killed in full run.

use crate::world;
use mano_asl::{
    Call,
    host::{Answer, Answering, Service},
};
use mano_embedded::workflows::Options;
use mano_ports::workflows::Workflows;
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::sync::oneshot;

/// Tasks of a workflow.
const STEPS: u64 = 5;

fn definition() -> String {
    let state = |n: u64| {
        let next = if n < STEPS {
            json!({ "Next": format!("T{}", n + 1) })
        } else {
            json!({ "End": true })
        };
        let mut state = json!({ "Type": "Task", "Resource": "arn:aws:states:::bench:step",
            "Parameters": { "run.$": "$.run", "step": n } });
        state.as_object_mut().unwrap().extend(next.as_object().unwrap().clone());
        (format!("T{n}"), state)
    };
    let states: serde_json::Map<String, Value> = (1..=STEPS).map(state).collect();
    json!({ "StartAt": "T1", "States": states }).to_string()
}

/// Whoever waits for a run to reach its last task.
type Waiting = Arc<Mutex<HashMap<u64, oneshot::Sender<()>>>>;

/// Answers at once, and says which calls were made.
struct Step {
    out: std::sync::mpsc::Sender<(u64, u64)>,
    waiting: Waiting,
}

impl Service for Step {
    fn offers(&self) -> &[&'static str] {
        &["bench:step"]
    }

    fn call<'a>(&'a self, call: &'a Call) -> Answering<'a> {
        let arguments = call.arguments.value();
        let (run, step) = (arguments["run"].as_u64().unwrap(), arguments["step"].as_u64().unwrap());
        self.out.send((run, step)).unwrap();
        if step == STEPS
            && let Some(waiting) = self.waiting.lock().unwrap().remove(&run)
        {
            let _ = waiting.send(());
        }
        Box::pin(async move { Answer::Returned(json!({ "run": run, "done": step }).to_string()) })
    }
}

/// The process that is measured: runs workflows in so many lanes until it is killed, and prints
/// every call it makes.
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
pub(crate) async fn child(folder: &Path, lanes: u64, strict: bool) {
    let (out, calls) = std::sync::mpsc::channel();
    let waiting = Waiting::default();
    let step = Step { out, waiting: Arc::clone(&waiting) };
    let options = Options { strict, ..Options::default() };
    let machine = world::machine("five", &definition());
    let parts = world::engine(folder, machine, vec![Box::new(step)], options).await;
    let host = world::host(folder, parts);
    std::thread::spawn(move || print(&calls));
    let lanes = (0..lanes).map(|lane| {
        let (engine, waiting) = (Arc::clone(host.engine()), Arc::clone(&waiting));
        tokio::spawn(async move {
            for n in 0.. {
                let run = lane * 1_000_000_000 + n;
                let (tell, told) = oneshot::channel();
                waiting.lock().unwrap().insert(run, tell);
                engine.start("five", &run.to_string(), json!({ "run": run })).await.unwrap();
                told.await.unwrap();
            }
        })
    });
    futures_util::future::join_all(lanes.collect::<Vec<_>>()).await;
}

/// Writes the calls out, those at hand at a time.
fn print(calls: &std::sync::mpsc::Receiver<(u64, u64)>) {
    let mut out = std::io::stdout().lock();
    while let Ok((run, step)) = calls.recv() {
        let mut text = format!("{run} {step}\n");
        for (run, step) in calls.try_iter() {
            text += &format!("{run} {step}\n");
        }
        out.write_all(text.as_bytes()).unwrap();
        out.flush().unwrap();
    }
}

/// Starts a child, reads its calls for a while, kills it, and looks for what it acknowledged: in
/// strict mode a call says that everything before it is on the disk.
pub(crate) fn measure(folder: &Path, lanes: u64, mode: &str, span: Duration) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["child", folder.to_str().unwrap(), &lanes.to_string(), mode])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (mut calls, mut reached) = (0_u64, HashMap::<u64, u64>::new());
    let mut begun = None;
    while let Some(Ok(line)) = lines.next() {
        let (run, step) = line.split_once(' ').unwrap();
        let (run, step): (u64, u64) = (run.parse().unwrap(), step.parse().unwrap());
        calls += 1;
        let reached = reached.entry(run).or_default();
        *reached = step.max(*reached);
        if begun.get_or_insert_with(Instant::now).elapsed() > span {
            break;
        }
    }
    let seconds = begun.unwrap().elapsed().as_secs_f64();
    // SIGKILL, in full run.
    child.kill().unwrap();
    child.wait().unwrap();
    let rate = calls as f64 / seconds;
    let aim = if lanes == 64 && mode == "strict" { "≥ 20,000/s" } else { "-" };
    println!("| durable steps, {lanes} in flight, {mode} | {rate:.0}/s | {aim} |");
    if lanes == 1 {
        let micros = seconds * 1e6 / calls as f64;
        println!(
            "| a step alone, {mode} (the start of its run counted in) | {micros:.0} µs | ≤ 1 ms + fsync |"
        );
    }
    if mode == "strict" {
        let (acknowledged, missing) = lost(folder, &reached);
        println!("| of {acknowledged} acknowledged steps, lost by `kill -9` | {missing} | 0 |");
        assert_eq!(missing, 0, "acknowledged steps are lost");
    }
}

/// Steps acknowledged, and those of them that the disk does not hold.
#[tokio::main(flavor = "current_thread")]
async fn lost(folder: &Path, reached: &HashMap<u64, u64>) -> (u64, u64) {
    let (out, _calls) = std::sync::mpsc::channel();
    let step = Step { out, waiting: Waiting::default() };
    let machine = world::machine("five", &definition());
    let (_, _, engine) =
        world::engine(folder, machine, vec![Box::new(step)], Options::default()).await;
    let (mut acknowledged, mut missing) = (0, 0);
    for (run, reached) in reached {
        // The call of a step acknowledges the one before.
        let wanted = reached - 1;
        let history = engine.history("five", &run.to_string(), None, 1000).await.unwrap();
        let done = history.items.iter().filter(|row| row["type"] == "TaskSucceeded").count();
        acknowledged += wanted;
        missing += wanted.saturating_sub(u64::try_from(done).unwrap());
    }
    (acknowledged, missing)
}
