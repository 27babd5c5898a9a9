//! What a scenario file cannot say about Synap.

mod process;
mod queue;
mod rooms;
mod sdk;
mod soak;
mod sockets;
