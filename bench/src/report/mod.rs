//! Writes `docs/benchmarks.md`: measures all parts, fills their tables into the text, and says on which machine and at
//! which commit. What a part cannot measure, its section says. Prose that has to be true whatever comes is in the text;
//! what depends on figures is computed.

use std::path::{Path, PathBuf};

mod machine;
mod text;

#[cfg(test)]
mod tests;

use crate::{Result, dunena, edgecomet, flo, http, measure::now, memory, redis, restart, sheet::Sheet, store, synap};

/// What to measure for the report.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// The file that is written.
    #[arg(long, default_value = "docs/benchmarks.md")]
    output: PathBuf,
    /// Only these parts; the others say that they were left out.
    #[arg(long, value_delimiter = ',')]
    parts: Vec<String>,
    /// Turns of each side of what is measured in turns.
    #[arg(long, default_value_t = 6)]
    turns: usize,
    /// Length of a turn.
    #[arg(long, default_value_t = 300)]
    turn_ms: u64,
    /// The server's binary; the one beside this program when absent.
    #[arg(long, value_name = "FILE")]
    manifold: Option<PathBuf>,
}

/// A part: the name of its hole in the text, and what fills it.
struct Part {
    name: &'static str,
    run: fn(&Args, &Path, &mut Sheet) -> Result<()>,
}

/// In the order in which they run.
const PARTS: [Part; 9] = [
    Part { name: "http", run: |args, scratch, sheet| http::run(&args.http(), scratch, sheet) },
    Part { name: "redis", run: |args, scratch, sheet| redis::run(&args.redis(), scratch, sheet) },
    Part { name: "synap", run: |args, scratch, sheet| synap::run(&args.synap(), scratch, sheet) },
    Part { name: "dunena", run: |args, scratch, sheet| dunena::run(&args.dunena(), scratch, sheet) },
    Part { name: "flo", run: |args, scratch, sheet| flo::run(&args.flo(), scratch, sheet) },
    Part { name: "edgecomet", run: |args, scratch, sheet| edgecomet::run(&args.edgecomet(), scratch, sheet) },
    Part { name: "memory", run: |args, scratch, sheet| memory::run(&args.memory(), scratch, sheet) },
    Part { name: "store", run: |args, scratch, sheet| store::run(&args.store(), scratch, sheet) },
    Part { name: "restart", run: |args, scratch, sheet| restart::run(&args.restart(), scratch, sheet) },
];

/// Requests with the lowest ratios that are shown.
const LOWEST: usize = 10;

/// Measures and writes.
pub fn run(args: &Args, scratch: &Path) -> Result<()> {
    let unknown = args.parts.iter().find(|part| !PARTS.iter().any(|known| known.name == *part));
    if let Some(part) = unknown {
        return Err(format!("there is no part {part:?}").into());
    }
    // Before the figures are taken: it also says how busy the machine was.
    let (machine, start) = (machine::describe(scratch), now());
    let (mut all, mut holes, mut failed) = (Sheet::default(), Vec::new(), Vec::new());
    for (at, Part { name, run }) in PARTS.iter().enumerate() {
        let wanted = args.parts.is_empty() || args.parts.iter().any(|part| part == name);
        if !wanted {
            holes.push((*name, "Not measured: left out of this run.\n".to_owned()));
            continue;
        }
        println!("\n== {} of {}: {name}, after {} s", at + 1, PARTS.len(), start.elapsed().as_secs());
        let mut sheet = Sheet::default();
        let done = run(args, scratch, &mut sheet);
        let mut text = sheet.markdown();
        if let Err(error) = done {
            eprintln!("manifold-bench: {name}: {error}");
            text += &format!("\nNot measured to the end: {error}.\n");
            failed.push(*name);
        }
        holes.push((*name, text));
        all.append(&mut sheet);
    }
    let minutes = start.elapsed().as_secs_f64() / 60.0;
    holes.push(("machine", format!("{machine} It took {minutes:.0} minutes.")));
    holes.push(("goals", all.goals()));
    holes.push(("lowest", all.lowest(LOWEST)));
    std::fs::write(&args.output, text::filled(text::TEMPLATE, &holes)?)?;
    println!("\n{} is written, after {minutes:.1} minutes", args.output.display());
    match failed.is_empty() {
        true => Ok(()),
        false => Err(format!("not measured to the end: {}", failed.join(", ")).into()),
    }
}

impl Args {
    fn http(&self) -> http::Args {
        let Args { turns, turn_ms, manifold, .. } = self.clone();
        http::Args { turns, turn_ms, manifold, ..http::Args::default() }
    }

    fn redis(&self) -> redis::Args {
        let Args { turns, turn_ms, manifold, .. } = self.clone();
        redis::Args { turns, turn_ms, manifold, ..redis::Args::default() }
    }

    fn synap(&self) -> synap::Args {
        let Args { turns, turn_ms, manifold, .. } = self.clone();
        synap::Args { turns, turn_ms, manifold, ..synap::Args::default() }
    }

    fn dunena(&self) -> dunena::Args {
        let Args { turns, turn_ms, manifold, .. } = self.clone();
        dunena::Args { turns, turn_ms, manifold, ..dunena::Args::default() }
    }

    fn flo(&self) -> flo::Args {
        let Args { turns, manifold, .. } = self.clone();
        flo::Args { turns, manifold, ..flo::Args::default() }
    }

    fn edgecomet(&self) -> edgecomet::Args {
        let Args { turns, manifold, .. } = self.clone();
        edgecomet::Args { turns, manifold, ..edgecomet::Args::default() }
    }

    fn memory(&self) -> memory::Args {
        memory::Args { manifold: self.manifold.clone(), ..memory::Args::default() }
    }

    fn store(&self) -> store::Args {
        store::Args { repetitions: self.turns.min(3), ..store::Args::default() }
    }

    fn restart(&self) -> restart::Args {
        restart::Args { repetitions: self.turns.min(3), ..restart::Args::default() }
    }
}
