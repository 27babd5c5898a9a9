//! Patterns as a tree of their segments. A topic is followed down only those branches that its own segments match, so
//! patterns that have nothing to do with it cost nothing.

use std::collections::{HashMap, HashSet};

use foldhash::{fast, quality};

use crate::pubsub::{
    glob::Globs,
    pattern::{Pattern, Segment, Topic},
};

/// Who is subscribed; never given out twice.
pub(crate) type Id = u64;

/// All patterns of all subscribers.
#[derive(Debug, Default)]
pub(crate) struct Tree(Node);

/// The place where patterns that begin alike have come to. It is there as long as a pattern ends at it or below it.
#[derive(Debug, Default)]
struct Node {
    /// Whose pattern ends here.
    here: Ids,
    /// Whose pattern ends here with a `#`.
    rest: Ids,
    /// Clients choose the segments, so the hash is seeded.
    exact: HashMap<Box<[u8]>, Node, quality::RandomState>,
    any: Option<Box<Node>>,
    /// Boxed because few nodes have any.
    globs: Option<Box<Globs<Node>>>,
}

type Ids = HashSet<Id, fast::RandomState>;

impl Tree {
    /// Adds a pattern of a subscriber.
    pub(crate) fn insert(&mut self, pattern: &Pattern, id: Id) {
        let mut node = &mut self.0;
        for segment in pattern.segments() {
            node = match segment {
                Segment::Rest => {
                    node.rest.insert(id);
                    return;
                }
                Segment::Exact(text) => node.exact.entry(text.into()).or_default(),
                Segment::Any => node.any.get_or_insert_default(),
                Segment::Glob(text) => node.globs.get_or_insert_default().entry(text),
            };
        }
        node.here.insert(id);
    }

    /// Takes a pattern of a subscriber away.
    pub(crate) fn remove(&mut self, pattern: &Pattern, id: Id) {
        self.0.remove(&mut pattern.segments(), id);
    }

    /// Appends who is subscribed to a topic, those with several patterns several times; how many nodes were looked at.
    pub(crate) fn matching(&self, topic: &Topic, found: &mut Vec<Id>) -> usize {
        let segments: Vec<&[u8]> = topic.segments().collect();
        let mut looked_at = 0;
        // No recursion: a topic may have as many segments as bytes.
        let mut open = vec![(&self.0, 0)];
        while let Some((node, depth)) = open.pop() {
            looked_at += 1;
            found.extend(&node.rest);
            let Some(segment) = segments.get(depth) else {
                found.extend(&node.here);
                continue;
            };
            open.extend(node.exact.get(*segment).map(|next| (next, depth + 1)));
            open.extend(node.any.as_deref().map(|next| (next, depth + 1)));
            if let Some(globs) = &node.globs {
                globs.matching(segment, |next| open.push((next, depth + 1)));
            }
        }
        looked_at
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Node {
    fn is_empty(&self) -> bool {
        self.here.is_empty()
            && self.rest.is_empty()
            && self.exact.is_empty()
            && self.any.is_none()
            && self.globs.is_none()
    }

    /// Takes away what ends at the last of `segments`; whether nothing is left here. A pattern has at most 1,024
    /// segments, and so has the recursion.
    fn remove<'a>(&mut self, segments: &mut dyn Iterator<Item = Segment<'a>>, id: Id) -> bool {
        match segments.next() {
            None => drop(self.here.remove(&id)),
            Some(Segment::Rest) => drop(self.rest.remove(&id)),
            Some(Segment::Exact(text)) => {
                if self.exact.get_mut(text).is_some_and(|next| next.remove(segments, id)) {
                    self.exact.remove(text);
                }
            }
            Some(Segment::Any) => {
                if self.any.as_mut().is_some_and(|next| next.remove(segments, id)) {
                    self.any = None;
                }
            }
            Some(Segment::Glob(text)) => {
                if let Some(globs) = &mut self.globs {
                    globs.change(text, |next| next.remove(segments, id));
                    if globs.is_empty() {
                        self.globs = None;
                    }
                }
            }
        }
        self.is_empty()
    }
}
