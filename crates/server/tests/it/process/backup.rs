//! `manifold backup` and `manifold restore`: what comes back, and what happens when one of the two ends is taken away.

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

use crate::harness::{Request, Server, Settings, eventually};

mod ended;
mod load;
mod refused;
mod whole;

/// Longest wait for something to happen on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A directory for backups and for what is restored.
struct Shelf(tempfile::TempDir);

impl Shelf {
    fn new() -> Shelf {
        Shelf(tempfile::Builder::new().prefix("manifold-it-").tempdir().expect("a temporary directory"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// What lies in it, by name.
    fn listed(&self) -> Vec<String> {
        let names = fs::read_dir(self.0.path()).expect("a directory");
        let mut names: Vec<String> =
            names.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name")).collect();
        names.sort();
        names
    }

    /// Runs a verb with a path and a data directory; exit code and output.
    fn run(&self, verb: &str, path: &Path, data_dir: &Path) -> (Option<i32>, String) {
        self.start(verb, path, data_dir).end()
    }

    /// Makes a backup of this name, which must succeed.
    #[track_caller]
    fn back_up(&self, name: &str, data_dir: &Path) -> PathBuf {
        let path = self.path(name);
        let (code, output) = self.run("backup", &path, data_dir);
        assert_eq!(code, Some(0), "{output}");
        assert!(output.contains("copied and checked: sequence "), "{output}");
        path
    }

    /// Starts a server on what a backup restores to.
    #[track_caller]
    fn serve(&self, backup: &Path, settings: Settings) -> Server {
        let home = self.path(&format!("home-{}", self.listed().len()));
        fs::create_dir(&home).expect("a directory");
        let (code, output) = self.run("restore", backup, &home.join("data"));
        assert_eq!(code, Some(0), "{output}");
        assert!(output.contains("restored and checked: sequence "), "{output}");
        Server::at(&home, settings)
    }

    /// Starts a backup and does not wait for it.
    fn begin(&self, name: &str, data_dir: &Path) -> Begun {
        self.start("backup", &self.path(name), data_dir)
    }

    fn start(&self, verb: &str, path: &Path, data_dir: &Path) -> Begun {
        let mut command = Command::new(env!("CARGO_BIN_EXE_manifold"));
        command.args([verb, text(path), "--data-dir", text(data_dir)]);
        command.current_dir(self.0.path()).env_clear();
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        Begun(child.expect("start the binary"))
    }

    /// Waits until so many bytes of a backup in one file have come.
    fn wait_partial(&self, name: &str, bytes: u64) {
        let partial = self.path(&format!("{name}.partial"));
        eventually("a part of the backup", PATIENCE, || {
            fs::metadata(&partial).is_ok_and(|file| file.len() > bytes).then_some(())
        });
    }
}

/// A running verb; its process ends with the value.
struct Begun(Child);

impl Begun {
    /// The exit code and what was printed, when it has ended by itself. It prints less than a pipe holds.
    fn end(mut self) -> (Option<i32>, String) {
        let status = eventually("the end of the verb", PATIENCE, || self.0.try_wait().expect("wait for it"));
        let mut said = String::new();
        self.0.stdout.as_mut().expect("it is piped").read_to_string(&mut said).expect("readable");
        self.0.stderr.as_mut().expect("it is piped").read_to_string(&mut said).expect("readable");
        assert!(!said.contains("panicked"), "{said}");
        (status.code(), said)
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).expect("signal the process");
    }

    fn kill(mut self) {
        self.0.kill().expect("kill the process");
        self.0.wait().expect("wait for the process");
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        // An error means that it is gone already, which is what we want.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("paths of tests are UTF-8")
}

/// So many MiB of keys, so that a backup takes a while.
fn fill(server: &Server, mebibytes: usize) {
    let mut connection = server.connect();
    let value = format!(r#"{{"value":"{}"}}"#, "x".repeat(1 << 20));
    for n in 0..mebibytes {
        let put = Request::put(format!("/api/v1/kv/fill/k{n}"), value.clone());
        connection.send(&put).expect("an answer").expect(200);
    }
}

/// Files of a backup in the data directory.
fn staged(data_dir: &Path) -> usize {
    let entries = fs::read_dir(data_dir).expect("the data directory").flatten();
    entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(".backup")).count()
}
