//! Time series: lines all the time, a question now and then.

use std::{fmt::Write, rc::Rc};

use crate::soak::{client::Client, world::World};

/// Lines of a write, each of a host of its own.
const LINES: usize = 100;

/// Writes what a hundred hosts measure.
pub async fn write(world: Rc<World>) {
    let mut client = Client::new(&world, |ports| ports.flo);
    while world.turn(4.0).await {
        let mut lines = String::new();
        for host in 0..LINES {
            let usage = world.below(10_000) as f64 / 100.0;
            writeln!(lines, "cpu,host=host-{host},region=r{} usage={usage},idle={}i", host % 5, world.below(100))
                .expect("a string takes everything");
        }
        let Ok(answer) = client.ask("POST", "/api/v1/ts/soak/write", lines, &[200]).await else { continue };
        let written = &answer.json()["written"];
        if *written != LINES {
            world.fault(format!("of {LINES} lines {written} were written"));
        }
    }
}

/// Asks about the last minute.
pub async fn ask(world: Rc<World>) {
    let mut client = Client::new(&world, |ports| ports.flo);
    let body = r#"{"query":"cpu[1m] | field(usage) | avg(10s) | group_by(region)"}"#;
    while world.turn(0.5).await {
        let Ok(answer) = client.ask("POST", "/api/v1/ts/soak/query", body, &[200]).await else { continue };
        if !answer.json()["series"].is_array() {
            world.fault("a query answered without series".to_owned());
        }
    }
}
