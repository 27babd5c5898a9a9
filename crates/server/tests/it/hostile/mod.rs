//! Clients that mean harm or know no better. After each of them the server still answers and its memory is flat.

mod idle;
mod malformed;
mod oversized;
mod slow;

use crate::harness::Server;

/// Growth that one kind of abuse may leave behind: allocator and thread-local buffers, not a leak per request.
const FLAT_MIB: u64 = 48;

/// Rounds within which memory stops to grow: each thread of the server keeps what the largest request took once.
const ROUNDS: usize = 4;

/// Does something hostile again and again; the process must not grow with it.
fn repeat_and_stay_flat(server: &mut Server, times: usize, mut abuse: impl FnMut(&Server)) {
    abuse(server);
    let mut grown = Vec::new();
    for _ in 0..ROUNDS {
        let before = server.resident_bytes();
        (0..times).for_each(|_| abuse(server));
        server.assert_alive();
        grown.push(server.resident_bytes().saturating_sub(before) >> 20);
        if grown.last().is_some_and(|more| *more < FLAT_MIB) {
            return;
        }
    }
    panic!("{grown:?} MiB more after {times} times each");
}
