//! How many jobs may begin: what is free, without the share that is kept for visitors, divided among all who recache.

#[cfg(test)]
mod tests;

/// What capacity there is, and what of it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Load {
    /// What services report as free.
    pub(super) free: u64,
    /// Own jobs that their reports already include.
    pub(super) reported: u64,
    /// Own jobs in flight.
    pub(super) own: u64,
    /// Processes that share the services, this one included.
    pub(super) daemons: u64,
}

/// The part of `total` that is kept for visitors.
pub(in super::super) fn reserved(total: u64, share: f64) -> u64 {
    // Rounded as the original does, so that both leave the same number.
    ((total as f64 * share) as u64).min(total)
}

/// Jobs that may begin, with this share reserved.
pub(super) fn may_begin(load: Load, share: f64) -> u64 {
    let total = load.free.saturating_add(load.reported);
    let available = total - reserved(total, share);
    let mine = match available / load.daemons.max(1) {
        // Many who share little still get on, each with one.
        0 => available.min(1),
        part => part,
    };
    mine.saturating_sub(load.own)
}
