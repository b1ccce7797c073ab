//! Steps against a simulated VIM: what is done, what is recorded, what is left.

use super::*;

#[tokio::test]
async fn what_is_made_is_recorded_once_however_often_it_is_asked_for() {
    let w = World::new().await;
    for _ in 0..3 {
        w.call("vim.ensure", "net", 0).await.unwrap();
    }
    let there = w.there().await;
    assert_eq!(there.len(), 1);
    let row = w.row("net").await.unwrap();
    assert_eq!(row.presence, Presence::Present);
    assert_eq!(row.resource_id.as_ref(), Some(&there[0].resource_id));
    assert_eq!(there[0].key.as_deref(), Some("op/net"));
    assert_eq!(w.step("net").await.unwrap().handle, row.resource_id);
}

#[tokio::test]
async fn a_thing_is_joined_only_to_what_is_known_to_exist() {
    let w = World::new().await;
    assert_eq!(w.call("vim.ensure", "a-2", 0).await, Err("Mano.Refused".into()));
    assert_eq!(w.there().await, []);
    w.call("vim.ensure", "net", 0).await.unwrap();
    w.call("vim.ensure", "a-2", 0).await.unwrap();
    // The network is in use, so the VIM knows that they are joined.
    w.next_run(1).await;
    assert_eq!(w.call("vim.remove", "net", 1).await, Err("Mano.Transient".into()));
}

#[tokio::test]
async fn undoing_gives_everything_back_once() {
    let w = World::new().await;
    for name in NAMES {
        w.call("vim.ensure", name, 0).await.unwrap();
    }
    w.agrees().await;
    assert_eq!(w.zone().await.vcpu_milli_reserved, 4000);
    w.next_run(1).await;
    for name in NAMES.into_iter().rev().chain(NAMES) {
        w.call("vim.remove", name, 1).await.unwrap();
        assert_eq!(w.step(name).await.unwrap().state, State::Undone);
    }
    assert_eq!(w.there().await, []);
    assert_eq!(w.rows().await, []);
    assert_eq!(w.zone().await.reserved(), Amounts::default());
}

/// The VIM removes it and the process dies before that is recorded.
#[tokio::test]
async fn what_a_dying_process_was_undoing_is_made_again_by_a_retry() {
    let w = World::new().await;
    w.call("vim.ensure", "net", 0).await.unwrap();
    let id = w.row("net").await.unwrap().resource_id.unwrap();
    w.next_run(1).await;
    w.behave(Behaviour { hang_nth: Some(1), ..Behaviour::default() }).await;
    let driver = w.cx.vims.driver("sim").unwrap();
    let target = w.target().await;
    let simulated = driver.simulated().unwrap();
    let dies = async {
        while simulated.behaviour(&target).await.unwrap().calls == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        answer = w.call("vim.remove", "net", 1) => panic!("{answer:?}"),
        () = dies => {}
    }
    assert!(simulated.lose(&target, &id).await.unwrap());
    w.next_run(2).await;
    w.call("vim.ensure", "net", 2).await.unwrap();
    assert_eq!(w.there().await.len(), 1);
    assert_eq!(w.row("net").await.unwrap().presence, Presence::Present);
    w.agrees().await;
}

#[tokio::test]
async fn undoing_what_was_never_made_gives_its_reservation_back_too() {
    let w = World::new().await;
    w.next_run(1).await;
    for name in NAMES {
        w.call("vim.remove", name, 1).await.unwrap();
    }
    assert_eq!(w.zone().await.reserved(), Amounts::default());
}

#[tokio::test]
async fn a_run_that_another_has_replaced_may_do_nothing() {
    let w = World::new().await;
    w.next_run(1).await;
    assert_eq!(w.call("vim.ensure", "net", 0).await, Err("Mano.Refused".into()));
    assert_eq!(w.there().await, []);
    assert!(w.rows().await.is_empty());
}

#[tokio::test]
async fn a_removal_of_the_grant_ends_done_and_gives_back_what_the_row_held() {
    let w = World::new().await;
    w.call("vim.ensure", "net", 0).await.unwrap();
    w.call("vim.ensure", "a-2", 0).await.unwrap();
    let removes = vec![w.row("a-2").await.unwrap()];
    let at = Timestamp::UNIX_EPOCH;
    let op = VnfOp::accepted("end".into(), "vnf", Operation::Terminate, json!({}), at);
    let grant = Grant { op_id: "end".into(), adds: Vec::new(), removes, ..grant() };
    w.commit(Plan::new(origin(&w.tenant)).create(&op).create(&grant)).await;
    for _ in 0..2 {
        w.ask("vim.remove", "end", "a-2", 0, None).await.unwrap();
    }
    assert_eq!(w.there().await.len(), 1);
    assert_eq!(w.zone().await.vcpu_milli_reserved, 2000);
    assert!(w.row("a-2").await.is_none());
}

#[tokio::test]
async fn what_the_vim_refuses_is_recorded_and_another_run_can_still_make_it() {
    let w = World::new().await;
    let told =
        Behaviour { fail_nth: Some(1), fail_kind: FailKind::Permanent, ..Behaviour::default() };
    w.behave(told).await;
    assert_eq!(w.call("vim.ensure", "net", 0).await, Err("Mano.Refused".into()));
    let step = w.step("net").await.unwrap();
    assert_eq!(step.state, State::Failed);
    assert!(step.error.unwrap().contains("told to refuse"));
    assert_eq!(w.row("net").await.unwrap().presence, Presence::Suspect);
    w.next_run(1).await;
    w.call("vim.ensure", "net", 1).await.unwrap();
    assert_eq!(w.row("net").await.unwrap().presence, Presence::Present);
    w.agrees().await;
}

#[tokio::test]
async fn a_lost_answer_is_looked_up_at_once() {
    let w = World::new().await;
    w.behave(Behaviour { lose_answer_nth: Some(1), ..Behaviour::default() }).await;
    w.call("vim.ensure", "net", 0).await.unwrap();
    assert_eq!(w.there().await.len(), 1);
    w.agrees().await;
}

#[tokio::test]
async fn a_vim_that_hangs_is_given_up_and_what_may_exist_is_suspected() {
    let w = World::new().await;
    w.behave(Behaviour { hang_nth: Some(1), ..Behaviour::default() }).await;
    let asked = w.ask("vim.ensure", "op", "net", 0, None);
    let patience = async {
        while !w.clock.jump(Duration::from_secs(50)) {
            tokio::task::yield_now().await;
        }
        w.clock.now()
    };
    let (answer, given_up) = tokio::join!(asked, patience);
    let error = answer.unwrap_err();
    assert_eq!(error.fault().name(), "Mano.Transient");
    assert!(error.chain().contains("50 s"), "{}", error.chain());
    assert_eq!(given_up.as_second(), 50);
    assert_eq!(w.row("net").await.unwrap().presence, Presence::Suspect);
    assert!(w.step("net").await.is_none());
    w.call("vim.ensure", "net", 0).await.unwrap();
    assert_eq!(w.row("net").await.unwrap().presence, Presence::Present);
}

#[tokio::test]
async fn what_a_vim_goes_on_with_is_watched_until_it_is_done() {
    let w = World::new().await;
    w.behave(Behaviour { asynchronous_ms: 90_000, ..Behaviour::default() }).await;
    w.call_with("vim.ensure", "net", 0, "token-1").await;
    assert!(w.step("net").await.is_none());
    assert_eq!(w.row("net").await.unwrap().presence, Presence::Suspect);
    assert_eq!(w.watch("net").await.unwrap().token, "token-1");
    w.agrees().await;
    assert_eq!(w.resumed(), []);
    let took = w.messages_handled().await.as_secs();
    assert!((90..=180).contains(&took), "noticed after {took} s");
    assert!(w.watch("net").await.is_none());
    assert_eq!(w.step("net").await.unwrap().state, State::Done);
    assert_eq!(w.resumed(), [("token-1".into(), Outcome::Success(json!({})))]);
    w.agrees().await;
    // Removing takes its time, too.
    w.next_run(1).await;
    w.call_with("vim.remove", "net", 1, "token-2").await;
    assert_eq!(w.step("net").await.unwrap().state, State::Done);
    w.messages_handled().await;
    assert!(w.watch("net").await.is_none());
    assert_eq!(w.step("net").await.unwrap().state, State::Undone);
    assert_eq!((w.there().await, w.rows().await), (vec![], vec![]));
    assert_eq!(w.resumed(), [("token-2".into(), Outcome::Success(json!({})))]);
}

#[tokio::test]
async fn the_task_that_asked_last_is_told_and_a_second_look_tells_nobody_anything_new() {
    let w = World::new().await;
    w.behave(Behaviour { asynchronous_ms: 1000, ..Behaviour::default() }).await;
    w.call_with("vim.ensure", "net", 0, "token-1").await;
    w.call_with("vim.ensure", "net", 0, "token-2").await;
    let looks = w.waiting.0.lock().unwrap().clone();
    w.messages_handled().await;
    assert_eq!(w.resumed(), [("token-2".into(), Outcome::Success(json!({})))]);
    *w.waiting.0.lock().unwrap() = looks;
    w.messages_handled().await;
    assert_eq!(w.resumed(), []);
    assert_eq!(w.there().await.len(), 1);
    w.call_with("vim.ensure", "net", 0, "token-3").await;
    assert_eq!(w.resumed(), [("token-3".into(), Outcome::Success(json!({})))]);
}

#[tokio::test]
async fn no_message_and_no_fact_shows_a_token() {
    let w = World::new().await;
    w.behave(Behaviour { asynchronous_ms: 1000, ..Behaviour::default() }).await;
    w.call_with("vim.ensure", "net", 0, "a-secret-token").await;
    let looks = w.waiting.0.lock().unwrap().clone();
    assert!(!looks.is_empty() && !format!("{looks:?}").contains("a-secret-token"));
}

#[tokio::test]
async fn without_a_token_the_workflow_is_told_to_ask_again() {
    let w = World::new().await;
    w.behave(Behaviour { asynchronous_ms: 1000, ..Behaviour::default() }).await;
    assert_eq!(w.call("vim.ensure", "net", 0).await, Err("Mano.Transient".into()));
    w.clock.advance(Duration::from_secs(1));
    w.call("vim.ensure", "net", 0).await.unwrap();
    w.agrees().await;
}

#[tokio::test]
async fn what_breaks_under_way_fails_its_step() {
    let w = World::new().await;
    let told = Behaviour {
        asynchronous_ms: 5000,
        fail_nth: Some(1),
        fail_kind: FailKind::Later,
        ..Behaviour::default()
    };
    w.behave(told).await;
    w.call_with("vim.ensure", "net", 0, "token").await;
    w.messages_handled().await;
    assert!(w.watch("net").await.is_none());
    let step = w.step("net").await.unwrap();
    assert_eq!(step.state, State::Failed);
    assert!(step.error.unwrap().contains("ERROR"));
    assert_eq!(w.failures(), [("token".into(), "Mano.Refused".into())]);
    w.agrees().await;
}

#[tokio::test]
async fn a_vim_that_never_ends_is_given_up_after_half_an_hour() {
    let w = World::new().await;
    w.behave(Behaviour { asynchronous_ms: 10 * 3_600_000, ..Behaviour::default() }).await;
    w.call_with("vim.ensure", "net", 0, "token").await;
    w.messages_handled().await;
    assert!(w.watch("net").await.is_none());
    let step = w.step("net").await.unwrap();
    assert_eq!(step.state, State::Failed);
    assert!(step.error.unwrap().contains("30 minutes"));
    assert_eq!(w.failures(), [("token".into(), "Mano.Refused".into())]);
    assert_eq!(w.row("net").await.unwrap().presence, Presence::Suspect);
}

#[tokio::test]
async fn a_watch_of_a_run_that_was_replaced_ends_without_a_trace() {
    let w = World::new().await;
    w.behave(Behaviour { asynchronous_ms: 5000, ..Behaviour::default() }).await;
    w.call_with("vim.ensure", "net", 0, "token").await;
    w.next_run(1).await;
    w.messages_handled().await;
    assert!(w.watch("net").await.is_none());
    assert!(w.step("net").await.is_none());
    w.agrees().await;
}

#[tokio::test]
async fn what_was_undone_is_made_again_only_if_there_is_still_room() {
    let w = World::new().await;
    w.call("vim.ensure", "net", 0).await.unwrap();
    w.next_run(1).await;
    w.call("vim.remove", "a-2", 1).await.unwrap();
    w.next_run(2).await;
    assert_eq!(w.zone().await.vcpu_milli_reserved, 2000);
    let rest = Grant {
        op_id: "other".into(),
        adds: vec![placement("big", ResourceKind::Compute, 6, &[])],
        ..grant()
    };
    w.granted(&rest).await;
    assert_eq!(w.call("vim.ensure", "a-2", 2).await, Err("Mano.Refused".into()));
    assert_eq!(w.there().await.len(), 1);
    let plan = Plan::new(origin(&w.tenant)).delete::<Grant>(1, "other");
    let back = Zone::give_back(rest.adds[0].want.amounts);
    w.commit(plan.add::<Zone>("east/z", back)).await;
    w.call("vim.ensure", "a-2", 2).await.unwrap();
    assert_eq!(w.zone().await.vcpu_milli_reserved, 4000);
}

/// Every call of the VIM fails once, in every way; the workflow asks again as workflows do, and
/// an operator retries and rolls back.
#[tokio::test]
async fn whichever_call_fails_how_ever_a_retry_completes_and_a_rollback_leaves_nothing() {
    let told = |nth, kind: Option<FailKind>| Behaviour {
        fail_nth: kind.is_some().then_some(nth),
        fail_kind: kind.unwrap_or_default(),
        lose_answer_nth: kind.is_none().then_some(nth),
        ..Behaviour::default()
    };
    let kinds = [
        Some(FailKind::Transient),
        Some(FailKind::Permanent),
        Some(FailKind::NoCapacity),
        Some(FailKind::Later),
        None,
    ];
    for kind in kinds {
        for nth in 1..=2 * NAMES.len() as u64 {
            let w = World::new().await;
            w.behave(told(nth, kind)).await;
            let mut run = 0;
            for name in NAMES {
                while w.call("vim.ensure", name, run).await.is_err() {
                    w.agrees().await;
                    run += 1;
                    w.next_run(run).await;
                }
            }
            w.agrees().await;
            assert_eq!(w.there().await.len(), NAMES.len(), "{kind:?} {nth}");
            run += 1;
            w.next_run(run).await;
            for name in NAMES.into_iter().rev() {
                while w.call("vim.remove", name, run).await.is_err() {
                    w.agrees().await;
                    run += 1;
                    w.next_run(run).await;
                }
            }
            assert_eq!(w.there().await, [], "{kind:?} {nth}");
            assert_eq!(w.rows().await, [], "{kind:?} {nth}");
            assert_eq!(w.zone().await.reserved(), Amounts::default(), "{kind:?} {nth}");
        }
    }
}
