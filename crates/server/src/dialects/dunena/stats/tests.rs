use std::time::Duration;

use super::*;

const MS: Duration = Duration::from_millis(1);

fn item(timestamp: u64) -> Item {
    let latency = Latency::new(Instant::now());
    let mark = Mark::now(&latency);
    mark.item_until(mark, &latency, &CacheStats::default(), Timestamp(timestamp))
}

#[test]
fn an_item_covers_the_time_since_the_one_before() {
    let began = Instant::now();
    let latency = Latency::new(began);
    latency.record(began, MS * 900);
    let begin = Mark { at: began + MS * 500, totals: latency.totals() };
    for took in [2, 4] {
        latency.record(began + MS * 1000, MS * took);
    }
    let end = Mark { at: began + MS * 2500, totals: latency.totals() };
    let cache = CacheStats { hits: 3, misses: 1, ..CacheStats::default() };
    let item = begin.item_until(end, &latency, &cache, Timestamp(5));
    assert_eq!(
        serde_json::to_string(&item).unwrap(),
        concat!(
            r#"{"timestamp":5,"stats":{"hits":3,"misses":1,"evictions":0,"puts":0,"deletes":0,"currentSize":0,"maxSize":0,"#,
            r#""hitRate":0.75,"memoryBytes":0,"casHits":0,"casMisses":0},"#,
            r#""requestsPerSecond":1,"avgLatencyMs":3,"p99LatencyMs":3.98}"#
        )
    );
}

#[test]
fn nothing_happened_in_no_time() {
    let item = item(1);
    assert_eq!((item.requests_per_second.0, item.avg_latency_ms.0, item.p99_latency_ms.0), (0.0, 0.0, 0.0));
}

#[test]
fn the_newest_sixty_are_kept_oldest_first() {
    let history = History::new();
    (0..75).for_each(|timestamp| history.push(item(timestamp)));
    let kept: Vec<u64> = history.listed().snapshots.iter().map(|item| item.timestamp).collect();
    assert_eq!(kept, (15..75).collect::<Vec<u64>>());
}
