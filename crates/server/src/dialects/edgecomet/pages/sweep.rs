//! Removes the minutes of the directory of pages that are long past. Whatever is not of our layout stays, and no link is
//! followed: the directory may be shared, and may be misconfigured.

use std::{
    fs::{self, DirEntry},
    io,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use jiff::{civil, tz::TimeZone};

use super::path::{is_host, is_page_file, numbered};

#[cfg(test)]
mod tests;

/// Digits of a year, month, day, hour and minute in names of directories.
const DIGITS: [usize; 5] = [4, 2, 2, 2, 2];
const MINUTE_SECONDS: i64 = 60;

/// Removes the files of minutes that ended before a Unix second, and directories below the hosts' that are empty then;
/// how many files there were. Stops early when told to.
pub(super) fn sweep(base: &Path, before: i64, stop: &AtomicBool) -> io::Result<u64> {
    let mut sweep = Sweep { before, stop, removed: 0 };
    let hosts = match fs::read_dir(base) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        hosts => hosts?,
    };
    for host in hosts {
        let host = host?;
        if is_directory(&host) && host.file_name().to_str().is_some_and(is_host) {
            sweep.period(&host.path(), &mut Vec::with_capacity(DIGITS.len()));
        }
    }
    Ok(sweep.removed)
}

struct Sweep<'a> {
    before: i64,
    stop: &'a AtomicBool,
    removed: u64,
}

impl Sweep<'_> {
    /// Goes through the years of a host, the months of a year and so on down to minutes. What cannot be read or removed
    /// now is left to the next round.
    fn period(&mut self, directory: &Path, began: &mut Vec<i16>) {
        let Ok(parts) = fs::read_dir(directory) else { return };
        for part in parts.flatten() {
            if self.stop.load(Ordering::Relaxed) {
                return;
            }
            let name = part.file_name();
            let number = name.to_str().and_then(|name| numbered(name, DIGITS[began.len()]));
            let Some(number) = number.filter(|_| is_directory(&part)) else { continue };
            began.push(number);
            self.part(&part.path(), began);
            began.pop();
        }
    }

    /// One year, month, day, hour or minute.
    fn part(&mut self, directory: &Path, began: &mut Vec<i16>) {
        let Some(start) = start(began) else { return };
        if began.len() < DIGITS.len() {
            if start >= self.before {
                return;
            }
            self.period(directory, began);
        } else {
            if start + MINUTE_SECONDS > self.before {
                return;
            }
            self.minute(directory);
        }
        // Fails when something is left in it, which is what we want.
        fs::remove_dir(directory).ok();
    }

    fn minute(&mut self, directory: &Path) {
        let Ok(files) = fs::read_dir(directory) else { return };
        for file in files.flatten() {
            let is_ours = file.file_name().to_str().is_some_and(is_page_file)
                && file.file_type().is_ok_and(|found| found.is_file());
            if is_ours && fs::remove_file(file.path()).is_ok() {
                self.removed += 1;
            }
        }
    }
}

/// A directory itself; a link to one is none.
fn is_directory(entry: &DirEntry) -> bool {
    entry.file_type().is_ok_and(|found| found.is_dir())
}

/// The Unix second in which a year, month, day, hour or minute began; none if there is no such time.
fn start(began: &[i16]) -> Option<i64> {
    let part = |at: usize, least: i16| i8::try_from(began.get(at).copied().unwrap_or(least)).ok();
    let (month, day) = (part(1, 1)?, part(2, 1)?);
    let time = civil::DateTime::new(*began.first()?, month, day, part(3, 0)?, part(4, 0)?, 0, 0).ok()?;
    Some(TimeZone::UTC.to_timestamp(time).ok()?.as_second())
}
