//! Database servers of the tests: in a directory of their own, on a free port of loopback, as a user without rights.

use std::{
    fs,
    net::TcpStream,
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, geteuid, kill_process};
use tempfile::TempDir;

use crate::harness::{eventually, free_port};

/// Set where a missing server is a failure; without it, tests that need one are skipped.
const REQUIRED: &str = "MANIFOLD_DATABASES";
/// Neither server wants to be root. Debian has this user everywhere.
const NOBODY: u32 = 65_534;
/// A first start on a busy machine.
const START: Duration = Duration::from_secs(60);
const STOP: Duration = Duration::from_secs(20);

/// Whoever queries. The password has what a URL has to escape.
pub const USER: &str = "tester";
pub const PASSWORD: &str = "s3cret/p@ss w%rd";
const PASSWORD_IN_URL: &str = "s3cret%2Fp%40ss%20w%25rd";

/// A running server. It ends with the value.
pub struct Database {
    kind: Kind,
    home: TempDir,
    pub port: u16,
    options: Vec<String>,
    running: Option<Child>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    PostgreSql,
    MariaDb,
}

impl Database {
    /// A PostgreSQL server; none, and a line that says so, where it is not installed.
    pub fn postgres(options: &[&str]) -> Option<Database> {
        Database::start(Kind::PostgreSql, "postgres", options)
    }

    /// A MariaDB server with the database `shop`.
    pub fn mariadb(options: &[&str]) -> Option<Database> {
        Database::start(Kind::MariaDb, "mariadbd", options)
    }

    /// A PostgreSQL server with a certificate for `localhost` by an authority of its own.
    pub fn postgres_with_tls() -> Option<Database> {
        let files = ["ssl=on", "ssl_cert_file=../server.pem", "ssl_key_file=../server.key"];
        Database::postgres(&files.map(|file| ["-c", file]).concat())
    }

    /// A MariaDB server with such a certificate.
    pub fn mariadb_with_tls() -> Option<Database> {
        Database::mariadb(&["--ssl-cert=../server.pem", "--ssl-key=../server.key", "--ssl-ca=../ca.pem"])
    }

    /// The certificate of the authority.
    pub fn authority_file(&self) -> PathBuf {
        self.home.path().join("ca.pem")
    }

    fn start(kind: Kind, program: &str, options: &[&str]) -> Option<Database> {
        if find(program).is_none() {
            assert!(std::env::var_os(REQUIRED).is_none(), "{program} is missing; `make packages` installs it");
            println!("skipped: there is no {program} on this machine; `make packages` installs it");
            return None;
        }
        let home = tempfile::Builder::new().prefix("manifold-db-").tempdir().expect("a temporary directory");
        give_away(home.path());
        let options: Vec<String> = options.iter().map(|option| (*option).to_owned()).collect();
        if options.iter().any(|option| option.contains("server.pem")) {
            certify(home.path());
        }
        let mut database = Database { kind, home, port: free_port(), options, running: None };
        database.create();
        database.run();
        Some(database)
    }

    /// `user:password@host:port/database`, to which a scheme and options are added.
    pub fn authority(&self) -> String {
        let name = if self.kind == Kind::PostgreSql { "postgres" } else { "shop" };
        format!("{USER}:{PASSWORD_IN_URL}@127.0.0.1:{}/{name}", self.port)
    }

    /// A file in the directory of the server, readable for it.
    fn put_file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.home.path().join(name);
        fs::write(&path, content).expect("write a file of the server");
        give_away(&path);
        path
    }

    /// Stops the server and starts it again on the same port.
    pub fn restart(&mut self) {
        self.stop();
        self.run();
    }

    /// Ends the process as its administrator would, with all connections.
    pub fn stop(&mut self) {
        let Some(mut child) = self.running.take() else { return };
        // Both take this as "now, but in order".
        let signal = if self.kind == Kind::PostgreSql { Signal::INT } else { Signal::TERM };
        let pid = Pid::from_child(&child);
        kill_process(pid, signal).expect("signal the database");
        let start = std::time::Instant::now();
        while child.try_wait().expect("wait for the database").is_none() {
            if start.elapsed() > STOP {
                child.kill().expect("kill the database");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn data(&self) -> String {
        self.home.path().join("data").display().to_string()
    }

    fn create(&self) {
        let data = self.data();
        match self.kind {
            Kind::PostgreSql => {
                let password = self.put_file("password", PASSWORD).display().to_string();
                let user = format!("--username={USER}");
                let password = format!("--pwfile={password}");
                let arguments = [
                    "--pgdata",
                    &data,
                    "--encoding=UTF8",
                    "--locale=C.UTF-8",
                    "--auth=scram-sha-256",
                    "--no-sync",
                    &user,
                    &password,
                ];
                self.finish("initdb", &arguments);
            }
            Kind::MariaDb => {
                let data = format!("--datadir={data}");
                let arguments = [
                    "--no-defaults",
                    &data,
                    "--auth-root-authentication-method=normal",
                    "--skip-test-db",
                    "--skip-name-resolve",
                ];
                self.finish("mariadb-install-db", &arguments);
                let quoted = PASSWORD.replace('\'', "''");
                self.put_file(
                    "init.sql",
                    &format!(
                        "CREATE DATABASE IF NOT EXISTS shop;\n\
                         CREATE USER IF NOT EXISTS '{USER}'@'%' IDENTIFIED BY '{quoted}';\n\
                         GRANT ALL ON *.* TO '{USER}'@'%';\n"
                    ),
                );
            }
        }
    }

    fn run(&mut self) {
        let (data, port) = (self.data(), self.port.to_string());
        let mut command = match self.kind {
            Kind::PostgreSql => {
                let mut command = self.unprivileged("postgres");
                command.args(["-D", &data, "-p", &port, "-F", "-c", "listen_addresses=127.0.0.1"]);
                command.args(["-c", "unix_socket_directories="]);
                command
            }
            Kind::MariaDb => {
                let mut command = self.unprivileged("mariadbd");
                let home = self.home.path().display();
                command.arg("--no-defaults").arg(format!("--datadir={data}")).arg(format!("--port={port}"));
                command.arg(format!("--socket={home}/s.sock")).arg(format!("--pid-file={home}/pid"));
                command
                    .arg(format!("--init-file={home}/init.sql"))
                    .args(["--bind-address=127.0.0.1", "--skip-name-resolve"]);
                command.args(["--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=16M"]);
                command
            }
        };
        let log = fs::File::options().create(true).append(true).open(self.log()).expect("the log of the database");
        command.args(&self.options).stdin(Stdio::null());
        command.stdout(log.try_clone().expect("the log")).stderr(log);
        self.running = Some(command.spawn().expect("start the database"));
        eventually("the database listens", START, || {
            let child = self.running.as_mut().expect("was started");
            if let Some(status) = child.try_wait().expect("wait for the database") {
                panic!("the database ended with {status}\n{}", fs::read_to_string(self.log()).unwrap_or_default());
            }
            TcpStream::connect(("127.0.0.1", self.port)).ok()
        });
    }

    fn log(&self) -> PathBuf {
        self.home.path().join("log")
    }

    /// Runs a program to its end, which must be a good one.
    fn finish(&self, program: &str, arguments: &[&str]) {
        let output = self.unprivileged(program).args(arguments).output().expect("run it");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program}: {}\n{said}", output.status);
    }

    /// The program, as nobody where we are root. A starting MariaDB removes what others left in its temporary directory.
    fn unprivileged(&self, program: &str) -> Command {
        let program = find(program).unwrap_or_else(|| panic!("{program} is missing beside its server"));
        let mut command = Command::new("setpriv");
        if geteuid().is_root() {
            command.args([format!("--reuid={NOBODY}"), format!("--regid={NOBODY}"), "--clear-groups".to_owned()]);
            command.arg(program);
        } else {
            command = Command::new(program);
        }
        command.current_dir(self.home.path()).env("TMPDIR", self.home.path());
        command
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Makes an authority, and a certificate of it for `localhost` that only the server can use.
fn certify(home: &Path) {
    let openssl = |arguments: &str| {
        let mut command = Command::new("openssl");
        command.args(arguments.split(' ')).current_dir(home);
        let output = command.output().expect("openssl, which Debian's servers bring along");
        assert!(output.status.success(), "openssl {arguments}\n{}", String::from_utf8_lossy(&output.stderr));
    };
    fs::write(home.join("names"), "subjectAltName=DNS:localhost").expect("write a file of the authority");
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(&format!("req -x509 {key} -days 2 -subj /CN=authority -keyout ca.key -out ca.pem"));
    openssl(&format!("req {key} -subj /CN=server -keyout server.key -out server.csr"));
    openssl("x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.pem");
    for name in ["server.key", "server.pem", "ca.pem"] {
        fs::set_permissions(home.join(name), fs::Permissions::from_mode(0o600)).expect("keep a key to ourselves");
        give_away(&home.join(name));
    }
}

fn give_away(path: &Path) {
    if geteuid().is_root() {
        chown(path, Some(NOBODY), Some(NOBODY)).expect("give a file away");
    }
}

/// Debian keeps the programs of PostgreSQL in a folder for each version, and servers apart from what everybody may run.
fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    folders.push(PathBuf::from("/usr/sbin"));
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    folders.extend(versions.map(|version| version.path().join("bin")));
    folders.into_iter().map(|folder| folder.join(program)).find(|found| found.is_file())
}
