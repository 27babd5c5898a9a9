//! One file for each thing the command line can be asked to do, and what they share.

mod check;
mod failure;
mod ports;
mod serve;
mod settings;
mod verify;

pub use self::{
    check::{check, test_edgecomet},
    failure::{Exit, Failure},
    serve::serve,
    verify::verify,
};
