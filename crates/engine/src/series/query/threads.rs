//! Work spread over threads.

use std::{
    num::NonZero,
    panic::resume_unwind,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
};

use crate::Result;

/// Most threads of one query.
const THREADS: usize = 4;
/// For less work than this another thread does not pay.
const FEW: usize = 16;

/// Does pieces of work by their numbers, on more than one thread when there are many; gives what each thread made of
/// those it did. The first error ends all of them.
pub(super) fn spread<W: Send>(
    pieces: usize,
    worker: impl Fn() -> W + Sync,
    work: impl Fn(&mut W, usize) -> Result<()> + Sync,
) -> Result<Vec<W>> {
    let threads = if pieces < FEW { 1 } else { thread::available_parallelism().map_or(1, NonZero::get).min(THREADS) };
    // Small enough that no thread is left with much to do at the end.
    let share = (pieces / (threads * 16)).clamp(1, 64);
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let run = || {
        let mut mine = worker();
        loop {
            let from = next.fetch_add(share, Ordering::Relaxed);
            if from >= pieces || failed.load(Ordering::Relaxed) {
                return Ok(mine);
            }
            for piece in from..pieces.min(from + share) {
                work(&mut mine, piece).inspect_err(|_| failed.store(true, Ordering::Relaxed))?;
            }
        }
    };
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(run)).collect();
        let mut done = vec![run()];
        done.extend(others.into_iter().map(|other| other.join().unwrap_or_else(|panic| resume_unwind(panic))));
        done.into_iter().collect()
    })
}
