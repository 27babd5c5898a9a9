//! The browser's process: how it starts, and that nothing is left of it.
//!
//! A small shell script stands between this process and the browser, for three things that need no unsafe code there: it
//! puts the two ends of the debugging pipe where the browser looks for them; it ends the browser, also one that hangs,
//! when this process was killed and could not; and it removes the profile then.

use std::{
    fs::{self, DirBuilder},
    io::{self, PipeWriter},
    os::unix::{fs::DirBuilderExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, geteuid, kill_process_group};

/// The browser reads its commands from 3 and writes answers to 4. What comes as standard error is the lifeline: it is
/// read from, and its other end closes with the process that holds it, in whatever way that ends. `kill` is certain;
/// children of a browser that was killed need a moment before nobody writes into the profile any more.
const SUPERVISOR: &str = r#"
exec 3<&0 4>&1 5<&2 </dev/null >/dev/null 2>"$0/log"
"$@" 5<&- &
exec 3<&- 4>&-
read -r _ <&5
kill -KILL $!
wait
sleep 1
rm -rf -- "$0"
"#;

/// What every browser is told. Debian's own settings come before these, and of a switch that is given twice the last
/// counts.
const SWITCHES: [&str; 31] = [
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-startup-window",
    "--no-first-run",
    "--no-default-browser-check",
    // It stays off the network but for its pages. Whatever is in no page's context would go through a proxy that is not
    // there, and no name is looked up by the browser itself.
    "--disable-background-networking",
    "--disable-client-side-phishing-detection",
    "--disable-component-extensions-with-background-pages",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-sync",
    "--no-pings",
    "--proxy-server=socks5://127.0.0.1:1",
    "--proxy-bypass-list=<-loopback>",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    // These would go around a proxy.
    "--disable-quic",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    // Pages run at full speed although nobody sees them.
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--disable-breakpad",
    "--disable-crash-reporter",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--hide-scrollbars",
    "--mute-audio",
    "--log-level=3",
    // Addresses are kept as they are given and private ones are the proxy's to judge; the rest is what would open
    // processes for an interface that nobody sees.
    "--disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,LocalNetworkAccessChecks,MediaRouter,\
     OptimizationHints,Translate,WebUIOmniboxPopup,WebUIOmniboxAimPopup",
];

/// Tries to remove a profile while the last children of the browser come to their end.
const REMOVALS: u32 = 20;
const REMOVAL_PAUSE: Duration = Duration::from_millis(50);
/// What is told of a browser that does not start.
const LAST_WORDS: usize = 300;

/// A running browser. Ends with the value, and its profile with it.
#[derive(Debug)]
pub(super) struct Process {
    supervisor: Child,
    profile: PathBuf,
    _lifeline: PipeWriter,
}

impl Process {
    /// Starts a browser; what it reads commands from, and what it writes to. Whether it came up shows on these.
    pub(super) fn start(program: &Path) -> io::Result<(Process, ChildStdin, ChildStdout)> {
        let profile = new_profile()?;
        let (their_end, lifeline) = io::pipe()?;
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(SUPERVISOR).arg(&profile).arg(program).args(SWITCHES);
        command.arg(format!("--user-data-dir={}", profile.display()));
        if geteuid().is_root() {
            tracing::warn!("the browser runs without its sandbox, which does not work for root: run as another user");
            command.arg("--no-sandbox");
        }
        // Nothing of this process's environment is a page's business.
        command.env_clear().env("HOME", &profile).env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(their_end);
        let mut supervisor = command.spawn().inspect_err(|_| drop(fs::remove_dir_all(&profile)))?;
        let (commands, answers) = (supervisor.stdin.take(), supervisor.stdout.take());
        let process = Process { supervisor, profile, _lifeline: lifeline };
        let (commands, answers) = commands.zip(answers).expect("both are pipes");
        Ok((process, commands, answers))
    }

    #[cfg(test)]
    pub(super) fn supervisor(&self) -> i32 {
        Pid::from_child(&self.supervisor).as_raw_nonzero().get()
    }

    /// The last line the browser wrote, for a message.
    pub(super) fn last_words(&self) -> String {
        let log = fs::read(self.profile.join("log")).unwrap_or_default();
        let text = String::from_utf8_lossy(&log);
        let line = text.lines().rev().map(str::trim).find(|line| !line.is_empty());
        line.unwrap_or("it said nothing").chars().take(LAST_WORDS).collect()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // An error means that all of the group is gone already, which is what is wanted.
        kill_process_group(Pid::from_child(&self.supervisor), Signal::KILL).ok();
        self.supervisor.wait().ok();
        for _ in 0..REMOVALS {
            match fs::remove_dir_all(&self.profile) {
                Ok(()) => return,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return,
                Err(_) => thread::sleep(REMOVAL_PAUSE),
            }
        }
        tracing::warn!(profile = %self.profile.display(), "the profile of a browser that ended cannot be removed");
    }
}

/// A directory that nobody else can read.
fn new_profile() -> io::Result<PathBuf> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let profile = std::env::temp_dir().join(format!("manifold-browser-{:016x}", u64::from_le_bytes(random)));
    DirBuilder::new().mode(0o700).create(&profile)?;
    Ok(profile)
}
