//! Unison beyond single exchanges: crashes under load, races, streams that live longer than a process.

mod crash;
mod following;
mod metrics;
mod openapi;
mod paging;
mod races;
mod slow_readers;
mod sockets;
