//! Time series through Flo, InfluxDB 1 and VictoriaMetrics, as far as those are installed: the same lines to each, bytes on
//! disk once it has merged what it wants to merge, and the same questions, whose answers have to be right.
//!
//! A server writes its whole load while the others rest or do not run: all of them go on working behind an answer, and
//! would do so during the turns of others.

use std::path::{Path, PathBuf};

mod client;
mod ingest;
pub mod load;
mod query;
mod question;
mod side;

use ingest::{CONNECTIONS, Ingested, ingest};
use load::{Batch, Load};
use side::{Door, Side, System};

use crate::{Result, load::server, measure::section};

/// What to measure of time series.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Hosts with two fields and ten tags.
    #[arg(long, default_value_t = 500)]
    hosts: usize,
    /// Points of each gauge, ten seconds apart.
    #[arg(long, default_value_t = 10_000)]
    steps: usize,
    /// Points of each gauge of as many hosts with one field and three tags, which are only written; none leaves it out.
    #[arg(long, default_value_t = 4_000)]
    single_steps: usize,
    /// Lines of a request.
    #[arg(long, default_value_t = 5_000)]
    lines: usize,
    /// Turns of writing, in which one connection and two alternate.
    #[arg(long, default_value_t = 10)]
    turns: usize,
    /// The servers.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = ALL)]
    sides: Vec<System>,
    /// Manifold's binary; the one beside this program when absent.
    #[arg(long, value_name = "FILE")]
    manifold: Option<PathBuf>,
}

const ALL: [System; 4] = [System::Always, System::Interval, System::Influx, System::Victoria];

impl Default for Args {
    fn default() -> Self {
        Args {
            hosts: 500,
            steps: 10_000,
            single_steps: 4_000,
            lines: 5_000,
            turns: 10,
            sides: ALL.to_vec(),
            manifold: None,
        }
    }
}

/// Prints what writing took, then a block per question.
pub fn run(args: &Args, scratch: &Path) -> Result<()> {
    let manifold = args.manifold.clone().map_or_else(server::sibling, Ok)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let load = Load::devops(args.hosts, args.steps);
        let mut sides = written(args, &load, Door::Own, &manifold, scratch).await?;
        // The durability level changes nothing for questions.
        sides.retain(|side| side.system != System::Interval || !args.sides.contains(&System::Always));
        query::run(&load, &mut sides).await?;
        drop(sides);
        if args.single_steps > 0 {
            written(args, &Load::single(args.hosts, args.single_steps), Door::Influx, &manifold, scratch).await?;
        }
        Ok(())
    })
}

/// Writes a load to each server and prints what that took; the servers that have it.
async fn written(args: &Args, load: &Load, door: Door, manifold: &Path, scratch: &Path) -> Result<Vec<Side>> {
    let batches = load.batches(args.lines);
    title(args, load, &batches);
    let (mut sides, mut taken) = (Vec::new(), Vec::new());
    for &system in &args.sides {
        let Some(mut side) = Side::open(system, manifold, scratch).await? else { continue };
        taken.push(ingest(&side, &batches, args.turns, door).await?);
        query::verify(load, &mut side).await?;
        sides.push(side);
    }
    table(&sides, &taken);
    for side in &sides {
        let (sealed, bytes) = (side.metric(SEALED).await, side.metric(BLOCK_BYTES).await);
        if let (Some(sealed), Some(bytes)) = (sealed, bytes) {
            println!("{}: {sealed} points in blocks of {:.2} bytes a point", side.system.name(), bytes / sealed);
        }
    }
    Ok(sides)
}

/// Manifold's own numbers.
const SEALED: &str = "flo_ts_points_sealed";
const BLOCK_BYTES: &str = "flo_ts_block_bytes";

fn title(args: &Args, load: &Load, batches: &[Batch]) {
    let bytes: usize = batches.iter().map(|batch| batch.body.len()).sum();
    let (points, fields) = (load.points(), load.fields.len());
    section(&format!(
        "series: {points} points of {} hosts, {fields} to a line of {} bytes, {} lines to a request, {} turns",
        load.hosts,
        bytes * fields / points,
        args.lines,
        args.turns
    ));
}

fn table(sides: &[Side], taken: &[Ingested]) {
    print!("{:20}", "");
    for connections in CONNECTIONS {
        print!("{:>18}{:>9}", format!("points/s, {connections} conn"), "of best");
    }
    println!("{:>12}{:>12}{:>12}{:>10}{:>12}", "CPU ns/pt", "bench's", "bytes/pt", "peak MB", "settled s");
    let best = |kind: usize| {
        let peers = sides.iter().zip(taken).filter(|(side, _)| side.system.is_peer());
        peers.map(|(_, taken)| taken.rates[kind]).max_by(f64::total_cmp)
    };
    for (side, taken) in sides.iter().zip(taken) {
        print!("{:20}", side.system.name());
        for (kind, rate) in taken.rates.iter().enumerate() {
            let ratio = best(kind).map_or("-".to_owned(), |best| format!("{:.2}", rate / best));
            print!("{rate:>18.0}{ratio:>9}");
        }
        let Ingested { cpu_ns, own_ns, disk, peak_bytes, settled, .. } = taken;
        println!(
            "{cpu_ns:>12.0}{own_ns:>12.0}{disk:>12.2}{:>10.0}{:>12.0}",
            *peak_bytes as f64 / 1e6,
            settled.as_secs_f64()
        );
    }
}
