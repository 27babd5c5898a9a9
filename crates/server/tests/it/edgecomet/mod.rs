//! EdgeComet beyond what a scenario file can say.

mod config;
mod content;
mod crash;
pub mod daemon;
mod gateway;
mod gateways;
mod listener;
mod metrics;
pub mod origin;
mod records;
mod redis;
mod redis_server;
mod rendering;
mod scheduling;
mod site;
mod urls;
mod worker;
