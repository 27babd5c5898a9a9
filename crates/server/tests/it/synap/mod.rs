//! What a scenario file cannot say about Synap.

mod crash;
mod feed;
mod process;
mod queue;
mod rest;
mod restart;
mod rooms;
mod sdk;
mod soak;
mod sockets;
