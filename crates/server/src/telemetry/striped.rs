//! One of a thing for (mostly) each thread, so that threads do not take a cache line from each other. Whoever reads
//! puts them together.

use std::{
    cell::Cell,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

/// A power of two: more threads than this share stripes, which costs time but loses nothing.
const STRIPES: usize = 8;

/// All stripes of something.
#[derive(Debug, Default)]
pub struct Striped<T> {
    stripes: [Line<T>; STRIPES],
}

/// Two lines, because processors fetch them in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Line<T>(T);

impl<T> Striped<T> {
    /// The one that this thread uses.
    pub fn mine(&self) -> &T {
        &self.stripes[stripe()].0
    }

    /// All of them.
    pub fn each(&self) -> impl Iterator<Item = &T> {
        self.stripes.iter().map(|line| &line.0)
    }
}

fn stripe() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static MINE: Cell<usize> = const { Cell::new(usize::MAX) };
    }
    MINE.with(|mine| {
        if mine.get() == usize::MAX {
            mine.set(NEXT.fetch_add(1, Relaxed) % STRIPES);
        }
        mine.get()
    })
}
