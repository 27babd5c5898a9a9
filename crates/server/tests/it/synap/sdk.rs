//! The published Python clients against the real process: what they send is understood, what they are answered they can
//! read. The session is a script (`tests/sdk/session`) that a Python with one version of the client runs; `make` makes the
//! environments and says where they are.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use toml::{Table, Value};

use crate::harness::{Server, Settings};

/// The folder of the environments, one for each version.
const ENVIRONMENTS: &str = "MANIFOLD_PYTHON_SDKS";
/// A session takes a few seconds on an idle machine.
const LONGEST: Duration = Duration::from_secs(180);
const KEY: &str = "a key for the clients";

#[test]
fn version_1_4_0_under_the_prefix_for_clients() {
    under_the_prefix("1.4.0");
}

#[test]
fn version_1_0_0_under_the_prefix_for_clients() {
    under_the_prefix("1.0.0");
}

#[test]
fn version_1_4_0_with_a_key_where_the_form_of_clients_is_configured() {
    with_credentials("1.4.0", &["--token", KEY]);
}

#[test]
fn version_1_0_0_with_a_password_where_the_form_of_clients_is_configured() {
    with_credentials("1.0.0", &["--user", "ann", "a password"]);
}

fn under_the_prefix(version: &str) {
    let Some(python) = python(version) else { return };
    let server = Server::with(Settings::fast());
    session(&python, version, &format!("http://{}/sdk", server.synap()), &[]);
}

fn with_credentials(version: &str, credentials: &[&str]) {
    let Some(python) = python(version) else { return };
    let key = Table::from_iter([("key", KEY), ("name", "clients"), ("role", "admin")].map(text));
    let user = Table::from_iter([("username", "ann"), ("password", "a password")].map(text));
    let settings = Settings::fast()
        .set("synap.compat", "sdk")
        .set("synap.auth.api_keys", vec![Value::Table(key)])
        .set("synap.auth.users", vec![Value::Table(user)]);
    let server = Server::with(settings);
    session(&python, version, &format!("http://{}", server.synap()), credentials);
}

fn text((name, value): (&str, &str)) -> (String, Value) {
    (name.to_owned(), value.into())
}

/// The Python that has this version of the client; none, and a line that says so, where nobody made one.
fn python(version: &str) -> Option<PathBuf> {
    let Some(environments) = std::env::var_os(ENVIRONMENTS) else {
        println!("skipped: {ENVIRONMENTS} names no folder with Python clients; `make unit` makes it");
        return None;
    };
    let python = Path::new(&environments).join(version).join("bin/python");
    assert!(python.exists(), "{} is missing; `make sdks` makes it", python.display());
    Some(python)
}

/// Runs the whole session, which must succeed.
fn session(python: &Path, version: &str, base: &str, credentials: &[&str]) {
    let output = tempfile::NamedTempFile::new().expect("a temporary file");
    let to_output = || Stdio::from(output.reopen().expect("the temporary file"));
    let mut command = Command::new(python);
    command.args(["-m", "session", base, "--version", version]).args(credentials);
    command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdk"));
    // Nothing of the environment: a proxy named there would be asked for the loopback address.
    command.env_clear().env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONUTF8", "1");
    let mut child = command.stdin(Stdio::null()).stdout(to_output()).stderr(to_output()).spawn().expect("start Python");
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("wait for the session") {
            break Some(status);
        }
        if start.elapsed() > LONGEST {
            child.kill().expect("end the session");
            child.wait().expect("wait for the session");
            break None;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    let output = std::fs::read_to_string(output.path()).expect("what the session said");
    let complete = status.is_some_and(|status| status.success()) && output.ends_with("session complete\n");
    assert!(complete, "synap-sdk {version}: {status:?} after {:?}\n{output}", start.elapsed());
}
