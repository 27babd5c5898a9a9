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
    http::{
        client::{Connection, Script},
        compare::{self, Contestant, compare},
        server::Server,
    },
    measure::{now, scramble, section},
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

/// Prints what an element costs without a dialect, at level `os`, so that it is measured and not the disk.
pub async fn in_process(elements: u64, scratch: &Path) -> Result<()> {
    section(&format!("synap: one more element in process, level os, {TURNS} turns of {TURN}, the best"));
    let (many, one) = (format!("of {} times 10", elements / 10), format!("of {elements}"));
    println!("{:>16}{:>16}{:>22}{:>26}{:>20}", "us", "of about 10", "beside the others", many, one);
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
        let cell = |time: f64| format!("{time:.2} ({:.2}x)", time / alone);
        let [beside, many, one] = best.map(cell);
        println!("{title:>16}{alone:>16.2}{beside:>22}{many:>26}{one:>20}");
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

/// Prints how many elements a second the server takes, one a request.
pub async fn over_http(args: &Args, manifold: &Server) -> Result<()> {
    let Args { connections, turns, turn_ms, elements, .. } = args;
    section(&format!(
        "synap: one more element a request, level interval, {connections} connections, {turns} turns of {turn_ms} ms each"
    ));
    compare::print_head("", "~10");
    let mut connection = Connection::open(manifold.address).await?;
    for (kind, title) in KINDS {
        for first in (0..*elements).step_by(FILL as usize) {
            let key = key_of(kind, Place::Large, 0);
            expect(&mut connection, &kind.command(&key, first, FILL), "\"success\":true").await?;
        }
        let next = Rc::new(Cell::new(*elements));
        let script = |place| {
            let next = next.clone();
            move |_| -> Box<dyn Script> { Box::new(Adds { kind, place, next: next.clone(), request: Vec::new() }) }
        };
        let (small, large) = (script(Place::Small), script(Place::Large));
        let contestants = [
            Contestant { name: "of about 10", server: manifold, script: &small },
            Contestant { name: "of a million", server: manifold, script: &large },
        ];
        compare::print(title, &compare(args.turns(), args.connections, &contestants).await?);
    }
    Ok(())
}

fn key_of(kind: Kind, place: Place, n: u64) -> String {
    format!("{kind:?}:{}", place.key(n))
}

/// Adds one element a request; no two requests of any connection add the same.
struct Adds {
    kind: Kind,
    place: Place,
    next: Rc<Cell<u64>>,
    request: Vec<u8>,
}

impl Script for Adds {
    fn next(&mut self, _: &[u8]) -> Result<&[u8]> {
        let n = self.next.replace(self.next.get() + 1);
        self.request = self.kind.command(&key_of(self.kind, self.place, n), n, 1);
        Ok(&self.request)
    }
}
