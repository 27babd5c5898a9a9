//! How far a long verb is, on standard error: a bar where somebody looks, else a line every now and then.

use std::{
    io::{IsTerminal, stderr},
    time::Duration,
};

use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};

/// Time between two lines where nobody looks.
const EVERY: Duration = Duration::from_secs(10);
const KNOWN: &str = "{msg} {bar:30} {bytes}/{total_bytes}, {prefix} records, {bytes_per_sec}, {eta} left";
const UNKNOWN: &str = "{spinner} {msg} {bytes}, {prefix} records, {bytes_per_sec}, {elapsed}";

pub struct Meter {
    /// Keeps the time, seen or not.
    bar: ProgressBar,
    what: &'static str,
    /// When the last line was written, from the beginning.
    told: Duration,
    records: u64,
}

impl Meter {
    /// Something that is done to so many bytes, if that is known.
    pub fn new(what: &'static str, total_bytes: Option<u64>) -> Self {
        let bar = match (stderr().is_terminal(), total_bytes) {
            (true, Some(total)) => ProgressBar::new(total),
            (true, None) => ProgressBar::new_spinner(),
            (false, _) => ProgressBar::hidden(),
        };
        let template = if total_bytes.is_some() { KNOWN } else { UNKNOWN };
        bar.set_style(ProgressStyle::with_template(template).expect("the template is one of ours"));
        bar.set_message(what);
        Meter { bar, what, told: Duration::ZERO, records: 0 }
    }

    /// It is done to so many by now.
    pub fn at(&mut self, bytes: u64, records: u64) {
        self.records = records;
        self.bar.set_prefix(HumanCount(records).to_string());
        self.bar.set_position(bytes);
        let elapsed = self.bar.elapsed();
        if self.bar.is_hidden() && elapsed >= self.told + EVERY {
            self.told = elapsed;
            eprintln!("manifold: {} {}", self.what, self.sum());
        }
    }

    /// What it came to by now.
    pub fn sum(&self) -> String {
        let seconds = self.bar.elapsed().as_secs_f64();
        let rate = HumanCount((self.records as f64 / seconds.max(0.001)) as u64);
        let (records, bytes) = (HumanCount(self.records), HumanBytes(self.bar.position()));
        format!("{records} records, {bytes} in {seconds:.1} s ({rate} a second)")
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
