//! One program for all targets: the environment says which one. libFuzzer brings the `main`, reads the arguments, and
//! calls what stands below for each input.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use manifold_engine::fuzzing as engine;
use manifold_server::fuzzing as server;
use manifold_store::fuzzing as store;

/// Names the target.
const NAME: &str = "FUZZ_TARGET";

static TARGET: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let targets = || [store::TARGETS, engine::TARGETS, server::TARGETS].concat();
    let name = std::env::var(NAME).unwrap_or_default();
    let found = targets().into_iter().find(|(target, _)| *target == name);
    let (_, run) = found.unwrap_or_else(|| {
        let names: Vec<&str> = targets().iter().map(|(target, _)| *target).collect();
        panic!("{NAME} has to be one of {}", names.join(", "))
    });
    run
});

fuzz_target!(|data: &[u8]| TARGET(data));
