//! Time, medians, and what else is going on.

use std::{
    os::unix::fs::MetadataExt,
    path::Path,
    time::{Duration, Instant},
};

/// Now.
#[expect(clippy::disallowed_methods, reason = "measuring is what this program does")]
pub fn now() -> Instant {
    Instant::now()
}

/// How long `work` took.
pub fn time(work: impl FnOnce()) -> Duration {
    let start = now();
    work();
    start.elapsed()
}

/// How long `work` took, and how much of that this thread spent on a processor.
pub fn time_alone(work: impl FnOnce()) -> Took {
    let cpu_before = thread_cpu();
    let wall = time(work);
    Took { wall, cpu: thread_cpu().saturating_sub(cpu_before) }
}

/// The time of one thread's work.
#[derive(Debug, Clone, Copy)]
pub struct Took {
    /// By the clock.
    pub wall: Duration,
    /// On a processor: what others do on the machine does not count.
    pub cpu: Duration,
}

fn thread_cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = stat.split(' ').next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.unwrap_or_default())
}

/// Time that a process has spent on processors.
pub fn cpu(process: u32) -> Duration {
    /// `sysconf(_SC_CLK_TCK)` is 100 on every Linux.
    const TICK: Duration = Duration::from_millis(10);
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name in parentheses may hold spaces; user and system time are the 12th and 13th field behind it.
    let behind_name = stat.rsplit(')').next().unwrap_or_default();
    let fields = behind_name.split_ascii_whitespace().skip(11).take(2);
    fields.filter_map(|ticks| ticks.parse::<u32>().ok()).map(|ticks| TICK * ticks).sum()
}

/// Bytes of memory that a process has.
pub fn resident(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"));
    line.and_then(|kib| kib.parse::<u64>().ok()).unwrap_or_default() << 10
}

/// The middle one; the mean of the two middle ones.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[middle],
        _ => (values[middle - 1] + values[middle]) / 2.0,
    }
}

/// How many processors there are.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(0, usize::from)
}

/// How busy the machine was during the last minute.
pub fn load_average() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().filter(|load| !load.is_empty()).unwrap_or("?").to_owned()
}

/// Prints a section's title, and how busy the machine is before its figures are taken.
pub fn section(title: &str) {
    println!("\n{title}  ({} cores, load average {})", cores(), load_average());
}

/// Bytes of the files below a path as `du` counts them.
pub fn disk_bytes(path: &Path) -> u64 {
    /// What `st_blocks` counts in.
    const BLOCK: u64 = 512;
    // A file that goes away meanwhile takes no space.
    let Ok(own) = path.symlink_metadata() else { return 0 };
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    own.blocks() * BLOCK + entries.map(|entry| disk_bytes(&entry.path())).sum::<u64>()
}

/// A number that is the same for the same `n` and otherwise looks random (splitmix64).
pub fn scramble(n: u64) -> u64 {
    let mut z = n.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
