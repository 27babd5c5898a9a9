use super::*;
use crate::Timestamp;

const ACK_MS: u64 = 30_000;

fn reading(consumer: &str, limit: usize) -> GroupRead {
    GroupRead {
        group: name("g"),
        consumer: name(consumer),
        start: StreamStart::First,
        limit,
        max_bytes: usize::MAX,
        ack_timeout: Duration::from_millis(ACK_MS),
        wait: None,
    }
}

impl House {
    /// Offsets and how often they were delivered.
    async fn deliver(&self, consumer: &str, limit: usize) -> Vec<(u64, u32)> {
        self.take_by(reading(consumer, limit)).await
    }

    async fn take_by(&self, read: GroupRead) -> Vec<(u64, u32)> {
        let deliveries = self.read_group(&ns("n"), &name("s"), read).await.expect("deliveries");
        deliveries.iter().map(|delivery| (delivery.record.offset, delivery.deliveries)).collect()
    }

    async fn ack_offsets(&self, offsets: &[u64]) -> Settled {
        self.ack_records(&ns("n"), &name("s"), &name("g"), offsets).await.expect("ack")
    }

    async fn nack_offsets(&self, offsets: &[u64]) -> Settled {
        self.nack_records(&ns("n"), &name("s"), &name("g"), offsets).await.expect("nack")
    }

    /// Position, pending, dead, lag.
    async fn group(&self) -> (u64, u64, u64, u64) {
        let info = self.group_info(&ns("n"), &name("s"), &name("g")).await.expect("a description");
        (info.position, info.pending, info.dead, info.lag)
    }
}

fn settled(settled: &[u64], not_found: &[u64]) -> Settled {
    Settled { settled: settled.to_vec(), not_found: not_found.to_vec() }
}

#[tokio::test]
async fn each_record_goes_to_one_consumer_until_it_is_acknowledged() {
    let mut house = House::new().await;
    house.add_each(0..5).await;
    assert_eq!(house.deliver("a", 2).await, [(0, 1), (1, 1)]);
    assert_eq!(house.deliver("b", 10).await, [(2, 1), (3, 1), (4, 1)]);
    assert_eq!(house.deliver("a", 10).await, []);
    assert_eq!(house.ack_offsets(&[1, 0, 1, 9]).await, settled(&[0, 1], &[9]));
    assert_eq!(house.ack_offsets(&[1]).await, settled(&[], &[1]));
    house.restart().await;
    assert_eq!(house.group().await, (5, 3, 0, 0));
    assert_eq!(house.deliver("a", 10).await, []);
    house.advance(ACK_MS);
    house.add_each(5..6).await;
    assert_eq!(house.deliver("a", 4).await, [(2, 2), (3, 2), (4, 2), (5, 1)]);
    let info = &house.groups(&ns("n"), &name("s")).await.expect("a list")[0];
    assert_eq!(info.consumers, [name("a"), name("b")]);
    assert_eq!(house.describe().await.groups, [name("g")]);
}

#[tokio::test]
async fn what_is_given_back_comes_first_and_at_once() {
    let mut house = House::new().await;
    house.add_each(0..6).await;
    house.deliver("a", 4).await;
    assert_eq!(house.nack_offsets(&[2, 0, 5]).await, settled(&[0, 2], &[5]));
    house.restart().await;
    assert_eq!(house.deliver("b", 3).await, [(0, 2), (2, 2), (4, 1)]);
    assert_eq!(house.group().await, (5, 5, 0, 1));
}

#[tokio::test]
async fn a_record_that_nobody_acknowledges_is_dead_in_the_end() {
    let mut house = House::new().await;
    house.add_each(0..2).await;
    for deliveries in 1..=MAX_DELIVERIES {
        assert_eq!(house.deliver("a", 1).await, [(0, deliveries)]);
        house.advance(ACK_MS);
    }
    assert_eq!(house.group().await, (1, 0, 1, 1));
    house.restart().await;
    assert_eq!(house.group().await, (1, 0, 1, 1));
    assert_eq!(house.ack_offsets(&[0]).await, settled(&[], &[0]));
    for deliveries in 1..=MAX_DELIVERIES {
        assert_eq!(house.deliver("a", 1).await, [(1, deliveries)]);
        assert_eq!(house.nack_offsets(&[1]).await, settled(&[1], &[]));
    }
    assert_eq!(house.group().await, (2, 0, 2, 0));
    assert_eq!(house.deliver("a", 1).await, []);
}

#[tokio::test]
async fn a_group_starts_where_its_first_reader_says() {
    let house = House::new().await;
    house.add_each(0..10).await;
    let starting = |group: &str, start| GroupRead { group: name(group), start, ..reading("a", 1) };
    assert_eq!(house.take_by(starting("first", StreamStart::First)).await, [(0, 1)]);
    assert_eq!(house.take_by(starting("end", StreamStart::End)).await, []);
    assert_eq!(house.take_by(starting("seven", StreamStart::Offset(7))).await, [(7, 1)]);
    house.add_each(10..11).await;
    // It exists: the start says nothing any more.
    assert_eq!(house.take_by(starting("end", StreamStart::First)).await, [(10, 1)]);
    assert_eq!(house.take_by(starting("seven", StreamStart::First)).await, [(8, 1)]);
    let joined = house.join_group(&ns("n"), &name("s"), &name("j"), &name("c"), StreamStart::Offset(4)).await;
    let joined = joined.expect("joined");
    assert_eq!((joined.position, joined.lag, joined.consumers), (4, 7, vec![name("c")]));
}

#[tokio::test]
async fn a_group_of_a_stream_that_is_not_there_is_not_found() {
    let house = House::new().await;
    let (n, s, g) = (ns("n"), name("s"), name("g"));
    assert_eq!(*refused(house.read_group(&n, &s, reading("a", 1)).await).kind(), Kind::NotFound);
    house.add(&["a"]).await;
    assert_eq!(*refused(house.group_info(&n, &s, &g).await).kind(), Kind::NotFound);
    assert_eq!(*refused(house.ack_records(&n, &s, &g, &[0]).await).kind(), Kind::NotFound);
    assert!(!house.delete_group(&n, &s, &g).await.expect("delete"));
}

#[tokio::test]
async fn a_deleted_group_leaves_nothing_and_begins_anew() {
    let mut house = House::new().await;
    house.add_each(0..5).await;
    house.deliver("a", 5).await;
    assert!(house.delete_group(&ns("n"), &name("s"), &name("g")).await.expect("delete"));
    house.restart().await;
    assert_eq!(house.deliver("a", 1).await, [(0, 1)]);
    house.until("the sweep", |engine| rows(engine) == [1, 5, 1, 1, 1, 0]).await;
}

#[tokio::test]
async fn trimmed_records_leave_the_group() {
    let mut house = House::new().await;
    house.add_each(0..10).await;
    house.deliver("a", 4).await;
    house.nack_offsets(&[1]).await;
    house.trim_to(StreamTrim::BeforeOffset(3)).await;
    assert_eq!(house.group().await, (4, 1, 0, 6));
    house.restart().await;
    assert_eq!(house.ack_offsets(&[1, 2, 3]).await, settled(&[3], &[1, 2]));
    house.trim_to(StreamTrim::BeforeOffset(8)).await;
    assert_eq!(house.deliver("a", 1).await, [(8, 1)]);
    assert_eq!(rows(&house.engine)[3], 1);
}

#[tokio::test]
async fn a_consumer_waits_for_a_new_record_for_one_given_back_and_for_one_overdue() {
    let house = House::new().await;
    house.add_each(0..1).await;
    let wait = || {
        let engine = house.engine.clone();
        let read = GroupRead { wait: Some(Duration::from_secs(600)), ..reading("w", 10) };
        tokio::spawn(async move { engine.read_group(&ns("n"), &name("s"), read).await })
    };
    let got = async |waiter: tokio::task::JoinHandle<Result<Vec<Delivery>>>| {
        let deliveries = waiter.await.expect("a waiter").expect("deliveries");
        deliveries.iter().map(|delivery| (delivery.record.offset, delivery.deliveries)).collect::<Vec<_>>()
    };
    house.deliver("a", 1).await;
    let waiter = wait();
    tokio::time::sleep(Duration::from_millis(20)).await;
    house.add_each(1..2).await;
    assert_eq!(got(waiter).await, [(1, 1)]);

    let waiter = wait();
    tokio::time::sleep(Duration::from_millis(20)).await;
    house.nack_offsets(&[0]).await;
    assert_eq!(got(waiter).await, [(0, 2)]);

    let waiter = wait();
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(!waiter.is_finished());
    house.advance(ACK_MS);
    assert_eq!(got(waiter).await, [(0, 3), (1, 2)]);

    let waiter = wait();
    tokio::time::sleep(Duration::from_millis(20)).await;
    house.delete_stream(&ns("n"), &name("s")).await.expect("delete");
    assert_eq!(*refused(waiter.await.expect("a waiter")).kind(), Kind::NotFound);
}

#[tokio::test]
async fn deliveries_end_at_the_bounds_of_the_read() {
    let house = House::new().await;
    house.add(&[&"x".repeat(1000), &"y".repeat(1000), "z"]).await;
    let small = GroupRead { max_bytes: 1100, ..reading("a", 10) };
    // What would fit does not overtake what does not.
    assert_eq!(house.take_by(small.clone()).await, [(0, 1)]);
    house.nack_offsets(&[0]).await;
    assert_eq!(house.take_by(GroupRead { max_bytes: 2040, ..small.clone() }).await, [(0, 2), (1, 1)]);
    house.nack_offsets(&[0, 1]).await;
    assert_eq!(house.take_by(small).await, [(0, 3)]);
}

#[tokio::test]
async fn the_deadline_of_a_delivery_is_absolute() {
    let mut house = House::new().await;
    house.add_each(0..1).await;
    let delivery = &house.read_group(&ns("n"), &name("s"), reading("a", 1)).await.expect("deliveries")[0];
    assert_eq!(delivery.deadline, Timestamp(crate::tests::START.0 + ACK_MS));
    house.advance(ACK_MS - 1);
    house.restart().await;
    assert_eq!(house.deliver("a", 1).await, []);
    house.advance(1);
    assert_eq!(house.deliver("a", 1).await, [(0, 2)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn eight_consumers_get_each_record_once() {
    let house = House::new().await;
    house.append(&ns("n"), appending(vec![record("x"); 1000])).await.expect("append");
    let consumers: Vec<_> = (0..8)
        .map(|consumer| {
            let engine = house.engine.clone();
            tokio::spawn(async move {
                let mut mine = Vec::new();
                loop {
                    let read = reading(&consumer.to_string(), 7);
                    let deliveries = engine.read_group(&ns("n"), &name("s"), read).await.expect("deliveries");
                    if deliveries.is_empty() {
                        return mine;
                    }
                    let offsets: Vec<u64> = deliveries.iter().map(|delivery| delivery.record.offset).collect();
                    let done = engine.ack_records(&ns("n"), &name("s"), &name("g"), &offsets).await.expect("ack");
                    assert_eq!(done, settled(&offsets, &[]));
                    mine.extend(offsets);
                }
            })
        })
        .collect();
    let mut all = Vec::new();
    for consumer in consumers {
        all.extend(consumer.await.expect("a consumer"));
    }
    all.sort_unstable();
    assert_eq!(all, (0..1000).collect::<Vec<_>>());
    assert_eq!(house.group().await, (1000, 0, 0, 0));
}
