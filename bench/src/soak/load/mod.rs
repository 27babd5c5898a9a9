//! What is done to the server all the time, one file for each kind of thing. A worker owns what it writes, so it knows what
//! must be there; after a kill took an answer it takes what it finds, if that is one of the two things that can be.

mod cache;
mod churn;
mod collections;
mod feed;
mod keys;
mod pages;
mod points;
mod queue;
mod rooms;
pub mod site;
mod stream;

use std::rc::Rc;

use tokio::task::{JoinHandle, spawn_local};

use super::world::World;

/// Starts all workers. They end when enough is enough, those that take after those that give.
pub fn spawn(world: &Rc<World>) -> Vec<(&'static str, JoinHandle<()>)> {
    let mut workers = vec![
        ("feed", spawn_local(feed::follow(world.clone()))),
        ("collections", spawn_local(collections::work(world.clone()))),
        ("points", spawn_local(points::write(world.clone()))),
        ("questions", spawn_local(points::ask(world.clone()))),
        ("cache", spawn_local(cache::work(world.clone()))),
        ("documents", spawn_local(cache::documents(world.clone()))),
        ("results", spawn_local(cache::results(world.clone()))),
        ("locks", spawn_local(cache::locks(world.clone()))),
        ("pages", spawn_local(pages::work(world.clone()))),
        ("vanishing connections", spawn_local(churn::work(world.clone()))),
        ("room", spawn_local(rooms::publish(world.clone()))),
        ("listener of a room", spawn_local(rooms::listen(world.clone()))),
    ];
    workers.extend((0..4).map(|n| ("keys", spawn_local(keys::work(world.clone(), n)))));
    workers.push(("queue", spawn_local(queue::work(world.clone()))));
    workers.push(("stream", spawn_local(stream::work(world.clone()))));
    workers
}
