//! The scripts: steps that must not be torn apart. Their texts are beside this file, with what they take and answer.

use redis::Cmd;

/// A script begins with what all share.
macro_rules! script {
    ($name:literal) => {
        concat!(include_str!("scripts/own.lua"), include_str!(concat!("scripts/", $name, ".lua")))
    };
}

pub(super) const PULL: &str = script!("pull");
pub(super) const WAIT: &str = script!("wait");
pub(super) const GIVE_BACK: &str = script!("give_back");
pub(super) const BURY: &str = script!("bury");
pub(super) const PURGE: &str = script!("purge");
pub(super) const RETRY: &str = script!("retry");

/// Runs a script with these keys; arguments are added to what this gives.
pub(super) fn eval(script: &str, keys: &[&str]) -> Cmd {
    let mut command = redis::cmd("EVAL");
    command.arg(script).arg(keys.len()).arg(keys);
    command
}
