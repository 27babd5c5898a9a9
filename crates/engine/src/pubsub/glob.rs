//! Segments with stars inside, found by their ends: of the globs beside each other only those are looked at that begin
//! and end as the segment does, however many there are.

use std::collections::{BTreeMap, HashMap};

use foldhash::quality::RandomState;
use memchr::memmem;
use smallvec::SmallVec;

/// What stands before the first star and behind the last one.
#[derive(Debug, Clone, Copy)]
struct Ends<'a> {
    before: &'a [u8],
    behind: &'a [u8],
}

/// Values by globs.
#[derive(Debug)]
pub(crate) struct Globs<T> {
    /// How many globs have ends of these lengths.
    shapes: BTreeMap<(usize, usize), usize>,
    /// By the ends with a star between them.
    by_ends: HashMap<SmallVec<[u8; 32]>, Vec<Glob<T>>, RandomState>,
}

#[derive(Debug)]
struct Glob<T> {
    text: Box<[u8]>,
    value: T,
}

impl<T> Default for Globs<T> {
    fn default() -> Self {
        Globs { shapes: BTreeMap::new(), by_ends: HashMap::default() }
    }
}

impl<T: Default> Globs<T> {
    pub(crate) fn is_empty(&self) -> bool {
        self.by_ends.is_empty()
    }

    /// The value of `glob`, made when there is none.
    pub(crate) fn entry(&mut self, glob: &[u8]) -> &mut T {
        let ends = Ends::of(glob);
        let shape = ends.shape();
        let same_ends = self.by_ends.entry(ends.key()).or_default();
        let at = same_ends.iter().position(|known| *known.text == *glob).unwrap_or_else(|| {
            *self.shapes.entry(shape).or_default() += 1;
            same_ends.push(Glob { text: glob.into(), value: T::default() });
            same_ends.len() - 1
        });
        &mut same_ends[at].value
    }

    /// Changes the value of `glob`, if there is one; it goes when `change` says so.
    pub(crate) fn change(&mut self, glob: &[u8], change: impl FnOnce(&mut T) -> bool) {
        let ends = Ends::of(glob);
        let Some(same_ends) = self.by_ends.get_mut(&ends.key()) else { return };
        let Some(at) = same_ends.iter().position(|known| *known.text == *glob) else { return };
        if !change(&mut same_ends[at].value) {
            return;
        }
        same_ends.swap_remove(at);
        if same_ends.is_empty() {
            self.by_ends.remove(&ends.key());
        }
        let count = self.shapes.get_mut(&ends.shape()).expect("every glob was counted when it came");
        *count -= 1;
        if *count == 0 {
            self.shapes.remove(&ends.shape());
        }
    }

    /// Calls `found` with the values of all globs that match `segment`.
    pub(crate) fn matching<'a>(&'a self, segment: &[u8], mut found: impl FnMut(&'a T)) {
        for (before, behind) in self.shapes.keys().copied() {
            if before + behind > segment.len() {
                continue;
            }
            let (start, rest) = segment.split_at(before);
            let (middle, end) = rest.split_at(rest.len() - behind);
            // A segment may have stars of its own: then its key has more than one, and no glob has that key.
            let Some(same_ends) = self.by_ends.get(&Ends { before: start, behind: end }.key()) else { continue };
            for Glob { text, value } in same_ends {
                if holds(middle, &text[before..text.len() - behind]) {
                    found(value);
                }
            }
        }
    }
}

/// Whether `glob`, in which `*` stands for any text, matches all of `text`.
pub(crate) fn matches(glob: &[u8], text: &[u8]) -> bool {
    let Ends { before, behind } = Ends::of(glob);
    let middle = text.strip_prefix(before).and_then(|rest| rest.strip_suffix(behind));
    middle.is_some_and(|middle| holds(middle, &glob[before.len()..glob.len() - behind.len()]))
}

impl<'a> Ends<'a> {
    /// Of a glob, which has a star.
    fn of(glob: &'a [u8]) -> Self {
        let star = |byte: &u8| *byte == b'*';
        let before = glob.iter().position(star).unwrap_or(glob.len());
        let behind = glob.iter().rev().position(star).unwrap_or(0);
        Ends { before: &glob[..before], behind: &glob[glob.len() - behind..] }
    }

    fn shape(self) -> (usize, usize) {
        (self.before.len(), self.behind.len())
    }

    fn key(self) -> SmallVec<[u8; 32]> {
        let mut key = SmallVec::with_capacity(self.before.len() + 1 + self.behind.len());
        key.extend_from_slice(self.before);
        key.push(b'*');
        key.extend_from_slice(self.behind);
        key
    }
}

/// Whether the texts between the stars of `inner`, which begins and ends with one, come in `text` in this order. Taking
/// each at its first place leaves the most room for those behind it.
fn holds(mut text: &[u8], inner: &[u8]) -> bool {
    for part in inner.split(|byte| *byte == b'*').filter(|part| !part.is_empty()) {
        let Some(at) = memmem::find(text, part) else { return false };
        text = &text[at + part.len()..];
    }
    true
}
