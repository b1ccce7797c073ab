//! When the door asks an issuer for keys, and how long it believes old ones.

use async_trait::async_trait;
use http::Request;
use jiff::Timestamp;
use mano_embedded::HeldClock;
use mano_ports::{
    clock::Clock,
    door::{
        auth::{Authenticator, Denied},
        jwt::{Jwt, KeySet, NoKeys, Source, Trust, mint::Mint},
    },
};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::sync::Notify;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// An issuer that publishes whatever it is told to.
struct Issuer {
    publishes: Mutex<Publishes>,
    asked: AtomicUsize,
    /// Told whenever it is asked.
    heard: Notify,
}

enum Publishes {
    Keys(Value),
    Nothing,
    /// It takes the call and never answers.
    Silence,
}

#[async_trait]
impl Source for &'static Issuer {
    async fn keys(&self) -> Result<KeySet, NoKeys> {
        self.asked.fetch_add(1, SeqCst);
        self.heard.notify_one();
        let text = match &*self.publishes.lock().unwrap() {
            Publishes::Keys(keys) => Some(keys.to_string()),
            Publishes::Nothing => Some(String::new()),
            Publishes::Silence => None,
        };
        match text {
            Some(text) => KeySet::parse(text.as_bytes())
                .map_err(|bad| NoKeys::Unusable("the issuer".into(), bad)),
            None => std::future::pending().await,
        }
    }
}

struct World {
    issuer: &'static Issuer,
    clock: Arc<HeldClock>,
    door: Jwt,
}

impl World {
    fn new(publishes: Publishes) -> Self {
        let publishes = Mutex::new(publishes);
        let (asked, heard) = (AtomicUsize::new(0), Notify::new());
        let issuer: &'static Issuer = Box::leak(Box::new(Issuer { publishes, asked, heard }));
        let clock = Arc::new(HeldClock::new(Timestamp::from_second(1_800_000_000).unwrap()));
        let trust = Trust {
            issuer: "https://idp.example".into(),
            audience: "mano".into(),
            tenant_claim: Trust::TENANT_CLAIM.into(),
            tenants: HashMap::new(),
        };
        let door = Jwt::new(trust, Box::new(issuer), Arc::clone(&clock) as Arc<dyn Clock>);
        Self { issuer, clock, door }
    }

    fn publish(&self, publishes: Publishes) {
        *self.issuer.publishes.lock().unwrap() = publishes;
    }

    fn asked(&self) -> usize {
        self.issuer.asked.load(SeqCst)
    }

    /// The status for somebody with a good token of this key; 200: let in.
    async fn show(&self, mint: &Mint) -> u16 {
        let exp = self.clock.now().as_second() + 600;
        let (iss, aud) = ("https://idp.example", "mano");
        let token = mint
            .token(&json!({ "iss": iss, "aud": aud, "sub": "anna", "tenant": "acme", "exp": exp }));
        let head = Request::get("/").header("authorization", format!("Bearer {token}"));
        let (head, ()) = head.body(()).unwrap().into_parts();
        let admitted = self.door.principal(&head).await;
        admitted.map_or_else(|denied: Denied| denied.status().as_u16(), |_| 200)
    }
}

fn keys(mints: &[&Mint]) -> Publishes {
    Publishes::Keys(Mint::key_set(mints))
}

#[tokio::test]
async fn a_new_key_of_the_issuer_counts_within_a_minute_and_strangers_cannot_make_it_ask_more() {
    let (old, new, stranger) = (Mint::ed("old"), Mint::ed("new"), Mint::ed("stranger"));
    let world = World::new(keys(&[&old]));
    assert_eq!(world.show(&old).await, 200);
    world.publish(keys(&[&old, &new]));
    for _ in 0..10 {
        assert_eq!(world.show(&new).await, 401);
        assert_eq!(world.show(&stranger).await, 401);
    }
    assert_eq!(world.asked(), 1);
    world.clock.advance(MINUTE);
    assert_eq!(world.show(&new).await, 200);
    assert_eq!(world.show(&stranger).await, 401);
    assert_eq!((world.show(&old).await, world.asked()), (200, 2));
}

#[tokio::test]
async fn a_key_that_the_issuer_withdraws_counts_for_an_hour_at_most() {
    let (old, new) = (Mint::ed("old"), Mint::ed("new"));
    let world = World::new(keys(&[&old]));
    assert_eq!(world.show(&old).await, 200);
    world.publish(keys(&[&new]));
    world.clock.advance(HOUR - Duration::from_secs(1));
    assert_eq!(world.show(&old).await, 200);
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(world.show(&old).await, 401);
    assert_eq!(world.show(&new).await, 200);
}

#[tokio::test]
async fn nobody_is_let_in_until_the_issuer_is_there_and_then_without_a_restart() {
    let mint = Mint::ed("one");
    let world = World::new(Publishes::Nothing);
    for _ in 0..10 {
        assert_eq!(world.show(&mint).await, 503);
    }
    assert_eq!(world.asked(), 1);
    world.publish(keys(&[&mint]));
    world.clock.advance(Duration::from_secs(5));
    assert_eq!((world.show(&mint).await, world.asked()), (200, 2));
}

#[tokio::test]
async fn old_keys_count_for_a_day_without_the_issuer_and_no_longer() {
    let mint = Mint::ed("one");
    let world = World::new(keys(&[&mint]));
    assert_eq!(world.show(&mint).await, 200);
    world.publish(Publishes::Nothing);
    for hour in 1..24 {
        world.clock.advance(HOUR);
        assert_eq!(world.show(&mint).await, 200, "after {hour} hours");
    }
    world.clock.advance(HOUR);
    assert_eq!(world.show(&mint).await, 503);
    world.publish(keys(&[&mint]));
    world.clock.advance(MINUTE);
    assert_eq!(world.show(&mint).await, 200);
}

#[tokio::test]
async fn what_is_no_token_at_all_is_told_without_asking_the_issuer() {
    let world = World::new(Publishes::Nothing);
    let (head, ()) =
        Request::get("/").header("authorization", "Bearer a.b.c").body(()).unwrap().into_parts();
    assert!(matches!(world.door.principal(&head).await, Err(Denied::Unknown(_))));
    assert_eq!(world.asked(), 0);
}

#[tokio::test]
async fn an_issuer_that_never_answers_is_given_up_once_for_everybody_who_waits() {
    let mint = Mint::ed("one");
    let world = World::new(Publishes::Silence);
    let patience = async {
        world.issuer.heard.notified().await;
        // Whoever comes meanwhile waits for the same call.
        tokio::task::yield_now().await;
        world.clock.advance(Duration::from_secs(8));
    };
    let (one, two, ()) = tokio::join!(world.show(&mint), world.show(&mint), patience);
    assert_eq!((one, two, world.asked()), (503, 503, 1));
}
