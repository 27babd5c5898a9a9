//! The windows of an aggregate: which one an instant falls into.

/// The windows of an aggregate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Windows {
    /// One over everything.
    Whole,
    /// So many nanoseconds each, at least one; the one of number 0 begins in 1970.
    Every(i64),
}

/// A window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) number: i64,
    /// Its last instant.
    pub(super) last: i64,
}

impl Windows {
    /// Whether there is but one.
    pub(super) fn is_whole(self) -> bool {
        self == Windows::Whole
    }
    /// The window of an instant.
    pub(super) fn at(self, time: i64) -> Window {
        match self {
            Windows::Whole => Window { number: 0, last: i64::MAX },
            Windows::Every(width) => {
                let number = time.div_euclid(width);
                // `time` less how far it is into its window, plus a window less one instant.
                let last = time.saturating_add(width - 1 - time.rem_euclid(width));
                Window { number, last }
            }
        }
    }
    /// The window of an instant that is not before another window; quick when it is in that one or the next.
    #[inline]
    pub(super) fn from(self, window: Window, time: i64) -> Window {
        match self {
            _ if time <= window.last => window,
            // A window that ends beyond the end of time ends with it.
            Windows::Every(width) if time <= window.last.saturating_add(width) => {
                Window { number: window.number + 1, last: window.last.saturating_add(width) }
            }
            _ => self.at(time),
        }
    }
    /// The first instant of a window; of one that begins before time does, the beginning of time.
    pub(super) fn start(self, number: i64) -> i64 {
        match self {
            Windows::Whole => i64::MIN,
            Windows::Every(width) => number.saturating_mul(width),
        }
    }
    /// The first and last time of what windows over a range give.
    pub(super) fn reach(self, (from, to): (i64, i64)) -> (i64, i64) {
        match self {
            Windows::Whole => (from, to),
            Windows::Every(_) => (self.start(self.at(from).number), to),
        }
    }
    /// How many windows the instants of a range fall into.
    pub(super) fn count(self, (from, to): (i64, i64)) -> u64 {
        if from > to {
            return 0;
        }
        self.at(to).number.abs_diff(self.at(from).number).saturating_add(1)
    }
}
