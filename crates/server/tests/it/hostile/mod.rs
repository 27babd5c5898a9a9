//! Clients that mean harm or know no better. After each of them the server still answers and its memory is flat.

mod idle;
mod malformed;
mod oversized;
mod slow;

use crate::harness::Server;

/// Growth that one kind of abuse may leave behind: allocator and thread-local buffers, not a leak per request.
const FLAT: u64 = 48 << 20;

/// Does something hostile again and again; the process must not grow with it.
fn repeat_and_stay_flat(server: &mut Server, times: usize, mut abuse: impl FnMut(&Server)) {
    abuse(server);
    let before = server.resident_bytes();
    for _ in 0..times {
        abuse(server);
    }
    server.assert_alive();
    let grown = server.resident_bytes().saturating_sub(before);
    assert!(grown < FLAT, "{} MiB more after {times} times", grown >> 20);
}
