//! FloQL: any text is a query or a mistake at a place inside of it; a query is computed within its bounds.

use std::cell::RefCell;

use manifold_engine::{
    Engine, Namespace,
    series::{Points, SeriesKey},
};

use super::{
    Flo,
    ts::floql::{self, Frame, Precision},
};
use crate::fuzzing::{
    dialects::open_flo,
    house::{Kept, within},
};

const SECOND: i64 = 1_000_000_000;
const START: i64 = 1_700_000_000 * SECOND;

pub(crate) fn floql(data: &[u8]) {
    thread_local!(static HOUSE: Kept<Flo> = const { RefCell::new(None) });
    let Ok(text) = std::str::from_utf8(data) else { return };
    let frame =
        Frame { precision: Precision::of("ms").expect("a precision"), now: START + 100 * SECOND, from: None, to: None };
    if let Ok(source) = floql::parse_source(text) {
        assert_eq!(floql::parse(text).as_ref(), Ok(&source));
        drop(source.deletion(&frame));
    }
    let script = match floql::parse(text) {
        Ok(script) => script,
        Err(mistake) => return assert!(mistake.at <= text.len() && text.is_char_boundary(mistake.at), "{mistake:?}"),
    };
    let Ok(plan) = script.clone().plan(&frame, Some(100)) else { return };
    assert_eq!(script.plan(&frame, Some(100)).as_ref(), Ok(&plan));
    HOUSE.with(|kept| {
        within(
            kept,
            async |ground| with_points(open_flo(ground).await).await,
            |house| {
                let asked = house.block_on(house.engine.query_points(&namespace(), plan.query));
                for series in asked.unwrap_or_default() {
                    assert!(series.points.len() <= 100);
                    assert!(series.points.windows(2).all(|pair| pair[0].time <= pair[1].time), "{text}");
                }
            },
        );
    });
}

fn namespace() -> Namespace {
    Namespace::new("default").expect("a name")
}

async fn with_points(flo: Flo) -> Flo {
    let engine: &Engine = &flo.engine;
    let mut points = Points::new(engine.series_epoch(&namespace()).expect("an epoch"));
    let names = ["value", "count", "up", "state"];
    let fields = names.map(|name| points.new_field(name));
    for (number, host) in (0..60).zip(["web-01", "web-02", "db"].into_iter().cycle()) {
        points.float(fields[0], f64::from(number) / 7.0);
        points.int(fields[1], i64::from(number));
        points.bool(fields[2], number % 2 == 0);
        points.text(fields[3], |text| text.extend_from_slice(b"up"));
        let key = SeriesKey::new("cpu", &[("host", host), ("zone", "a")]).expect("a key");
        points.end_new(key, START + i64::from(number) * SECOND);
    }
    engine.write_points(&namespace(), points, true).await.expect("written").expect("of this epoch");
    flo
}
