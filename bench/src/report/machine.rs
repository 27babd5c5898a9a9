//! What was measured, and on what.

use std::{fs, io::Write as _, path::Path, process::Command};

use crate::measure::{cores, load_average, median, time};

/// A few sentences: date, commit, processor, memory, kernel, disk, and the versions of what else ran.
pub fn describe(scratch: &Path) -> String {
    let date = said(Command::new("date").args(["-u", "+%F"])).unwrap_or_else(|| "an unknown day".to_owned());
    let load = load_average();
    let disk = fsync_ms(scratch).map_or_else(String::new, |ms| format!(", an fsync of 4 KiB takes {ms:.2} ms"));
    let redis = said(Command::new("redis-server").arg("--version"))
        .and_then(|line| Some(line.split("v=").nth(1)?.split(' ').next()?.to_owned()));
    let webdis = said(Command::new("dpkg-query").args(["-W", "-f", "${Version}", "webdis"]));
    let version = |name: &str, version: Option<String>| match version {
        Some(version) => format!("{name} {version}"),
        None => format!("no {name}"),
    };
    format!(
        "Measured on {date} at {}: {} with {} cores, {:.0} GB of memory, Linux {}{disk}; {} and {}. The load average was \
         {load} when it began.",
        commit(),
        processor(),
        cores(),
        memory_gb(),
        fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim(),
        version("Redis", redis),
        version("Webdis", webdis),
    )
}

/// The commit of the directory this runs in.
fn commit() -> String {
    let Some(commit) = said(Command::new("git").args(["rev-parse", "--short", "HEAD"])) else {
        return "an unknown commit".to_owned();
    };
    let changed = said(Command::new("git").args(["status", "--porcelain", "--untracked-files=no"]));
    let changed = if changed.is_some() { ", with changes" } else { "" };
    format!("commit {commit}{changed}")
}

fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    model.unwrap_or("an unknown processor").trim().to_owned()
}

fn memory_gb() -> f64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib =
        text.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    kib.unwrap_or_default() * 1024.0 / 1e9
}

/// The median of a few writes to a file.
fn fsync_ms(scratch: &Path) -> Option<f64> {
    const WRITES: usize = 50;
    let mut file = tempfile::tempfile_in(scratch).ok()?;
    let mut took = Vec::with_capacity(WRITES);
    for _ in 0..WRITES {
        file.write_all(&[0; 4096]).ok()?;
        let mut synced = false;
        let one = time(|| synced = file.sync_data().is_ok());
        took.push(synced.then_some(one.as_secs_f64() * 1e3)?);
    }
    Some(median(took))
}

/// The first line that a program prints, if it is there and prints one.
fn said(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.lines().next().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty())
}
