//! Hours of mixed load over all dialects: keys that come, change and expire, queues, streams, collections, points, cached
//! values, pages, connections that vanish, and in between kills of the process. What an acknowledgement promised is checked
//! all the time; at the end it is judged whether memory, descriptors and latencies stayed where they were.

mod client;
mod load;
mod process;
mod samples;
mod world;

use std::{
    path::{Path, PathBuf},
    rc::Rc,
    time::Duration,
};

use tokio::{runtime::Builder, task::LocalSet, time::sleep};

use self::{process::Process, samples::Samples, world::World};
use crate::{Result, load::server::sibling, measure::now};

/// How long, and how hard.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Minutes in total.
    #[arg(long, default_value_t = 60.0)]
    minutes: f64,
    /// Kills, one after the other in the first quarter of the time.
    #[arg(long, default_value_t = 3)]
    kills: u32,
    /// From here on memory, descriptors and latencies have to stay where they are: the part of the time before.
    #[arg(long, default_value_t = 0.4)]
    warm_up: f64,
    /// Multiplies how often everything is done.
    #[arg(long, default_value_t = 1.0)]
    pace: f64,
    /// Multiplies the pace of the warm-up once more: tables and buffers have to reach the size that they will have.
    #[arg(long, default_value_t = 3.0)]
    warm_up_pace: f64,
    /// Where each sample goes as a line of JSON.
    #[arg(long, value_name = "FILE")]
    samples: Option<PathBuf>,
    /// The server's binary; the one beside this program when absent.
    #[arg(long, value_name = "FILE")]
    manifold: Option<PathBuf>,
}

/// Between two samples.
const SAMPLE: Duration = Duration::from_secs(10);
/// What is under way when the time is over ends within this.
const END: Duration = Duration::from_secs(60);

/// Fails when an answer was wrong, something acknowledged is missing, or something grew.
pub fn run(args: &Args, scratch: &Path) -> Result<()> {
    let binary = args.manifold.clone().map_or_else(sibling, Ok)?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, soak(args, &binary, scratch))
}

async fn soak(args: &Args, binary: &Path, scratch: &Path) -> Result<()> {
    let length = Duration::from_secs_f64(args.minutes * 60.0);
    let site = load::site::open().await?;
    let mut process = Process::start(binary, site, scratch)?;
    let world = Rc::new(World::new(process.ports, args.pace * args.warm_up_pace));
    process.ready().await?;
    world.up();
    let workers = load::spawn(&world);

    let warm_up = length.mul_f64(args.warm_up);
    let mut samples = Samples::new(warm_up, args.samples.as_deref())?;
    let begin = now();
    let mut kills = (1..=args.kills).map(|n| length.mul_f64(0.25) * n / (args.kills + 1)).peekable();
    while begin.elapsed() < length {
        sleep(SAMPLE.min(length.saturating_sub(begin.elapsed()))).await;
        if kills.next_if(|at| begin.elapsed() >= *at).is_some() {
            world.down();
            process.kill_and_start_again()?;
            let took = process.ready().await?;
            world.up();
            println!("{:>7.1} min  killed; ready again after {:.2} s", minutes(begin.elapsed()), took.as_secs_f64());
        }
        if begin.elapsed() >= warm_up {
            world.set_pace(args.pace);
        }
        process.assert_running()?;
        samples.take(begin.elapsed(), &process, &world)?;
    }
    world.over();
    for (name, worker) in workers {
        match tokio::time::timeout(END, worker).await {
            Ok(ended) => ended?,
            Err(_) => world.fault(format!("{name} did not end")),
        }
    }
    process.stop()?;
    samples.judge(&world)
}

fn minutes(time: Duration) -> f64 {
    time.as_secs_f64() / 60.0
}
