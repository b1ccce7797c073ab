//! Following an operation until it rests: redrawn in place on a terminal, line by line elsewhere.

use super::{
    Mano,
    client::{Api, Client, segment},
    failure::Failure,
    print,
    tree::Node,
};
use console::{Term, truncate_str};
use jiff::{SignedDuration, Timestamp};
use std::{
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender},
    thread,
    time::{Duration, Instant},
};
use ureq::http::Method;

/// A server that is away (being restarted, perhaps) is asked so many times, a second apart.
const PATIENCE: usize = 30;

/// Where the tree goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sink {
    /// It is the result.
    Result,
    /// It is progress beside the result.
    Progress,
    /// It is the result, and only how it ended matters where it cannot be redrawn.
    Story,
}

/// What the server said of the operation, and when, by its own clock.
struct Seen {
    tree: Node,
    date: Option<Timestamp>,
}

/// The server's time: its clock, not ours, began the operation.
#[derive(Default)]
struct Clock {
    known: Option<(Timestamp, Instant)>,
}

impl Clock {
    /// Learns from an answer: it is as late as its latest time, and `Date` is in whole seconds.
    fn learn(&mut self, seen: &Seen) {
        let told = seen.date.into_iter().chain(seen.tree.latest()).max();
        if let Some(told) = told
            && self.now().is_none_or(|now| now < told)
        {
            self.known = Some((told, Instant::now()));
        }
    }

    /// The server's time now.
    fn now(&self) -> Option<Timestamp> {
        let (told, at) = self.known?;
        told.checked_add(SignedDuration::try_from(at.elapsed()).ok()?).ok()
    }
}

/// Follows an operation until it rests; the result is how it stands then.
pub(crate) fn follow(mano: &Mano, op: &str, sink: Sink) -> Result<Node, Failure> {
    let (send, receive) = mpsc::channel();
    let (client, op) = (mano.client.clone(), op.to_owned());
    // The server answers when something changes; meanwhile the seconds go on.
    thread::spawn(move || poll(&client, &op, &send));
    let term = match sink {
        Sink::Result | Sink::Story => Term::stdout(),
        Sink::Progress => Term::stderr(),
    };
    // A dumb terminal cannot go back over what it shows.
    let dumb = std::env::var_os("TERM").is_some_and(|kind| kind == "dumb");
    if term.is_term() && !dumb && !mano.quiet {
        return redraw(&receive, &term);
    }
    match sink {
        Sink::Progress if mano.quiet => lines(&receive, |_| Ok(())),
        Sink::Progress => lines(&receive, |text| {
            print::note(text);
            Ok(())
        }),
        Sink::Result => lines(&receive, print::line),
        Sink::Story => {
            let tree = lines(&receive, |_| Ok(()))?;
            tree.render(None, None, false).iter().try_for_each(|line| print::line(line))?;
            Ok(tree)
        }
    }
}

/// Asks for the tree again and again; each answer waits for a change.
fn poll(client: &Client, op: &str, to: &Sender<Result<Seen, Failure>>) {
    let mut path = format!("/operations/{}/tree", segment(op));
    let base = path.clone();
    let mut away = 0;
    loop {
        match look(client, &path) {
            Ok(seen) => {
                away = 0;
                path = format!("{base}?after={}&wait=20", segment(&seen.tree.version));
                let settled = seen.tree.is_settled();
                if to.send(Ok(seen)).is_err() || settled {
                    return;
                }
            }
            Err(failure) if failure.is_passing() && away < PATIENCE && path != base => {
                away += 1;
                thread::sleep(Duration::from_secs(1));
            }
            Err(failure) => {
                let _ = to.send(Err(failure));
                return;
            }
        }
    }
}

/// One look at the tree.
fn look(client: &Client, path: &str) -> Result<Seen, Failure> {
    let answer = client.ask(Method::GET, Api::Mano, path, None)?;
    let tree = serde_json::from_value(answer.body).map_err(|error| {
        Failure::new(format!("the server's tree of the operation is not understood: {error}"))
            .next("use the `mano` that belongs to this server")
    })?;
    Ok(Seen { tree, date: answer.date })
}

/// Draws over what was drawn before.
fn redraw(receive: &Receiver<Result<Seen, Failure>>, term: &Term) -> Result<Node, Failure> {
    let mut clock = Clock::default();
    let mut seen: Option<Seen> = None;
    let mut drawn = 0;
    loop {
        match receive.recv_timeout(Duration::from_millis(200)) {
            Ok(news) => clock.learn(seen.insert(news?)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(lost()),
        }
        let Some(seen) = &seen else { continue };
        let (height, width) = term.size();
        // A finished tree stays on the screen in full: it scrolls, and is not drawn again.
        let settled = seen.tree.is_settled();
        let most = (!settled).then(|| usize::from(height).saturating_sub(1).max(1));
        let lines = seen.tree.render(clock.now(), most, term.features().colors_supported());
        let mut text = String::new();
        for line in &lines {
            text.push_str(&truncate_str(line, usize::from(width).saturating_sub(1), "…"));
            text.push('\n');
        }
        let cleared = term.clear_last_lines(drawn);
        cleared
            .and_then(|()| term.write_str(&text))
            .map_err(|error| Failure::new(format!("cannot draw on the terminal: {error}")))?;
        if settled {
            return Ok(seen.tree.clone());
        }
        drawn = lines.len();
    }
}

/// Writes one line for each change.
fn lines(
    receive: &Receiver<Result<Seen, Failure>>,
    write: impl Fn(&str) -> Result<(), Failure>,
) -> Result<Node, Failure> {
    let mut clock = Clock::default();
    let mut before: Option<Node> = None;
    for news in receive {
        let seen = news?;
        clock.learn(&seen);
        for line in seen.tree.changes(before.as_ref(), clock.now()) {
            write(&line)?;
        }
        if seen.tree.is_settled() {
            return Ok(seen.tree);
        }
        before = Some(seen.tree);
    }
    Err(lost())
}

/// The asking thread ended without a word.
fn lost() -> Failure {
    Failure::new("following the operation ended before the operation did")
        .next("repeat the command")
}
