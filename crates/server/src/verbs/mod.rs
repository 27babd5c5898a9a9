//! One file for each thing the command line can be asked to do, and what they share.

mod backup;
mod check;
mod failure;
mod ports;
mod progress;
mod reload;
mod restore;
mod serve;
mod settings;
mod tls;
mod verify;

pub use self::{
    backup::backup,
    check::{check, test_edgecomet},
    failure::{Exit, Failure},
    restore::restore,
    serve::serve,
    verify::verify,
};
