//! What a transaction knows of one key, and what it may do with it.

use manifold_store::Row;

use crate::{
    Actor, Error, Key, Namespace, Result, Timestamp,
    feed::{ChangeOp, How},
    keys,
    kv::{
        Stored, Value, When,
        row::{Floor, Head, Tomb},
    },
    txn::{Deadline, Draft, Txn},
    types::{self, KeyType},
};

/// Who expires keys.
const SYSTEM: Actor = Actor::fixed("system:ttl");

/// What a value had where it was written, in another engine or an earlier life of this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Was {
    pub(crate) version: u64,
    pub(crate) updated_at: Timestamp,
}

/// One key as it stands in a transaction.
#[derive(Debug)]
pub(crate) struct Slot {
    namespace: Namespace,
    key: Key,
    stored: Stored,
    /// The entry it had before the transaction.
    row: Option<Row>,
    current: Current,
    /// The newest change of the key in this transaction.
    draft: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Current {
    /// The version counts on from here.
    Absent { version: u64 },
    /// Perhaps past its deadline: then it reads as absent, and has to expire before anything else happens to it.
    Present { version: u64, deadline: Deadline },
}

impl Slot {
    /// Reads the key; the caller holds its lock. A key that holds a collection is refused; one whose deadline has
    /// passed is removed and counts as absent.
    pub(crate) fn load(txn: &mut Txn<'_>, namespace: Namespace, key: Key) -> Result<Slot> {
        let name = keys::kv(&namespace, &key);
        let Some(row) = txn.get(keys::KV, &name) else {
            // A collection leaves no tombstone that would say since when it is gone.
            if txn.live().collections.were_used() {
                txn.saw_none(keys::KV, &name)?;
            }
            return Slot::without_value(txn, namespace, key);
        };
        let Some(head) = Head::read(&row)? else {
            return match types::remove_if_due(txn, &name, &row)? {
                None => Slot::without_value(txn, namespace, key),
                Some(actual) => Err(types::wrong_type(&key, actual, KeyType::String)),
            };
        };
        let deadline = head.expires_at.map_or(Deadline::Never, Deadline::At);
        let stored = Stored::Entry { seq: head.seq, expires_at: head.expires_at };
        let current = Current::Present { version: head.version, deadline };
        Ok(Slot { namespace, key, stored, row: Some(row), current, draft: None })
    }

    /// The same for a key that is known to hold no value.
    pub(crate) fn without_value(txn: &mut Txn<'_>, namespace: Namespace, key: Key) -> Result<Slot> {
        let row = keys::kv(&namespace, &key);
        let (stored, current) = if let Some(row) = txn.get(keys::TOMB, &row) {
            let Tomb { version, seq } = Tomb::read(&row)?;
            (Stored::Tomb { seq }, Current::Absent { version })
        } else {
            let floor = txn.get(keys::FLOOR, namespace.as_bytes()).map(|row| Floor::read(&row)).transpose()?;
            (Stored::Nothing, Current::Absent { version: floor.map_or(0, |Floor(version)| version) })
        };
        Ok(Slot { namespace, key, stored, row: None, current, draft: None })
    }

    /// The version of the live value; none when there is none.
    pub(crate) fn version(&self, txn: &Txn<'_>) -> Option<u64> {
        match self.current {
            Current::Present { version, deadline } if !deadline.is_due(txn.now()) => Some(version),
            _ => None,
        }
    }

    /// The row of the live value as it was before the transaction; none when there was none.
    pub(crate) fn live_row(&self, txn: &Txn<'_>) -> Option<&Row> {
        self.version(txn)?;
        self.row.as_ref().filter(|_| self.draft.is_none())
    }

    /// The live value's deadline; never when there is none.
    pub(crate) fn deadline(&self) -> Deadline {
        match self.current {
            Current::Present { deadline, .. } => deadline,
            Current::Absent { .. } => Deadline::Never,
        }
    }

    /// Refuses a condition that does not hold.
    pub(crate) fn check(&self, txn: &Txn<'_>, when: When) -> Result<()> {
        let live = self.version(txn);
        let holds = match when {
            When::Always => true,
            When::Absent => live.is_none(),
            When::Present => live.is_some(),
            When::Version(wanted) => live == Some(wanted),
        };
        if holds {
            return Ok(());
        }
        let message = match live {
            Some(version) => format!("key {} is at version {version}", self.key),
            None => format!("key {} is absent", self.key),
        };
        Err(Error::conflict(live.unwrap_or(0), message))
    }

    /// Records the expiry of a value whose deadline has passed, so that what follows happens to an absent key.
    pub(crate) fn expire_if_due(&mut self, txn: &mut Txn<'_>) {
        if let Current::Present { version, deadline } = self.current
            && deadline.is_due(txn.now())
        {
            self.remove(txn, ChangeOp::Expire, version + 1, SYSTEM);
        }
    }

    /// Gives the key a value; the index of the change.
    pub(crate) fn set(&mut self, txn: &mut Txn<'_>, how: How, value: Value, deadline: Deadline, actor: Actor) -> usize {
        let (Current::Absent { version } | Current::Present { version, .. }) = self.current;
        let version = version + 1;
        self.current = Current::Present { version, deadline };
        txn.enter(&self.namespace);
        self.change(txn, ChangeOp::Set(how), Some(value), version, actor, deadline)
    }

    /// Gives the key a value that was written elsewhere, with the version it had there; versions never go back, so it
    /// is one more than that of here where here is further.
    pub(crate) fn restore(&mut self, txn: &mut Txn<'_>, was: Was, value: Value, deadline: Deadline, actor: Actor) {
        self.expire_if_due(txn);
        let (Current::Absent { version } | Current::Present { version, .. }) = self.current;
        let version = was.version.max(version + 1);
        self.current = Current::Present { version, deadline };
        txn.enter(&self.namespace);
        let change = self.change(txn, ChangeOp::Set(How::Put), Some(value), version, actor, deadline);
        txn.written_at(change, was.updated_at);
    }

    /// Says that a removal elsewhere brought the key to this version; false when versions here go on behind it anyway.
    pub(crate) fn restore_tombstone(&mut self, txn: &mut Txn<'_>, version: u64, actor: Actor) -> bool {
        let behind = matches!(self.current, Current::Absent { version: known } if known < version);
        if behind {
            txn.enter(&self.namespace);
            self.remove(txn, ChangeOp::Delete, version, actor);
        }
        behind
    }

    /// Removes the live value, if there is one; the index of the change.
    pub(crate) fn delete(&mut self, txn: &mut Txn<'_>, actor: Actor) -> Option<usize> {
        let version = self.version(txn)? + 1;
        Some(self.remove(txn, ChangeOp::Delete, version, actor))
    }

    fn remove(&mut self, txn: &mut Txn<'_>, op: ChangeOp, version: u64, actor: Actor) -> usize {
        self.current = Current::Absent { version };
        self.change(txn, op, None, version, actor, Deadline::Never)
    }

    fn change(
        &mut self,
        txn: &mut Txn<'_>,
        op: ChangeOp,
        value: Option<Value>,
        version: u64,
        actor: Actor,
        deadline: Deadline,
    ) -> usize {
        if let Some(earlier) = self.draft {
            txn.supersede(earlier);
        }
        let draft = txn.change(Draft {
            op,
            namespace: self.namespace.clone(),
            key: self.key.clone(),
            value,
            version,
            actor,
            deadline,
            written_at: None,
            stored: self.stored,
            earlier: self.draft,
            superseded: false,
        });
        self.draft = Some(draft);
        draft
    }
}
