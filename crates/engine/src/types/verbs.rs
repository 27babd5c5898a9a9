//! The verbs of collections on the engine's handle.

use bytes::Bytes;

use crate::{
    Engine, Key, Namespace, Result,
    types::{
        hash::{self, Field, FieldPage, FieldWhen},
        set,
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
    /// Adds to a field that is an integer (decimal digits, perhaps between quotation marks) or absent, which counts as
    /// 0; what it is then. `Invalid` for any other value, and when the sum is out of range.
    pub async fn hash_add(&self, namespace: &Namespace, key: &Key, field: Bytes, by: i64) -> Result<i64> {
        hash::add(self.live()?, namespace, key, field, by).await
    }
    /// The same for a number with a fraction.
    pub async fn hash_add_float(&self, namespace: &Namespace, key: &Key, field: Bytes, by: f64) -> Result<f64> {
        hash::add_float(self.live()?, namespace, key, field, by).await
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
}
