use super::*;

#[tokio::test]
async fn small_rows_become_one_and_are_read_as_before() {
    let mut house = House::new().await;
    house.add_each(0..600).await;
    // Two runs of 256 are sealed, the rest waits for more.
    house.until("the sealing", |engine| rows(engine)[1] == 2 + 88).await;
    for _ in 0..2 {
        let page = house.page_from(0).await;
        assert_eq!(texts(&page), (0..600).map(|n| n.to_string()).collect::<Vec<_>>());
        assert_eq!(offsets(&house.page_from(255).await.records)[..3], [255, 256, 257]);
        house.restart().await;
    }
    house.add_each(600..768).await;
    house.until("the sealing", |engine| rows(engine)[1] == 3).await;
    assert_eq!(house.page_from(0).await.records.len(), 768);
}

#[tokio::test]
async fn a_run_that_was_not_sealed_before_a_restart_is_sealed_after_it() {
    let mut house = House::new().await;
    house.add_each(0..255).await;
    house.restart().await;
    house.add_each(255..256).await;
    house.until("the sealing", |engine| rows(engine)[1] == 1).await;
    house.restart().await;
    assert_eq!(house.page_from(0).await.records.len(), 256);
}

#[tokio::test]
async fn rows_of_an_idle_stream_are_sealed_and_take_part_in_the_next_sealing() {
    let house = House::new().await;
    house.add_each(0..20).await;
    house.in_time("the sealing", |engine| rows(engine)[1] == 1).await;
    house.add_each(20..30).await;
    assert_eq!(rows(&house.engine)[1], 11);
    house.in_time("the sealing", |engine| rows(engine)[1] == 1).await;
    assert_eq!(house.page_from(0).await.records.len(), 30);
}

#[tokio::test]
async fn what_was_trimmed_is_not_sealed() {
    let house = House::new().await;
    house.add_each(0..250).await;
    house.trim_to(StreamTrim::BeforeOffset(200)).await;
    house.add_each(250..500).await;
    house.until("the sealing", |engine| rows(engine)[1] == 1 + 44).await;
    assert_eq!(offsets(&house.page_from(0).await.records), (200..500).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_see_every_record_while_rows_are_sealed_and_trimmed() {
    let house = House::new().await;
    house.create_stream(&ns("n"), &name("s"), StreamRetention::default()).await.expect("create");
    let engine = house.engine.clone();
    let appender = tokio::spawn(async move {
        for round in 0..1500u64 {
            let payload = round.to_string();
            engine.append(&ns("n"), appending(vec![record(&payload)])).await.expect("append");
            if round % 400 == 399 {
                let trim = StreamTrim::BeforeOffset(round - 300);
                engine.trim_stream(&ns("n"), &name("s"), trim).await.expect("trim");
            }
        }
    });
    let followers: Vec<_> = (0..4u64)
        .map(|reader| {
            let engine = house.engine.clone();
            tokio::spawn(async move {
                let mut follower =
                    engine.follow_stream(&ns("n"), &name("s"), StreamStart::First).await.expect("a follower");
                let mut next = 0;
                while next < 1500 {
                    match follower.next(7 + reader as usize, usize::MAX).await.expect("a step") {
                        StreamStep::Records(records) => {
                            for record in records {
                                assert_eq!(record.offset, next);
                                assert_eq!(&record.payload[..], next.to_string().as_bytes());
                                next += 1;
                            }
                        }
                        StreamStep::Dropped { expected, first } => {
                            assert_eq!(expected, next);
                            next = first;
                        }
                        StreamStep::Deleted => panic!("nobody deleted it"),
                    }
                }
            })
        })
        .collect();
    // Slow readers, which find no record in the ring.
    for _ in 0..200 {
        let page = house.page_from(0).await;
        let from = page.records.first().map_or(page.first, |record| record.offset);
        assert_eq!(offsets(&page.records), (from..page.next).collect::<Vec<_>>());
    }
    appender.await.expect("the appender");
    for follower in followers {
        follower.await.expect("a follower");
    }
}

#[tokio::test]
async fn many_streams_are_closed_when_idle_and_open_as_they_were() {
    let house = House::new().await;
    for stream in 0..1100 {
        let append = Append { stream: name(&format!("s{stream}")), ..appending(vec![record("x")]) };
        house.append(&ns("n"), append).await.expect("append");
    }
    let open = |engine: &crate::Engine| engine.live().expect("live").streams.count_open();
    house.in_time("the closing", |engine| open(engine) <= 1024).await;
    let list = house.streams(&ns("n"), None, 2000).await.expect("a list");
    assert_eq!(list.len(), 1100);
    assert!(list.iter().all(|info| (info.first, info.end) == (0, 1)));
}
