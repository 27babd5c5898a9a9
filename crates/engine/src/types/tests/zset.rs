use std::{collections::BTreeMap, ops::Bound};

use proptest::prelude::*;

use super::*;
use crate::types::tests::model::{Between, Model, holds};

pub(crate) fn scored(member: &str, score: f64) -> Scored {
    Scored { member: b(member), score }
}

impl House {
    pub(crate) async fn zadd(&self, key: &str, members: &[(&str, f64)]) -> ScoresAdded {
        let members = members.iter().map(|(member, score)| scored(member, *score)).collect();
        self.zset_add(&ns("n"), &k(key), ScoreAdd { members, ..ScoreAdd::default() }).await.expect("add")
    }

    pub(crate) async fn zrange(&self, key: &str) -> Vec<Scored> {
        self.zset_part(&ns("n"), &k(key), 0, -1, Direction::Ascending).await.expect("part")
    }
}

#[tokio::test]
async fn members_are_in_the_order_of_scores_and_bytes_also_after_a_restart() {
    let mut house = House::new().await;
    let added = house.zadd("z", &[("b", 2.0), ("a", 2.0), ("c", -1.5), ("c", 1.0), ("d", -0.0)]).await;
    assert_eq!(added, ScoresAdded { added: 4, changed: 0 });
    assert_eq!(house.zadd("z", &[("b", 2.0), ("d", 3.0)]).await, ScoresAdded { added: 0, changed: 1 });
    house.restart().await;
    let all = [scored("c", 1.0), scored("a", 2.0), scored("b", 2.0), scored("d", 3.0)];
    assert_eq!(house.zrange("z").await, all);
    let (n, z) = (ns("n"), k("z"));
    assert_eq!(house.zset_increment(&n, &z, b("a"), -4.0).await.expect("increment"), -2.0);
    assert_eq!(house.zset_rank(&n, &z, b("b"), Direction::Descending).await.expect("rank"), Some(1));
    assert_eq!(house.zset_pop(&n, &z, Direction::Descending, 9).await.expect("pop").len(), 4);
    assert!(house.zrange("z").await.is_empty());
    house.until("the sweep", |_| element_rows(&house) == 0).await;
}

#[tokio::test]
async fn scores_that_are_no_numbers_are_refused() {
    let house = House::new().await;
    let (n, z) = (ns("n"), k("z"));
    for score in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let add = ScoreAdd { members: vec![scored("a", 1.0), scored("b", score)], ..ScoreAdd::default() };
        assert_eq!(refused(house.zset_add(&n, &z, add).await).kind(), &Kind::Invalid);
        assert_eq!(refused(house.zset_increment(&n, &z, b("a"), score).await).kind(), &Kind::Invalid);
    }
    house.zadd("z", &[("a", f64::MAX)]).await;
    assert_eq!(refused(house.zset_increment(&n, &z, b("a"), f64::MAX).await).kind(), &Kind::Invalid);
    let nan = ScoreRange { min: Bound::Included(f64::NAN), max: Bound::Unbounded };
    assert_eq!(refused(house.zset_count(&n, &z, nan).await).kind(), &Kind::Invalid);
    assert_eq!(house.zrange("z").await, [scored("a", f64::MAX)]);
}

type Zset = BTreeMap<Bytes, f64>;

#[derive(Debug, Default)]
struct Zsets(BTreeMap<u8, Zset>);

#[derive(Debug, Clone)]
enum Step {
    Add(u8, ScoreAdd),
    /// So many members with numbers for names, their scores by a factor.
    Many(u8, u16, u16, i8),
    Remove(u8, Vec<Bytes>),
    Increment(u8, Bytes, f64),
    Pop(u8, Direction, u64),
    RemoveRange(u8, ScoreRange),
    RemoveRanks(u8, i64, i64),
    Rank(u8, Bytes, Direction),
    Count(u8, ScoreRange),
    Range(u8, ScoreRange, Direction, u64, u64),
    Part(u8, i64, i64, Direction),
}

fn member() -> impl Strategy<Value = Bytes> {
    prop_oneof![
        (0u16..700).prop_map(|number| Bytes::from(number.to_string())),
        (0usize..8).prop_map(|len| Bytes::from(vec![0xff; len])),
    ]
}

fn score() -> impl Strategy<Value = f64> {
    prop_oneof![4 => (-8i8..8).prop_map(|score| f64::from(score) / 2.0), 1 => (-900i16..900).prop_map(f64::from)]
}

fn bound() -> impl Strategy<Value = Bound<f64>> {
    prop_oneof![
        score().prop_map(Bound::Included),
        score().prop_map(Bound::Excluded),
        Just(Bound::Unbounded),
        Just(Bound::Included(f64::INFINITY)),
        Just(Bound::Included(f64::NEG_INFINITY)),
    ]
}

fn direction() -> impl Strategy<Value = Direction> {
    prop_oneof![Just(Direction::Ascending), Just(Direction::Descending)]
}

fn zset(number: u8) -> Key {
    k(&format!("z{number}"))
}

/// In order.
fn sorted(model: &Zset, direction: Direction) -> Vec<Scored> {
    let mut all: Vec<Scored> =
        model.iter().map(|(member, score)| Scored { member: member.clone(), score: *score }).collect();
    all.sort_by(|a, b| a.score.total_cmp(&b.score).then_with(|| a.member.cmp(&b.member)));
    if direction == Direction::Descending {
        all.reverse();
    }
    all
}

fn part(all: &[Scored], start: i64, stop: i64) -> Vec<Scored> {
    let count = all.len() as i128;
    let place = |rank: i64| if rank < 0 { i128::from(rank) + count } else { i128::from(rank) };
    let (start, stop) = (place(start), place(stop));
    (0i128..).zip(all).filter(|(rank, _)| *rank >= start && *rank <= stop).map(|(_, scored)| scored.clone()).collect()
}

fn within(all: Vec<Scored>, range: ScoreRange) -> Vec<Scored> {
    use std::ops::RangeBounds;
    all.into_iter().filter(|scored| (range.min, range.max).contains(&scored.score)).collect()
}

impl Model for Zsets {
    type Step = Step;

    fn step() -> BoxedStrategy<Step> {
        let key = || 0u8..2;
        let members = proptest::collection::vec((member(), score()), 0..6).prop_map(|members| {
            members.into_iter().map(|(member, score)| Scored { member, score }).collect::<Vec<_>>()
        });
        let when = prop_oneof![Just(MemberWhen::Always), Just(MemberWhen::Absent), Just(MemberWhen::Present)];
        let moves = prop_oneof![2 => Just(Moves::Any), 1 => Just(Moves::Up), 1 => Just(Moves::Down)];
        let add = (members, when, moves).prop_map(|(members, when, moves)| ScoreAdd { members, when, moves });
        let rank = || prop_oneof![-9i64..9, -800i64..800, Just(i64::MIN), Just(i64::MAX)];
        let range = || (bound(), bound()).prop_map(|(min, max)| ScoreRange { min, max });
        prop_oneof![
            6 => (key(), add).prop_map(|(key, add)| Step::Add(key, add)),
            3 => (key(), 0u16..600, 0u16..500, -2i8..3)
                .prop_map(|(key, from, count, factor)| Step::Many(key, from, count, factor)),
            3 => (key(), proptest::collection::vec(member(), 0..6)).prop_map(|(key, members)| Step::Remove(key, members)),
            2 => (key(), member(), score()).prop_map(|(key, member, by)| Step::Increment(key, member, by)),
            2 => (key(), direction(), 0u64..6).prop_map(|(key, direction, count)| Step::Pop(key, direction, count)),
            1 => (key(), range()).prop_map(|(key, range)| Step::RemoveRange(key, range)),
            1 => (key(), rank(), rank()).prop_map(|(key, start, stop)| Step::RemoveRanks(key, start, stop)),
            3 => (key(), member(), direction()).prop_map(|(key, member, direction)| Step::Rank(key, member, direction)),
            3 => (key(), range()).prop_map(|(key, range)| Step::Count(key, range)),
            2 => (key(), range(), direction(), 0u64..5, prop_oneof![0u64..9, Just(u64::MAX)]).prop_map(
                |(key, range, direction, skip, limit)| Step::Range(key, range, direction, skip, limit)
            ),
            3 => (key(), rank(), rank(), direction())
                .prop_map(|(key, start, stop, direction)| Step::Part(key, start, stop, direction)),
        ]
        .boxed()
    }

    async fn apply(&mut self, house: &House, step: &Step) {
        let n = ns("n");
        match step {
            Step::Add(key, add) => self.add(house, *key, add.clone()).await,
            Step::Many(key, from, count, factor) => {
                let members = (*from..from + count)
                    .map(|number| Scored {
                        member: Bytes::from(number.to_string()),
                        score: f64::from(number) * f64::from(*factor),
                    })
                    .collect();
                self.add(house, *key, ScoreAdd { members, ..ScoreAdd::default() }).await;
            }
            Step::Remove(key, members) => {
                let removed = house.zset_remove(&n, &zset(*key), members).await.expect("remove");
                let model = self.0.entry(*key).or_default();
                assert_eq!(removed, members.iter().filter(|member| model.remove(*member).is_some()).count() as u64);
            }
            Step::Increment(key, member, by) => {
                let score = house.zset_increment(&n, &zset(*key), member.clone(), *by).await.expect("increment");
                let known = self.0.entry(*key).or_default().entry(member.clone()).or_default();
                *known += by;
                assert_eq!(score, *known);
            }
            Step::Pop(key, direction, count) => {
                let popped = house.zset_pop(&n, &zset(*key), *direction, *count).await.expect("pop");
                let model = self.0.entry(*key).or_default();
                let expected: Vec<Scored> = sorted(model, *direction).into_iter().take(*count as usize).collect();
                assert_eq!(popped, expected);
                expected.iter().for_each(|scored| assert!(model.remove(&scored.member).is_some()));
            }
            Step::RemoveRange(key, range) => {
                let removed = house.zset_remove_range(&n, &zset(*key), *range).await.expect("remove");
                let model = self.0.entry(*key).or_default();
                let expected = within(sorted(model, Direction::Ascending), *range);
                assert_eq!(removed, expected.len() as u64);
                expected.iter().for_each(|scored| assert!(model.remove(&scored.member).is_some()));
            }
            Step::RemoveRanks(key, start, stop) => {
                let removed = house.zset_remove_ranks(&n, &zset(*key), *start, *stop).await.expect("remove");
                let model = self.0.entry(*key).or_default();
                let expected = part(&sorted(model, Direction::Ascending), *start, *stop);
                assert_eq!(removed, expected.len() as u64);
                expected.iter().for_each(|scored| assert!(model.remove(&scored.member).is_some()));
            }
            Step::Rank(key, member, direction) => {
                let rank = house.zset_rank(&n, &zset(*key), member.clone(), *direction).await.expect("rank");
                let all = sorted(self.0.entry(*key).or_default(), *direction);
                assert_eq!(rank, all.iter().position(|scored| scored.member == *member).map(|rank| rank as u64));
            }
            Step::Count(key, range) => {
                let count = house.zset_count(&n, &zset(*key), *range).await.expect("count");
                let all = sorted(self.0.entry(*key).or_default(), Direction::Ascending);
                assert_eq!(count, within(all, *range).len() as u64);
            }
            Step::Range(key, range, direction, skip, limit) => {
                let found = house.zset_range(&n, &zset(*key), *range, *direction, *skip, *limit).await.expect("range");
                let all = within(sorted(self.0.entry(*key).or_default(), *direction), *range);
                let limit = usize::try_from(*limit).unwrap_or(usize::MAX);
                assert_eq!(found, all.into_iter().skip(*skip as usize).take(limit).collect::<Vec<_>>());
            }
            Step::Part(key, start, stop, direction) => {
                let found = house.zset_part(&n, &zset(*key), *start, *stop, *direction).await.expect("part");
                assert_eq!(found, part(&sorted(self.0.entry(*key).or_default(), *direction), *start, *stop));
            }
        }
    }

    async fn check(&self, house: &House) {
        let mut rows = 0;
        for number in 0..2 {
            let model = self.0.get(&number).cloned().unwrap_or_default();
            rows += 2 * model.len() as u64;
            assert_eq!(house.zrange(&format!("z{number}")).await, sorted(&model, Direction::Ascending));
            assert_eq!(house.zset_len(&ns("n"), &zset(number)).expect("len"), model.len() as u64);
            let members: Vec<Bytes> = model.keys().cloned().chain([b("none")]).collect();
            let scores: Vec<Option<f64>> = members.iter().map(|member| model.get(member).copied()).collect();
            assert_eq!(house.zset_scores(&ns("n"), &zset(number), &members).expect("scores"), scores);
        }
        house.until("the sweep", |_| element_rows(house) == rows).await;
    }
}

impl Zsets {
    async fn add(&mut self, house: &House, key: u8, add: ScoreAdd) {
        let done = house.zset_add(&ns("n"), &zset(key), add.clone()).await.expect("add");
        let model = self.0.entry(key).or_default();
        let last: BTreeMap<&Bytes, f64> = add.members.iter().map(|scored| (&scored.member, scored.score)).collect();
        let mut expected = ScoresAdded::default();
        for (member, score) in last {
            match model.get(member).copied() {
                None if add.when != MemberWhen::Present => expected.added += 1,
                Some(before)
                    if add.when != MemberWhen::Absent
                        && before != score
                        && (add.moves == Moves::Any || (add.moves == Moves::Up) == (score > before)) =>
                {
                    expected.changed += 1;
                }
                _ => continue,
            }
            model.insert(member.clone(), score);
        }
        assert_eq!(done, expected);
    }
}

#[test]
fn a_sorted_set_does_what_the_model_does() {
    holds::<Zsets>(Between::Restarts);
}

#[test]
fn a_sorted_set_does_what_the_model_does_with_crashes() {
    holds::<Zsets>(Between::Crashes);
}
