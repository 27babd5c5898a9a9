//! The store from outside: what survives which accident.

mod basics;
mod clean;
mod crash;
mod cut;
mod damage;
mod faults;
mod model;
mod support;
