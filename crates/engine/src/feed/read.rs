//! Reading the feed from a position onwards, in bounded pieces; and the page that is made of them.

use std::sync::Arc;

use manifold_store::{Store, View};

use crate::{
    Error, Result,
    feed::{Change, Changes, Feed, FeedPage, Filter, record},
    keys,
    live::Live,
};

/// Most changes looked at in one piece while the ring is locked.
const FROM_RING: u64 = 1024;
/// Most records read from the store in one piece.
const FROM_STORE: u64 = 128;

/// What a reader still takes. The first change is given however large it is: else a reader would never get past it.
#[derive(Debug)]
pub(crate) struct Room {
    changes: usize,
    bytes: usize,
    untouched: bool,
}

impl Room {
    /// So many changes (one at least), and so many bytes of them.
    pub(crate) fn new(changes: usize, bytes: usize) -> Self {
        Room { changes: changes.max(1), bytes, untouched: true }
    }

    fn take(&mut self, size: usize) -> bool {
        if self.changes == 0 || (size > self.bytes && !self.untouched) {
            return false;
        }
        self.changes -= 1;
        self.bytes = self.bytes.saturating_sub(size);
        self.untouched = false;
        true
    }
}

/// What a piece of the feed gave.
#[derive(Debug)]
pub(crate) struct Piece {
    /// The changes that match.
    pub(crate) changes: Vec<Arc<Change>>,
    /// Every matching change up to here was given.
    pub(crate) position: u64,
    /// There was no room for more.
    pub(crate) full: bool,
}

/// What a position is worth to the reader that stands on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Standing {
    /// It belongs to another history: beyond the head, or on a number that a recovery skipped.
    pub(crate) reset: bool,
    /// Changes right after it are gone.
    pub(crate) truncated: bool,
    /// Where to read on instead; the position itself when it is sound.
    pub(crate) position: u64,
}

impl Feed {
    /// Judges a reader's `position`.
    pub(crate) fn standing(&self, position: u64, head: u64) -> Standing {
        if position > head {
            return Standing { reset: true, truncated: false, position: head };
        }
        let floor = self.floor();
        let skipped = self.gaps().around(position);
        Standing {
            reset: skipped.is_some(),
            truncated: self.gaps().next_used(position + 1) < floor,
            position: skipped.map_or(position, |gap| gap.from - 1).max(floor - 1),
        }
    }

    /// The matching changes after `position`, at most to `head`: as many as there is room for and one piece holds.
    /// None when what follows has been trimmed.
    pub(crate) fn piece(
        &self,
        store: &Store,
        position: u64,
        head: u64,
        filter: &Filter,
        room: &mut Room,
    ) -> Result<Option<Piece>> {
        let next = self.gaps().next_used(position + 1);
        if next > head {
            return Ok(Some(Piece { changes: Vec::new(), position: head, full: false }));
        }
        if next < self.floor() {
            return Ok(None);
        }
        let mut collect = Collect { filter, room, changes: Vec::new(), position };
        let ring = self.ring().read();
        if let Some(newest) = ring.between(next, head.min(next + FROM_RING - 1)) {
            let full = newest.into_iter().any(|change| !collect.offer(change));
            return Ok(Some(collect.done(full)));
        }
        let until = ring.oldest().map_or(head, |oldest| head.min(oldest - 1)).min(next + FROM_STORE - 1);
        drop(ring);
        self.stored(store, next, until, collect)
    }

    fn stored(&self, store: &Store, from: u64, until: u64, mut collect: Collect<'_>) -> Result<Option<Piece>> {
        for seq in from..=until {
            if self.gaps().around(seq).is_some() {
                break;
            }
            let Some(change) = self.recorded(store, seq)? else {
                // Trimmed while we read: what we have is whole, what follows is gone.
                return Ok((seq > from).then(|| collect.done(false)));
            };
            if !collect.offer(&Arc::new(change)) {
                return Ok(Some(collect.done(true)));
            }
        }
        Ok(Some(collect.done(false)))
    }

    /// The change `seq` as it was recorded; none when it has been trimmed.
    pub(crate) fn recorded(&self, store: &Store, seq: u64) -> Result<Option<Change>> {
        match store.get(View::Durable, keys::FEED, &keys::number(seq)) {
            Some(row) => record::read(seq, &row).map(Some),
            None if seq < self.floor() => Ok(None),
            None => Err(Error::unreadable(&format!("record {seq} of the feed"))),
        }
    }
}

/// Gathers what matches, as long as there is room.
struct Collect<'a> {
    filter: &'a Filter,
    room: &'a mut Room,
    changes: Vec<Arc<Change>>,
    position: u64,
}

impl Collect<'_> {
    /// Takes the change if it matches; false when it matches and there is no room for it.
    fn offer(&mut self, change: &Arc<Change>) -> bool {
        if self.filter.matches(change) {
            if !self.room.take(change.size_bytes()) {
                return false;
            }
            self.changes.push(change.clone());
        }
        self.position = change.seq;
        true
    }

    fn done(self, refused: bool) -> Piece {
        Piece { full: refused || self.room.changes == 0, changes: self.changes, position: self.position }
    }
}

/// Reads the page that `changes` asks for.
pub(crate) async fn page(live: &Live, changes: &Changes) -> Result<FeedPage> {
    let mut head_moved = live.feed.subscribe();
    let page = first_page(live, changes).await?;
    let Some(wait) = changes.wait else { return Ok(page) };
    if !page.changes.is_empty() || page.reset || page.truncated {
        return Ok(page);
    }
    let mut waited = page.clone();
    let matching = async {
        while waited.changes.is_empty() {
            if live.unless_stopped(head_moved.changed()).await.is_none() {
                return Ok(());
            }
            let after = waited.last_seq;
            read_on(live, changes, after, &mut waited).await?;
        }
        Ok(())
    };
    match live.clock.timeout(wait, matching).await {
        Some(done) => done.map(|()| waited),
        // Time may pass in the middle of a look at the feed; what was found then is found again from `last_seq` on.
        None => {
            let last_seq = page.last_seq.max(waited.last_seq);
            Ok(FeedPage { changes: Vec::new(), last_seq, head: last_seq, ..page })
        }
    }
}

async fn first_page(live: &Live, changes: &Changes) -> Result<FeedPage> {
    let head = live.feed.head(&live.store);
    let standing = live.feed.standing(changes.after, head);
    let mut page = FeedPage {
        changes: Vec::new(),
        last_seq: head,
        head,
        oldest_seq: live.feed.oldest(head),
        reset: standing.reset,
        truncated: standing.truncated && changes.after > 0,
    };
    read_on(live, changes, standing.position, &mut page).await?;
    Ok(page)
}

/// Fills the page with what follows `position`.
async fn read_on(live: &Live, changes: &Changes, mut position: u64, page: &mut FeedPage) -> Result<()> {
    let head = live.feed.head(&live.store);
    let mut room = Room::new(changes.limit, changes.max_bytes);
    let mut found = Vec::new();
    while position < head {
        let Some(piece) = live.feed.piece(&live.store, position, head, &changes.filter, &mut room)? else {
            if !found.is_empty() {
                // The page ends before the hole; the next one will be told of it.
                break;
            }
            page.truncated |= changes.after > 0;
            position = live.feed.floor() - 1;
            continue;
        };
        position = piece.position;
        found.extend(piece.changes);
        if piece.full {
            position = found.last().map_or(position, |last: &Arc<Change>| last.seq);
            break;
        }
        tokio::task::yield_now().await;
    }
    page.changes = found;
    page.last_seq = position;
    page.head = head;
    page.oldest_seq = live.feed.oldest(head);
    Ok(())
}
