use super::*;

const ALL: [Priority; 3] = Priority::ALL;
const HIGH: [Priority; 1] = [Priority::High];

fn hosts(ids: impl IntoIterator<Item = u64>) -> Vec<HostId> {
    ids.into_iter().map(HostId).collect()
}

fn room(space: usize, wanted: usize) -> Room {
    Room { space, wanted }
}

fn unlimited(_: HostId) -> usize {
    usize::MAX
}

/// Host, queue and number, in short.
fn shown(pulls: &[Pull]) -> Vec<(u64, &'static str, usize)> {
    pulls.iter().map(|pull| (pull.host.0, pull.priority.as_str(), pull.most)).collect()
}

/// Queues by host and priority; what is in them is due.
struct Site(BTreeMap<(HostId, Priority), usize>);

impl Site {
    fn with(entries: &[(u64, Priority, usize)]) -> Site {
        Site(entries.iter().map(|(host, priority, count)| ((HostId(*host), *priority), *count)).collect())
    }

    /// Answers as a home does, without the leases, whose number comes beside.
    fn pull(&mut self, pulls: &[Pull]) -> (Vec<Pulled>, usize) {
        let mut taken = 0;
        let answers = pulls.iter().map(|pull| {
            let left = self.0.entry((pull.host, pull.priority)).or_default();
            let took = pull.most.min(*left);
            *left -= took;
            taken += took;
            Pulled { pull: *pull, leases: Vec::new(), due_left: *left > 0 }
        });
        (answers.collect(), taken)
    }

    fn left(&self, host: u64, priority: Priority) -> usize {
        self.0[&(HostId(host), priority)]
    }
}

/// Calls until there is nothing to pull; how much came, by how many calls.
fn drain(rounds: &mut Rounds, site: &mut Site, mut space: usize, mut wanted: usize) -> (usize, usize) {
    let (mut came, mut calls) = (0, 0);
    loop {
        let pulls = rounds.next(room(space, wanted), unlimited);
        if pulls.is_empty() {
            return (came, calls);
        }
        let (answers, taken) = site.pull(&pulls);
        rounds.pulled(&answers);
        (came, calls) = (came + taken, calls + 1);
        (space, wanted) = (space - taken, wanted.saturating_sub(taken));
    }
}

#[test]
fn the_first_round_takes_one_entry_of_each_queue_also_without_capacity() {
    let mut rounds = Rounds::default();
    rounds.begin(0, &hosts(1..=2), &ALL);
    let pulls = rounds.next(room(100, 0), unlimited);
    let expected = [
        (1, "high", 1),
        (2, "high", 1),
        (1, "normal", 1),
        (2, "normal", 1),
        (1, "autorecache", 1),
        (2, "autorecache", 1),
    ];
    assert_eq!(shown(&pulls), expected);
    assert!(rounds.next(room(100, 0), unlimited).is_empty(), "further rounds need capacity");
}

#[test]
fn the_first_host_changes_every_tick() {
    for (tick, order) in [(0, [1, 2, 3]), (1, [2, 3, 1]), (2, [3, 1, 2]), (3, [1, 2, 3])] {
        let mut rounds = Rounds::default();
        rounds.begin(tick, &hosts(1..=3), &HIGH);
        let pulls = rounds.next(room(9, 0), unlimited);
        assert_eq!(pulls.iter().map(|pull| pull.host.0).collect::<Vec<_>>(), order, "{tick}");
    }
}

#[test]
fn nothing_is_pulled_without_space() {
    let mut rounds = Rounds::default();
    rounds.begin(0, &hosts(1..=3), &HIGH);
    assert!(rounds.next(room(0, 10), unlimited).is_empty());
    // What found no space is pulled as soon as there is some.
    assert_eq!(shown(&rounds.next(room(2, 0), unlimited)), [(1, "high", 1), (2, "high", 1)]);
    assert_eq!(shown(&rounds.next(room(2, 0), unlimited)), [(3, "high", 1)]);
}

#[test]
fn what_a_check_found_no_space_for_is_looked_at_later() {
    let mut rounds = Rounds::default();
    rounds.begin(0, &hosts(1..=2), &ALL[1..2]);
    assert!(rounds.next(room(0, 0), unlimited).is_empty());
    rounds.begin(1, &hosts(1..=2), &HIGH);
    let mut site = Site::with(&[(1, Priority::Normal, 3), (2, Priority::Normal, 1)]);
    assert_eq!(drain(&mut rounds, &mut site, 100, 10).0, 4);
}

#[test]
fn further_rounds_fill_the_capacity_and_no_more() {
    let mut rounds = Rounds::default();
    let mut site = Site::with(&[(1, Priority::High, 1000), (2, Priority::High, 1000)]);
    rounds.begin(0, &hosts(1..=2), &HIGH);
    let (came, calls) = drain(&mut rounds, &mut site, 1000, 100);
    assert_eq!((came, calls), (100, 2), "one call for each part");
    assert_eq!((site.left(1, Priority::High), site.left(2, Priority::High)), (950, 950));
}

#[test]
fn a_host_that_has_little_leaves_its_part_to_others() {
    let mut rounds = Rounds::default();
    let mut site = Site::with(&[(1, Priority::High, 500), (2, Priority::High, 3), (3, Priority::High, 500)]);
    rounds.begin(0, &hosts(1..=3), &HIGH);
    assert_eq!(drain(&mut rounds, &mut site, 1000, 103).0, 103);
    assert_eq!(
        (site.left(1, Priority::High), site.left(2, Priority::High), site.left(3, Priority::High)),
        (450, 0, 450)
    );
}

#[test]
fn the_most_urgent_queue_is_emptied_first() {
    let mut rounds = Rounds::default();
    let mut site = Site::with(&[(1, Priority::High, 8), (1, Priority::Normal, 50), (1, Priority::Autorecache, 50)]);
    rounds.begin(0, &hosts([1]), &ALL);
    assert_eq!(drain(&mut rounds, &mut site, 1000, 20).0, 20);
    assert_eq!(
        ALL.map(|priority| site.left(1, priority)),
        [0, 50 - 1 - 10, 49],
        "one of each first, then high to its end, then normal"
    );
}

#[test]
fn following_ticks_go_on_with_a_backlog_of_less_urgent_queues() {
    let mut rounds = Rounds::default();
    let mut site = Site::with(&[(1, Priority::Normal, 10), (2, Priority::Normal, 1)]);
    rounds.begin(0, &hosts(1..=2), &ALL);
    assert_eq!(drain(&mut rounds, &mut site, 1000, 0).0, 2, "without capacity one of each");
    rounds.begin(1, &hosts(1..=2), &HIGH);
    assert_eq!(drain(&mut rounds, &mut site, 1000, 4).0, 4);
    // New work without a backlog waits for the next look.
    site.0.insert((HostId(2), Priority::Normal), 5);
    rounds.begin(2, &hosts(1..=2), &HIGH);
    assert_eq!(drain(&mut rounds, &mut site, 1000, 100).0, 5);
    assert_eq!(site.left(2, Priority::Normal), 5);
}

#[test]
fn with_room_for_one_each_host_has_its_turn() {
    let mut rounds = Rounds::default();
    let due =
        |host| Pulled { pull: Pull { host, priority: Priority::High, most: 1 }, leases: Vec::new(), due_left: true };
    rounds.pulled(&hosts(1..=3).into_iter().map(due).collect::<Vec<_>>());
    let turns = (0..6).map(|_| rounds.next(room(10, 1), unlimited)[0].host.0);
    assert_eq!(turns.collect::<Vec<_>>(), [1, 2, 3, 1, 2, 3]);
    // A part that is not even goes on where it ended.
    assert_eq!(shown(&rounds.next(room(10, 4), unlimited)), [(1, "high", 2), (2, "high", 1), (3, "high", 1)]);
    assert_eq!(rounds.next(room(10, 1), unlimited)[0].host.0, 2);
}

#[test]
fn a_host_that_may_not_begin_more_is_left_out() {
    let mut rounds = Rounds::default();
    let due =
        |host| Pulled { pull: Pull { host, priority: Priority::High, most: 1 }, leases: Vec::new(), due_left: true };
    rounds.pulled(&hosts(1..=3).into_iter().map(due).collect::<Vec<_>>());
    let of_host = |host: HostId| if host == HostId(2) { 0 } else { 2 };
    assert_eq!(shown(&rounds.next(room(100, 10), of_host)), [(1, "high", 2), (3, "high", 2)]);
}

#[test]
fn hosts_that_were_removed_are_not_pulled() {
    let mut rounds = Rounds::default();
    rounds.failed(&[Pull { host: HostId(9), priority: Priority::High, most: 1 }]);
    rounds.begin(0, &hosts([1]), &HIGH);
    assert_eq!(shown(&rounds.next(room(100, 10), unlimited)), [(1, "high", 1)]);
    assert!(rounds.next(room(100, 10), unlimited).is_empty());
    rounds.begin(1, &[], &HIGH);
    assert!(rounds.next(room(100, 10), unlimited).is_empty());
}

#[test]
fn what_could_not_be_pulled_is_tried_again() {
    let mut rounds = Rounds::default();
    rounds.begin(0, &hosts([1]), &HIGH);
    let pulls = rounds.next(room(10, 1), unlimited);
    rounds.failed(&pulls);
    assert_eq!(shown(&rounds.next(room(10, 1), unlimited)), [(1, "high", 1)]);
}
