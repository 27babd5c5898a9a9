//! Free ports for the processes under test.

use std::{
    net::{Ipv4Addr, TcpListener},
    sync::atomic::{AtomicU16, Ordering},
};

/// Ports are taken from below the range that the kernel uses for outgoing connections: a port that the kernel picks
/// itself may be the source of some other test's connection by the time a server is restarted on it.
const FIRST: u16 = 15_000;
const LAST: u16 = 32_000;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A port on the loopback address that nobody listens on now and that no other test of this process was given.
pub fn free_port() -> u16 {
    // Test runners that use a process per test start each of them somewhere else in the range.
    let start = (std::process::id().wrapping_mul(97) % u32::from(LAST - FIRST)) as u16;
    for _ in FIRST..LAST {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + (start + step % (LAST - FIRST)) % (LAST - FIRST);
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
    panic!("no free port between {FIRST} and {LAST}");
}
