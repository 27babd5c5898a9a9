use proptest::{collection::vec, prelude::*};

use super::*;

const MS: Duration = Duration::from_millis(1);

fn recorded(took_ms: &[u32]) -> Summary {
    let began = Instant::now();
    let latency = Latency::new(began);
    took_ms.iter().for_each(|took| latency.record(began, MS * *took));
    latency.lately(began)
}

#[test]
fn nothing_is_all_zero_and_one_sample_has_no_deviation() {
    assert_eq!(recorded(&[]), Summary::default());
    let one = recorded(&[7]);
    let all = Summary { count: 1, mean: 7.0, p50: 7.0, p95: 7.0, p99: 7.0, min: 7.0, max: 7.0, deviation: 0.0 };
    assert_eq!(one, all);
}

#[test]
fn percentiles_lie_between_samples() {
    // Ranks of four samples: p50 = 1.5, p95 = 2.85, p99 = 2.97.
    let summary = recorded(&[40, 10, 30, 20]);
    let near = |found: f64, wanted: f64| (found - wanted).abs() < 1e-9;
    assert!(near(summary.p50, 25.0) && near(summary.p95, 38.5) && near(summary.p99, 39.7), "{summary:?}");
    assert_eq!((summary.min, summary.mean, summary.max), (10.0, 25.0, 40.0));
    assert!(near(summary.deviation, (500.0_f64 / 3.0).sqrt()), "{summary:?}");
}

#[test]
fn what_is_older_than_a_minute_counts_no_more_but_in_the_totals() {
    let began = Instant::now();
    let latency = Latency::new(began);
    latency.record(began, MS * 100);
    latency.record(began + WINDOW / 2, MS * 2);
    assert_eq!(latency.lately(began + WINDOW).count, 2);
    let later = latency.lately(began + WINDOW + MS);
    assert_eq!((later.count, later.max), (1, 2.0));
    assert_eq!(latency.lately(began + WINDOW * 2), Summary::default());
    let totals = latency.totals();
    assert_eq!((totals.count, totals.millis(), totals.mean()), (2, 102.0, 51.0));
}

#[test]
fn the_newest_ten_thousand_count_from_whatever_thread_they_came() {
    let began = Instant::now();
    let latency = Latency::new(began);
    std::thread::scope(|scope| {
        for thread in 0..3 {
            let latency = &latency;
            // The samples of the threads interleave: those of the last 10,000 instants are the newest.
            scope.spawn(move || {
                for n in 0..8000_u32 {
                    let at = 3 * n + thread;
                    latency.record(began + Duration::from_micros(at.into()), MS * at);
                }
            });
        }
    });
    let summary = latency.lately(began + MS);
    assert_eq!((summary.count, summary.min, summary.max), (10_000, 14_000.0, 23_999.0));
    assert_eq!(latency.totals().count, 24_000);
}

#[test]
fn what_lies_between_two_totals_is_their_difference() {
    let earlier = Totals { count: 3, nanos: 5_000_000 };
    let later = Totals { count: 5, nanos: 9_000_000 };
    assert_eq!(later.since(earlier), Totals { count: 2, nanos: 4_000_000 });
    assert_eq!(later.since(earlier).mean(), 2.0);
    assert_eq!(Totals::default().mean(), 0.0);
}

proptest! {
    #[test]
    fn figures_are_those_of_the_plain_formulas(
        samples in vec((0u64..120_000, 0u64..5_000_000), 0..200),
        now_ms in 60_000u64..130_000,
    ) {
        let began = Instant::now();
        let latency = Latency::new(began);
        let mut in_order = samples.clone();
        in_order.sort_unstable();
        for (at_ms, micros) in &in_order {
            latency.record(began + MS * *at_ms as u32, Duration::from_micros(*micros));
        }
        let summary = latency.lately(began + MS * now_ms as u32);

        let in_window = in_order.iter().filter(|(at_ms, _)| *at_ms + 60_000 >= now_ms);
        let mut took: Vec<f64> = in_window.map(|(_, micros)| *micros as f64 / 1e3).collect();
        took.sort_by(f64::total_cmp);
        let near = |found: f64, wanted: f64| (found - wanted).abs() <= 1e-6 * wanted.abs().max(1.0);
        prop_assert_eq!(summary.count as usize, took.len());
        if took.is_empty() {
            prop_assert_eq!(summary, Summary::default());
        } else {
            let n = took.len() as f64;
            let mean = took.iter().sum::<f64>() / n;
            let variance = took.iter().map(|t| (t - mean) * (t - mean)).sum::<f64>() / (n - 1.0).max(1.0);
            let at = |p: f64| {
                let rank = p / 100.0 * (n - 1.0);
                let (low, high) = (took[rank.floor() as usize], took[rank.ceil() as usize]);
                low * (1.0 - rank.fract()) + high * rank.fract()
            };
            for (found, wanted) in [
                (summary.mean, mean), (summary.p50, at(50.0)), (summary.p95, at(95.0)), (summary.p99, at(99.0)),
                (summary.min, took[0]), (summary.max, took[took.len() - 1]), (summary.deviation, variance.sqrt()),
            ] {
                prop_assert!(near(found, wanted), "{found} {wanted} {summary:?}");
            }
        }
        let sum_micros: u64 = samples.iter().map(|(_, micros)| micros).sum();
        prop_assert_eq!(latency.totals(), Totals { count: samples.len() as u64, nanos: sum_micros * 1000 });
    }
}
