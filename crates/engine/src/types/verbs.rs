//! The verbs of collections on the engine's handle.

use bytes::Bytes;

use crate::{
    Actor, Engine, Glob, Key, Namespace, Result, keys,
    kv::Expires,
    types::{
        algebra::{self, Combine, ScoreCombine},
        hash::{self, Added, Field, FieldPage, FieldWhen},
        list::{self, Equal, Insert, Inserted, PushTo, Side, Sought},
        set,
        whole::{self, KeyCounts, KeyInfo, KeyPage, Moved, Replace},
        zset::{self, Direction, Part, ScoreAdd, ScoreRange, Scored, ScoresAdded},
    },
};

/// Hashes. An absent one reads as one without fields; a key that holds something else answers `WrongType`.
impl Engine {
    /// Sets fields in one change; how many are new. Of a field named twice the last value stays (with
    /// [`FieldWhen::Absent`] the first).
    pub async fn hash_set(&self, namespace: &Namespace, key: &Key, fields: Vec<Field>, when: FieldWhen) -> Result<u64> {
        hash::set(self.live()?, namespace, key, fields, when).await
    }
    /// The values of fields in one cut, in the order asked.
    pub fn hash_get(&self, namespace: &Namespace, key: &Key, fields: &[Bytes]) -> Result<Vec<Option<Bytes>>> {
        hash::get(self.live()?, namespace, key, fields)
    }
    /// Whether a field is there.
    pub fn hash_has(&self, namespace: &Namespace, key: &Key, field: &Bytes) -> Result<bool> {
        hash::has(self.live()?, namespace, key, field)
    }
    /// How many fields there are.
    pub fn hash_len(&self, namespace: &Namespace, key: &Key) -> Result<u64> {
        hash::len(self.live()?, namespace, key)
    }
    /// All fields with their values, in byte order.
    pub async fn hash_all(&self, namespace: &Namespace, key: &Key) -> Result<Vec<Field>> {
        hash::all(self.live()?, namespace, key, hash::field_and_value).await
    }
    /// All fields, in byte order.
    pub async fn hash_fields(&self, namespace: &Namespace, key: &Key) -> Result<Vec<Bytes>> {
        hash::all(self.live()?, namespace, key, hash::only_field).await
    }
    /// All values, in byte order of their fields.
    pub async fn hash_values(&self, namespace: &Namespace, key: &Key) -> Result<Vec<Bytes>> {
        hash::all(self.live()?, namespace, key, hash::only_value).await
    }
    /// A page of fields with their values, and whether more follow.
    pub fn hash_page(&self, namespace: &Namespace, key: &Key, page: FieldPage) -> Result<(Vec<Field>, bool)> {
        hash::page(self.live()?, namespace, key, page)
    }
    /// Removes fields; how many were there.
    pub async fn hash_delete(&self, namespace: &Namespace, key: &Key, fields: &[Bytes]) -> Result<u64> {
        hash::delete(self.live()?, namespace, key, fields).await
    }
    /// Adds to a field that is an integer (decimal digits, perhaps between quotation marks) or absent, which counts as 0.
    pub async fn hash_add(&self, namespace: &Namespace, key: &Key, field: Bytes, by: i64) -> Result<Added<i64>> {
        hash::add(self.live()?, namespace, key, field, by).await
    }
    /// The same for a number with a fraction.
    pub async fn hash_add_float(&self, namespace: &Namespace, key: &Key, field: Bytes, by: f64) -> Result<Added<f64>> {
        hash::add_float(self.live()?, namespace, key, field, by).await
    }
}

/// Lists. Ranks count from 0, negative ones from the end. A key that holds something else answers `WrongType`.
impl Engine {
    /// Puts values in at one end, one after the other; how many elements there are then, 0 when there is no list.
    pub async fn list_push(
        &self,
        namespace: &Namespace,
        key: &Key,
        side: Side,
        values: &[Bytes],
        to: PushTo,
    ) -> Result<u64> {
        list::push(self.live()?, namespace, key, side, values, to).await
    }
    /// Takes out elements at one end, at most `count`, in the order they come; none when there is no list.
    pub async fn list_pop(
        &self,
        namespace: &Namespace,
        key: &Key,
        side: Side,
        count: u64,
    ) -> Result<Option<Vec<Bytes>>> {
        list::pop(self.live()?, namespace, key, side, count).await
    }
    /// The elements from rank `start` to `stop`, both inclusive; none when there is no list.
    pub async fn list_range(
        &self,
        namespace: &Namespace,
        key: &Key,
        start: i64,
        stop: i64,
    ) -> Result<Option<Vec<Bytes>>> {
        list::range(self.live()?, namespace, key, start, stop).await
    }
    /// How many elements there are; 0 when there is no list.
    pub fn list_len(&self, namespace: &Namespace, key: &Key) -> Result<u64> {
        list::len(self.live()?, namespace, key)
    }
    /// The element of a rank; none when there is no such rank, `NotFound` when there is no list.
    pub async fn list_index(&self, namespace: &Namespace, key: &Key, rank: i64) -> Result<Option<Bytes>> {
        list::index(self.live()?, namespace, key, rank).await
    }
    /// Replaces the element of a rank; false when there is no such rank, `NotFound` when there is no list.
    pub async fn list_set(&self, namespace: &Namespace, key: &Key, rank: i64, value: Bytes) -> Result<bool> {
        list::set(self.live()?, namespace, key, rank, value).await
    }
    /// Keeps only the elements from rank `start` to `stop`, both inclusive.
    pub async fn list_trim(&self, namespace: &Namespace, key: &Key, start: i64, stop: i64) -> Result<()> {
        list::trim(self.live()?, namespace, key, start, stop).await
    }
    /// Removes elements equal to a value; how many there were.
    pub async fn list_remove(&self, namespace: &Namespace, key: &Key, value: &Sought, which: Equal) -> Result<u64> {
        list::remove(self.live()?, namespace, key, value, which).await
    }
    /// Puts an element next to another one.
    pub async fn list_insert(&self, namespace: &Namespace, key: &Key, insert: &Insert) -> Result<Inserted> {
        list::insert(self.live()?, namespace, key, insert).await
    }
    /// The rank of the `nth` element (from 1) equal to a value, counted from one end; none when there are not so many.
    pub async fn list_find(
        &self,
        namespace: &Namespace,
        key: &Key,
        value: &Sought,
        nth: u64,
        side: Side,
    ) -> Result<Option<u64>> {
        list::find(self.live()?, namespace, key, value, nth, side).await
    }
    /// Takes an element out at one end of a list and puts it in at an end of another, or of the same; none when there
    /// is no source. The error about the destination has index 1.
    pub async fn list_move(
        &self,
        namespace: &Namespace,
        source: (&Key, Side),
        destination: (&Key, Side),
    ) -> Result<Option<Bytes>> {
        list::transfer(self.live()?, namespace, source, destination).await
    }
}

/// Sets. A key that holds something else answers `WrongType`.
impl Engine {
    /// Adds members; how many are new.
    pub async fn set_add(&self, namespace: &Namespace, key: &Key, members: &[Bytes]) -> Result<u64> {
        set::add(self.live()?, namespace, key, members).await
    }
    /// Removes members; how many were there.
    pub async fn set_remove(&self, namespace: &Namespace, key: &Key, members: &[Bytes]) -> Result<u64> {
        set::remove(self.live()?, namespace, key, members).await
    }
    /// Which of some members are there, in one cut.
    pub fn set_has(&self, namespace: &Namespace, key: &Key, members: &[Bytes]) -> Result<Vec<bool>> {
        set::has(self.live()?, namespace, key, members)
    }
    /// All members, in no order; none when there is no set.
    pub async fn set_members(&self, namespace: &Namespace, key: &Key) -> Result<Option<Vec<Bytes>>> {
        set::members(self.live()?, namespace, key).await
    }
    /// How many members there are; none when there is no set.
    pub fn set_len(&self, namespace: &Namespace, key: &Key) -> Result<Option<u64>> {
        set::len(self.live()?, namespace, key)
    }
    /// Takes out members at random, at most `count`; none when there is no set.
    pub async fn set_pop(&self, namespace: &Namespace, key: &Key, count: u64) -> Result<Option<Vec<Bytes>>> {
        set::pop(self.live()?, namespace, key, count).await
    }
    /// Different members at random, at most `count`; none when there is no set.
    pub async fn set_draw(&self, namespace: &Namespace, key: &Key, count: u64) -> Result<Option<Vec<Bytes>>> {
        set::draw(self.live()?, namespace, key, count).await
    }
    /// Moves a member from one set to another; false when the first has it not. The error about the destination has
    /// index 1.
    pub async fn set_move(
        &self,
        namespace: &Namespace,
        source: &Key,
        destination: &Key,
        member: &Bytes,
    ) -> Result<bool> {
        set::transfer(self.live()?, namespace, source, destination, member).await
    }
    /// The members of a combination of sets, in no order; an absent set is empty. An error has the index of its key.
    pub async fn set_combine(&self, namespace: &Namespace, keys: &[Key], combine: Combine) -> Result<Vec<Bytes>> {
        algebra::combine(self.live()?, namespace, keys, combine).await
    }
    /// The same, put in the place of whatever `destination` holds; without members that is nothing. A value that was
    /// there is deleted in the feed, by `actor`.
    pub async fn set_combine_into(
        &self,
        namespace: &Namespace,
        destination: &Key,
        keys: Vec<Key>,
        combine: Combine,
        actor: Actor,
    ) -> Result<Vec<Bytes>> {
        algebra::combine_into(self.live()?, namespace, destination, keys, combine, actor).await
    }
}

/// Sorted sets. An absent one reads as one without members; a key that holds something else answers `WrongType`.
impl Engine {
    /// Gives members scores in one change. `Invalid` when one is not finite.
    pub async fn zset_add(&self, namespace: &Namespace, key: &Key, add: ScoreAdd) -> Result<ScoresAdded> {
        zset::add(self.live()?, namespace, key, add).await
    }
    /// Removes members; how many were there.
    pub async fn zset_remove(&self, namespace: &Namespace, key: &Key, members: &[Bytes]) -> Result<u64> {
        zset::remove(self.live()?, namespace, key, members).await
    }
    /// The scores of members in one cut, in the order asked.
    pub fn zset_scores(&self, namespace: &Namespace, key: &Key, members: &[Bytes]) -> Result<Vec<Option<f64>>> {
        zset::get(self.live()?, namespace, key, members)
    }
    /// How many members there are.
    pub fn zset_len(&self, namespace: &Namespace, key: &Key) -> Result<u64> {
        zset::len(self.live()?, namespace, key)
    }
    /// Adds to the score of a member, 0 when it is not there; what it is then. `Invalid` when it would not be finite.
    pub async fn zset_increment(&self, namespace: &Namespace, key: &Key, member: Bytes, by: f64) -> Result<f64> {
        zset::increment(self.live()?, namespace, key, member, by).await
    }
    /// How many members come before one, seen from where `direction` begins; none when it is not there.
    pub async fn zset_rank(
        &self,
        namespace: &Namespace,
        key: &Key,
        member: Bytes,
        direction: Direction,
    ) -> Result<Option<u64>> {
        zset::rank(self.live()?, namespace, key, member, direction).await
    }
    /// How many members have scores in a range.
    pub async fn zset_count(&self, namespace: &Namespace, key: &Key, range: ScoreRange) -> Result<u64> {
        zset::count(self.live()?, namespace, key, range).await
    }
    /// The members from rank `start` to `stop`, both inclusive, negative ones counted from the end; `direction` says
    /// where rank 0 is.
    pub async fn zset_part(
        &self,
        namespace: &Namespace,
        key: &Key,
        start: i64,
        stop: i64,
        direction: Direction,
    ) -> Result<Vec<Scored>> {
        zset::part(self.live()?, namespace, key, Part { start, stop, direction }).await
    }
    /// Members with scores in a range, without the first `skip`, at most `limit`.
    pub async fn zset_range(
        &self,
        namespace: &Namespace,
        key: &Key,
        range: ScoreRange,
        direction: Direction,
        skip: u64,
        limit: u64,
    ) -> Result<Vec<Scored>> {
        zset::range(self.live()?, namespace, key, range, direction, skip, limit).await
    }
    /// Takes out members where `direction` begins, at most `count`, in the order they come.
    pub async fn zset_pop(
        &self,
        namespace: &Namespace,
        key: &Key,
        direction: Direction,
        count: u64,
    ) -> Result<Vec<Scored>> {
        zset::pop(self.live()?, namespace, key, direction, count).await
    }
    /// Removes the members with scores in a range; how many there were.
    pub async fn zset_remove_range(&self, namespace: &Namespace, key: &Key, range: ScoreRange) -> Result<u64> {
        zset::remove_range(self.live()?, namespace, key, range).await
    }
    /// Removes the members from rank `start` to `stop`, both inclusive, negative ones counted from the end; how many.
    pub async fn zset_remove_ranks(&self, namespace: &Namespace, key: &Key, start: i64, stop: i64) -> Result<u64> {
        zset::remove_ranks(self.live()?, namespace, key, start, stop).await
    }
    /// Puts a combination of sorted sets in the place of whatever `destination` holds; how many members it has. An error
    /// has the index of its key. `Invalid` when a score would not be finite.
    pub async fn zset_combine_into(
        &self,
        namespace: &Namespace,
        destination: &Key,
        combine: ScoreCombine,
        actor: Actor,
    ) -> Result<u64> {
        algebra::combine_scores_into(self.live()?, namespace, destination, combine, actor).await
    }
}

/// Keys, whatever they hold.
impl Engine {
    /// What keys are, in one cut, in the order asked; none for an absent one.
    pub fn key_info(&self, namespace: &Namespace, keys: &[Key]) -> Result<Vec<Option<KeyInfo>>> {
        whole::info(self.live()?, namespace, keys)
    }
    /// A page of live keys of all types in byte order, and whether more follow.
    pub fn key_page(&self, namespace: &Namespace, page: &KeyPage) -> Result<(Vec<(Key, KeyInfo)>, bool)> {
        whole::page(self.live()?, namespace, page)
    }
    /// All live keys of all types that begin with `prefix` and match a glob, in byte order.
    pub async fn key_names(&self, namespace: &Namespace, prefix: Bytes, glob: Option<Glob>) -> Result<Vec<Key>> {
        whole::names(self.live()?, namespace, prefix, glob).await
    }
    /// How many live keys of all types there are (those due but not yet swept included). A look at a counter.
    pub fn key_total(&self, namespace: &Namespace) -> Result<u64> {
        Ok(self.live()?.store.rows_of(keys::KV, namespace.as_bytes()))
    }
    /// How many live keys there are by type. Goes through all of them.
    pub async fn key_counts(&self, namespace: &Namespace) -> Result<KeyCounts> {
        whole::count(self.live()?, namespace).await
    }
    /// Some live key: each may come, but not each as often; none when there is none.
    pub fn key_random(&self, namespace: &Namespace) -> Result<Option<Key>> {
        whole::random(self.live()?, namespace)
    }
    /// Deletes keys whatever they hold, in one change; how many were there.
    pub async fn key_delete(&self, namespace: &Namespace, keys: &[Key], actor: &Actor) -> Result<u64> {
        whole::delete(self.live()?, namespace, keys, actor).await
    }
    /// Deletes all keys whatever they hold, many at a time; how many there were. Those that others write meanwhile may
    /// stay.
    pub async fn key_clear(&self, namespace: &Namespace, actor: &Actor) -> Result<u64> {
        whole::clear(self.live()?, namespace, actor).await
    }
    /// Gives a key another deadline, or none; what it was before, none when it is absent. A deadline that has passed
    /// deletes the key. Of a value this is a write, with a version and a line in the feed.
    pub async fn key_expire(
        &self,
        namespace: &Namespace,
        key: &Key,
        expires: Expires,
        actor: &Actor,
    ) -> Result<Option<KeyInfo>> {
        whole::expire(self.live()?, namespace, key, expires, actor).await
    }
    /// Gives what a key holds another name, its deadline with it. In the feed a value is deleted and set.
    pub async fn key_rename(
        &self,
        namespace: &Namespace,
        source: &Key,
        destination: &Key,
        replace: Replace,
        actor: &Actor,
    ) -> Result<Moved> {
        whole::rename(self.live()?, namespace, source, destination, replace, actor).await
    }
    /// Gives another key the same content, its deadline with it. A copy onto itself changes nothing.
    pub async fn key_copy(
        &self,
        namespace: &Namespace,
        source: &Key,
        destination: &Key,
        replace: Replace,
        actor: Actor,
    ) -> Result<Moved> {
        whole::copy(self.live()?, namespace, source, destination, replace, actor).await
    }
}
