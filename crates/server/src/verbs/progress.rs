//! What a verb that copies tells while it does, on a terminal, and when it is done.

use std::{io::Read, path::Path, time::Duration};

use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use manifold_engine::backup::Manifest;

/// Time between two looks of the bar; it also turns when nothing moves.
const TICK: Duration = Duration::from_millis(100);

/// A copy that is being made.
pub struct Progress {
    /// Shows nothing where standard error is no terminal.
    bar: ProgressBar,
    done: &'static str,
}

impl Progress {
    /// `done` is what will be said of it.
    pub fn begin(done: &'static str) -> Progress {
        let bar = ProgressBar::new_spinner();
        let style = ProgressStyle::with_template("{spinner} {bytes} in {elapsed}, {bytes_per_sec}");
        bar.set_style(style.expect("the template is a constant"));
        bar.enable_steady_tick(TICK);
        Progress { bar, done }
    }

    /// So many bytes were copied.
    pub fn moved(&self, bytes: u64) {
        self.bar.inc(bytes);
    }

    /// Counts what is read.
    pub fn reading<R: Read>(&self, from: R) -> impl Read + use<R> {
        self.bar.wrap_read(from)
    }

    /// One line for each finding, and one for all of it.
    pub fn end(&self, path: &Path, manifest: &Manifest, findings: &[String]) {
        self.bar.finish_and_clear();
        findings.iter().for_each(|line| println!("{line}"));
        let (files, bytes) = (manifest.files.len(), manifest.bytes());
        let (sequence, took) = (manifest.sequence, self.bar.elapsed());
        let (done, shown, path) = (self.done, HumanBytes(bytes), path.display());
        println!(
            "{path}: {done}: sequence {sequence}, {files} files, {bytes} bytes ({shown}), {:.1} s",
            took.as_secs_f64()
        );
    }
}
