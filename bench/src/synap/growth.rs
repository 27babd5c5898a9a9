//! What one more element costs in a collection of about ten and in one of a million. In between stand a collection of
//! about ten in the same store as the million, and a million elements in a hundred thousand collections of about ten:
//! they too lie everywhere in memory, which has nothing to do with how long a collection is.

use std::{cell::Cell, path::Path, rc::Rc};

use manifold_engine::{Engine, Key, Level, Namespace, Options};

use super::{
    Args,
    elements::{KINDS, Kind},
    request::expect,
};
use crate::{
    Result,
    load::{
        client::{Connection, Protocol},
        compare::{self, Contestant, compare},
        script::Numbered,
        server::Server,
    },
    measure::{now, scramble},
    sheet::{Sheet, Wanted, number},
};

/// A small collection grows up to here, then comes the next one: it has ten elements on average.
const SMALL: u64 = 20;
/// Elements in a turn of each.
const TURN: u64 = 10_000;
/// Turns of each; the best counts, as what else the machine does hits neither then.
const TURNS: u32 = 20;
/// Elements added at once before anything is measured.
const FILL: u64 = 1000;

/// Where elements go.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// To small collections, one after the other.
    Small,
    /// To some small collection out of so many.
    Anywhere(u64),
    /// To the large one.
    Large,
}

impl Place {
    fn key(self, n: u64) -> String {
        match self {
            Place::Small => format!("small:{}", n / SMALL),
            Place::Anywhere(count) => format!("any:{}", scramble(n) % count),
            Place::Large => "large".to_owned(),
        }
    }
}

/// What an element costs without a dialect, at level `os`, so that it is measured and not the disk.
pub async fn in_process(elements: u64, scratch: &Path, sheet: &mut Sheet) -> Result<()> {
    sheet.section(&format!("One more element in process, level os, {TURNS} turns of {TURN}, the best"));
    let [many, one] = [elements / 10, elements].map(|count| number(count as f64, 0));
    let (of_many, of_one) = (format!("{many} collections of 10"), format!("of {one}"));
    sheet.head(&[
        "µs",
        "of about 10",
        "beside a large one",
        "of the first",
        &of_many,
        "of the first",
        &of_one,
        "of the first",
    ]);
    for (kind, title) in KINDS {
        let (mut empty, mut full) = (Growing::open(kind, scratch).await?, Growing::open(kind, scratch).await?);
        full.fill(elements).await?;
        let places = [Place::Small, Place::Anywhere(elements / 10), Place::Large];
        let (mut alone, mut best) = (f64::MAX, [f64::MAX; 3]);
        for _ in 0..TURNS {
            alone = alone.min(empty.turn(Place::Small).await?);
            for (best, place) in best.iter_mut().zip(places) {
                *best = best.min(full.turn(place).await?);
            }
        }
        let times = best.into_iter().flat_map(|time| [number(time, 2), number(time / alone, 2)]);
        sheet.row([title.to_owned(), number(alone, 2)].into_iter().chain(times));
        let what = format!("One more {title} in a collection of {one}, of what it costs in one of ten");
        sheet.goal(what, Wanted::AtMost(1.5), best[2] / alone);
        empty.engine.close().await?;
        full.engine.close().await?;
    }
    Ok(())
}

/// Collections of one type that get more and more elements.
struct Growing {
    engine: Engine,
    namespace: Namespace,
    kind: Kind,
    /// The number of the next element.
    next: u64,
    _dir: tempfile::TempDir,
}

impl Growing {
    /// In an empty store.
    async fn open(kind: Kind, scratch: &Path) -> Result<Self> {
        let dir = tempfile::tempdir_in(scratch)?;
        let engine = Engine::open(Options { level: Level::Os, ..Options::new(dir.path()) });
        engine.recovered().await?;
        Ok(Growing { engine, namespace: Namespace::new("bench")?, kind, next: 0, _dir: dir })
    }

    async fn fill(&mut self, elements: u64) -> Result<()> {
        for _ in 0..elements / FILL {
            self.add(&Place::Large.key(0), FILL).await?;
        }
        for at in 0..elements / 10 {
            self.add(&format!("any:{at}"), 10).await?;
        }
        Ok(())
    }

    /// Microseconds an element.
    async fn turn(&mut self, place: Place) -> Result<f64> {
        let mut adds = Vec::new();
        for n in self.next..self.next + TURN {
            adds.push((Key::new(place.key(n))?, self.kind.elements(n, 1)));
        }
        self.next += TURN;
        let start = now();
        for (key, elements) in adds {
            elements.add(&self.engine, &self.namespace, &key).await?;
        }
        Ok(start.elapsed().as_secs_f64() * 1e6 / TURN as f64)
    }

    async fn add(&mut self, key: &str, count: u64) -> Result<()> {
        let elements = self.kind.elements(self.next, count);
        self.next += count;
        elements.add(&self.engine, &self.namespace, &Key::new(key.to_owned())?).await
    }
}

/// How many elements a second the server takes, one a request.
pub async fn over_http(args: &Args, manifold: &Server, sheet: &mut Sheet) -> Result<()> {
    let Args { connections, turns, turn_ms, elements, .. } = args;
    sheet.section(&format!(
        "One more element a request, level interval, {connections} connections, {turns} turns of {turn_ms} ms each"
    ));
    compare::versus_head(sheet, "", "of about 10", "of a million");
    let mut connection = Connection::open(manifold.address, Protocol::Http).await?;
    for (kind, title) in KINDS {
        for first in (0..*elements).step_by(FILL as usize) {
            let key = key_of(kind, Place::Large, 0);
            expect(&mut connection, &kind.command(&key, first, FILL), "\"success\":true").await?;
        }
        let next = Rc::new(Cell::new(*elements));
        let scripts = |place| Numbered::scripts(next.clone(), move |n| kind.command(&key_of(kind, place, n), n, 1));
        let (small, large) = (scripts(Place::Small), scripts(Place::Large));
        let contestants =
            [Contestant::new("of about 10", manifold, &small), Contestant::new("of a million", manifold, &large)];
        compare::versus(sheet, title, &compare(args.turns(), args.connections, &contestants).await?)?;
    }
    Ok(())
}

fn key_of(kind: Kind, place: Place, n: u64) -> String {
    format!("{kind:?}:{}", place.key(n))
}
