//! One `manifold` process with arguments of the test's own. It ends with the value.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    thread::JoinHandle,
    time::Duration,
};

use super::{Log, eventually};

/// Longest wait for a line of the log, or for the end of the process.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running process.
pub struct Process {
    child: Child,
    readers: Vec<JoinHandle<()>>,
    /// Everything it printed.
    pub log: Log,
}

impl Process {
    /// Starts the binary with these arguments and nothing else in its environment than this.
    pub fn start(args: &[&str], env: &[(&str, &str)], directory: &Path) -> Process {
        let mut command = Command::new(env!("CARGO_BIN_EXE_manifold"));
        command.args(args).current_dir(directory).env_clear().envs(env.iter().copied());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("start the binary");
        let log = Log::default();
        let readers = vec![
            log.follow(child.stdout.take().expect("stdout is piped")),
            log.follow(child.stderr.take().expect("stderr is piped")),
        ];
        Process { child, readers, log }
    }

    /// Waits until the log has this text so many times.
    #[track_caller]
    pub fn wait_for(&self, text: &str, times: usize) {
        let found = || (self.log.text().matches(text).count() >= times).then_some(());
        eventually(&format!("{text:?} in the log"), PATIENCE, found);
    }

    /// Sends a signal and does not wait.
    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).expect("signal the process");
    }

    /// SIGTERM; the process must end with 0 in time.
    #[track_caller]
    pub fn stop(mut self) {
        self.signal(rustix::process::Signal::TERM);
        let status = eventually("the end of the process", PATIENCE, || self.child.try_wait().expect("wait for it"));
        assert_eq!(status.code(), Some(0), "{}", self.log.tail());
        self.readers.drain(..).for_each(|reader| reader.join().expect("the log reader ends with its pipe"));
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // An error means that it is gone already, which is what we want.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
