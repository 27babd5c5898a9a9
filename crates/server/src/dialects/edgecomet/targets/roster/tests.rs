use super::*;
use crate::dialects::edgecomet::{
    config::GatewayFile,
    home::{RegisteredGateway, RenderService},
};

const HOST: HostId = HostId(1);

fn later(ms: u64) -> Instant {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    *START.get_or_init(Instant::now) + Duration::from_millis(ms)
}

fn embedded(gateways: &[&str]) -> Config {
    Config { gateways: gateways.iter().map(|address| (*address).to_owned()).collect(), ..Config::default() }
}

fn shared(gateways: &[&str]) -> Config {
    let mut config = embedded(gateways);
    config.redis.addr = Some("127.0.0.1:6379".to_owned());
    config
}

fn registry(services: &[(u64, u64)], gateways: &[&str]) -> Registry {
    let services = services.iter().map(|(capacity, load)| RenderService { capacity: *capacity, load: *load });
    let gateways = gateways
        .iter()
        .map(|id| RegisteredGateway { eg_id: (*id).to_owned(), address: format!("10.0.0.1:{}", id.len()) });
    Registry { render_services: services.collect(), gateways: gateways.collect(), daemons: 1 }
}

/// Whom the next jobs go to, as many as may begin.
fn given(roster: &mut Roster, most: u64, now: Instant) -> Vec<String> {
    let mut given = Vec::new();
    for job in 1000..1000 + most {
        if roster.capacity(now) == 0 {
            break;
        }
        match roster.begin(job, HOST, now) {
            Some(Target::Gateway(gateway)) => given.push(gateway.id.clone()),
            Some(Target::Worker) => given.push("worker".to_owned()),
            None => break,
        }
    }
    given
}

#[test]
fn the_worker_keeps_a_share_of_its_slots() {
    let mut roster = Roster::new(&embedded(&[]), Some(10));
    assert_eq!((roster.free(later(0)), roster.capacity(later(0))), (10, 7));
    assert_eq!(given(&mut roster, 100, later(0)), ["worker"; 7]);
    assert_eq!((roster.free(later(0)), roster.capacity(later(0)), roster.in_flight_of(HOST)), (3, 0, 7));
    roster.ended(1000, Contact::Answered, later(0));
    assert_eq!((roster.free(later(0)), roster.capacity(later(0))), (4, 1));
    assert_eq!((roster.in_flight_of(HOST), roster.in_flight_of(HostId(2))), (6, 0));
}

#[test]
fn without_a_target_nothing_begins() {
    let mut roster = Roster::new(&embedded(&[]), None);
    assert_eq!((roster.free(later(0)), roster.capacity(later(0))), (0, 0));
    assert_eq!(roster.begin(1, HOST, later(0)), None);
    assert_eq!(roster.in_flight_of(HOST), 0);
}

#[test]
fn the_one_with_the_fewest_jobs_gets_the_next_one() {
    let mut config = embedded(&["b:1", "a:1"]);
    config.recache.rs_capacity_reserved = 0.0;
    let mut roster = Roster::new(&config, None);
    assert_eq!(roster.free(later(0)), 8, "four each");
    assert_eq!(given(&mut roster, 5, later(0)), ["a:1", "b:1", "a:1", "b:1", "a:1"]);
    // Three of a, two of b.
    roster.ended(1000, Contact::Answered, later(0));
    roster.ended(1002, Contact::Answered, later(0));
    assert_eq!(given(&mut roster, 2, later(0)), ["a:1", "a:1"]);
}

#[test]
fn a_configured_gateway_of_the_embedded_home_takes_so_many_jobs_and_no_more() {
    let mut config = embedded(&["a:1"]);
    (config.recache.rs_capacity_reserved, config.recache.gateway_concurrency) = (0.0, 2);
    let mut roster = Roster::new(&config, Some(10));
    assert_eq!(given(&mut roster, 100, later(0)), ["a:1", "a:1"]);
    assert_eq!((roster.free(later(0)), roster.begin(9, HOST, later(0))), (0, None));
}

#[test]
fn the_share_is_kept_of_all_gateways_together() {
    let mut roster = Roster::new(&embedded(&["a:1", "b:1"]), None);
    assert_eq!(given(&mut roster, 100, later(0)).len(), 6, "8 - trunc(8 x 0.3)");
}

#[test]
fn registered_come_first_then_configured_then_that_of_the_file_then_the_worker() {
    let file = GatewayFile { listen: Some("0.0.0.0:10071".to_owned()), eg_id: Some("file".to_owned()) };
    let whom = |config: Config, gateways: &[&str], slots| {
        let mut roster = Roster::new(&Config { gateway_file: file.clone(), ..config }, slots);
        roster.learn(registry(&[(10, 0)], gateways));
        given(&mut roster, 1, later(0)).pop()
    };
    for (config, registered, slots, expected) in [
        (shared(&["c:1"]), &["eg"][..], Some(10), Some("eg")),
        (shared(&["c:1"]), &[], Some(10), Some("c:1")),
        (shared(&[]), &[], Some(10), Some("file")),
        (shared(&[]), &[], None, Some("file")),
        (embedded(&["c:1"]), &[], Some(10), Some("c:1")),
        // In a home of its own nobody shares pages with that gateway.
        (embedded(&[]), &[], Some(10), Some("worker")),
        (embedded(&[]), &[], None, None),
    ] {
        assert_eq!(
            whom(config.clone(), registered, slots).as_deref(),
            expected,
            "{:?} {registered:?}",
            config.gateways
        );
    }
    let mut roster = Roster::new(&shared(&[]), Some(10));
    assert_eq!(given(&mut roster, 1, later(0)), ["worker"]);
}

#[test]
fn services_say_what_is_free_and_include_a_job_after_a_while() {
    let mut roster = Roster::new(&shared(&[]), None);
    roster.learn(registry(&[(10, 4), (3, 5), (4, 0)], &["eg"]));
    assert_eq!((roster.free(later(0)), roster.capacity(later(0))), (10, 7));
    assert_eq!(given(&mut roster, 100, later(0)).len(), 7);
    // They still report the old load, and later what the jobs take.
    assert_eq!(roster.capacity(later(1999)), 0);
    roster.learn(registry(&[(10, 4 + 6), (3, 5), (4, 1)], &["eg"]));
    assert_eq!((roster.free(later(2000)), roster.capacity(later(2000))), (3, 0));
    // Somebody else's work ended.
    roster.learn(registry(&[(10, 6), (3, 5), (4, 1)], &["eg"]));
    assert_eq!(roster.capacity(later(2000)), 14 - 4 - 7);
}

#[test]
fn daemons_share_what_is_free() {
    let mut roster = Roster::new(&shared(&[]), None);
    roster.learn(Registry { daemons: 2, ..registry(&[(10, 0)], &["eg"]) });
    assert_eq!(given(&mut roster, 100, later(0)).len(), 3);
    roster.learn(Registry { daemons: 100, ..registry(&[(10, 0)], &["eg"]) });
    assert_eq!(roster.capacity(later(0)), 0);
}

#[test]
fn without_render_services_gateways_get_nothing() {
    let mut roster = Roster::new(&shared(&[]), None);
    roster.learn(registry(&[], &["eg"]));
    assert_eq!(given(&mut roster, 100, later(0)).len(), 0);
    roster.learn(registry(&[(u64::MAX, 0), (u64::MAX, 0)], &["eg"]));
    assert_eq!(roster.free(later(0)), u64::MAX, "numbers of others do not overflow");
    assert!(roster.capacity(later(0)) > 0);
}

#[test]
fn a_gateway_that_refuses_is_left_out_for_a_while() {
    let mut roster = Roster::new(&embedded(&["a:1", "b:1"]), None);
    assert_eq!(given(&mut roster, 1, later(0)), ["a:1"]);
    assert!(roster.ended(1000, Contact::Refused, later(0)), "left out from now on");
    assert_eq!(given(&mut roster, 1, later(0)), ["b:1"]);
    roster.ended(1000, Contact::Refused, later(1));
    // Also when there is nobody else.
    assert_eq!((roster.free(later(9999)), roster.begin(1, HOST, later(9999))), (0, None));
    assert_eq!(given(&mut roster, 1, later(10_000)), ["a:1"]);
}

#[test]
fn three_errors_in_a_row_and_others_are_preferred() {
    let mut config = embedded(&["a:1"]);
    config.recache.rs_capacity_reserved = 0.0;
    for (slots, next) in [(Some(5), "worker"), (None, "a:1")] {
        let mut roster = Roster::new(&config, slots);
        for (contact, left_out) in [
            (Contact::Broke, false),
            (Contact::Broke, false),
            (Contact::Answered, false),
            (Contact::Broke, false),
            (Contact::Broke, false),
            (Contact::Broke, true),
        ] {
            assert_eq!(given(&mut roster, 1, later(0)), ["a:1"]);
            assert_eq!(roster.ended(1000, contact, later(0)), left_out);
        }
        assert_eq!(given(&mut roster, 1, later(9999)), [next]);
        roster.ended(1000, Contact::Answered, later(9999));
        assert_eq!(given(&mut roster, 1, later(10_000)), ["a:1"]);
    }
}

#[test]
fn a_registered_gateway_that_refuses_is_one_that_broke() {
    let mut roster = Roster::new(&shared(&[]), None);
    roster.learn(registry(&[(10, 0)], &["eg", "other"]));
    for left_out in [false, false, true] {
        assert_eq!(given(&mut roster, 1, later(0)), ["eg"]);
        assert_eq!(roster.ended(1000, Contact::Refused, later(0)), left_out);
    }
    assert_eq!(given(&mut roster, 1, later(0)), ["other"]);
}

#[test]
fn one_host_takes_no_more_of_the_worker_than_it_may() {
    let mut config = embedded(&[]);
    config.worker.host_concurrency = 2;
    let mut roster = Roster::new(&config, Some(10));
    assert_eq!(roster.room_of(HOST, later(0)), 2);
    roster.begin(1, HOST, later(0)).expect("the worker");
    roster.begin(2, HOST, later(0)).expect("the worker");
    assert_eq!((roster.room_of(HOST, later(0)), roster.room_of(HostId(2), later(0))), (0, 2));
    roster.ended(1, Contact::Answered, later(0));
    assert_eq!(roster.room_of(HOST, later(0)), 1);
    // Gateways know their own bounds.
    config.gateways = vec!["a:1".to_owned()];
    assert_eq!(Roster::new(&config, Some(10)).room_of(HOST, later(0)), u64::MAX);
}

#[test]
fn whoever_listens_everywhere_is_called_on_this_machine() {
    for listen in [":10071", "10071", "0.0.0.0:10071", "127.0.0.1:10071"] {
        let gateway_file = GatewayFile { listen: Some(listen.to_owned()), eg_id: None };
        let mut roster = Roster::new(&Config { gateway_file, ..shared(&[]) }, None);
        roster.learn(registry(&[(10, 0)], &[]));
        assert_eq!(given(&mut roster, 1, later(0)), ["127.0.0.1:10071"], "{listen}");
    }
}
