//! Every table of the engine and the layout of every key. A table's number is part of every row on disk and is never
//! given to another table. The encodings of rows live with the feature that owns them; `docs/disk-format.md` lists all.

use manifold_store::{Table, TableSpec};
use smallvec::SmallVec;

use crate::{Key, Name, Namespace, queue::QueueName};

#[cfg(test)]
mod tests;

/// Named singletons.
pub(crate) const META: Table = Table(1);
/// Live keys: namespace, NUL, key. Names hold no NUL, so the order is that of the namespace, then of the key.
pub(crate) const KV: Table = Table(2);
/// The last version of removed keys; keyed as [`KV`].
pub(crate) const TOMB: Table = Table(3);
/// Removed keys in the order of their removal: the removal's feed number.
pub(crate) const TOMB_ORDER: Table = Table(4);
/// Per namespace, the highest version among its forgotten tombstones.
pub(crate) const FLOOR: Table = Table(5);
/// Everything that happens at an instant: deadline, kind, target.
pub(crate) const TIMER: Table = Table(6);
/// The change feed: the change's number.
pub(crate) const FEED: Table = Table(7);
/// Feed numbers that a recovery skipped: the first of a range.
pub(crate) const GAP: Table = Table(8);
/// Namespaces that exist: the namespace.
pub(crate) const NAMESPACE: Table = Table(10);

/// Queues: namespace, NUL, name.
pub(crate) const QUEUE: Table = Table(20);
/// The counters of queues: the queue's number.
pub(crate) const QUEUE_TALLY: Table = Table(21);
/// Messages: the queue's number, the message's.
pub(crate) const QUEUE_MESSAGE: Table = Table(22);
/// What became of messages; keyed as [`QUEUE_MESSAGE`].
pub(crate) const QUEUE_MARK: Table = Table(23);
/// Where messages are: the queue's number, a message's number divided by the size of a block.
pub(crate) const QUEUE_BLOCK: Table = Table(24);
/// Deduplication keys: the queue's number, the key.
pub(crate) const QUEUE_DEDUP: Table = Table(25);
/// Packs of messages: the queue's number, a message's number divided by the size of a pack.
pub(crate) const QUEUE_PACK: Table = Table(26);
/// What is left of packs; keyed as [`QUEUE_PACK`].
pub(crate) const QUEUE_PACK_LEFT: Table = Table(27);

/// Streams, keyed as [`KV`]: namespace, NUL, name.
pub(crate) const STREAM: Table = Table(30);
/// Records of streams, some or many to a row: the stream's id, the offset of the row's first record.
pub(crate) const STREAM_RECORDS: Table = Table(31);
/// Groups of consumers: the stream's id, the group's name.
pub(crate) const STREAM_GROUP: Table = Table(32);
/// Records delivered and not acknowledged: the stream's id, the group's number, the offset.
pub(crate) const STREAM_PENDING: Table = Table(33);
/// Consumers of groups: the stream's id, the group's number, the consumer's name.
pub(crate) const STREAM_CONSUMER: Table = Table(34);
/// What is left of streams and groups and has to go: the stream's id, perhaps the group's number.
pub(crate) const STREAM_GONE: Table = Table(35);

/// Namespaces that have time series: the space's id.
pub(crate) const SERIES_SPACE: Table = Table(40);
/// Measurements: the measurement's id.
pub(crate) const SERIES_MEASUREMENT: Table = Table(41);
/// Fields: the measurement's id, the field's number.
pub(crate) const SERIES_FIELD: Table = Table(42);
/// Series: the series' id.
pub(crate) const SERIES: Table = Table(43);
/// Through which chunk a column is sealed: the series' id, the field's number.
pub(crate) const SERIES_MARK: Table = Table(44);
/// Points as they were written: the space's id, the chunk's number.
pub(crate) const SERIES_CHUNK: Table = Table(45);
/// Points of columns, sealed: the series' id, the field's number, the block's number.
pub(crate) const SERIES_BLOCK: Table = Table(46);

/// What is left of collections and has to go: the collection's id.
pub(crate) const COLLECTION_GONE: Table = Table(50);
/// Fields of hashes: the collection's id, the field.
pub(crate) const HASH_FIELD: Table = Table(51);
/// Elements of lists: the collection's id, the position.
pub(crate) const LIST_ELEMENT: Table = Table(52);
/// Members of sets: the collection's id, the member.
pub(crate) const SET_MEMBER: Table = Table(53);
/// The same by dense numbers from 0: the collection's id, the number.
pub(crate) const SET_SLOT: Table = Table(54);
/// Members of sorted sets: the collection's id, the member.
pub(crate) const ZSET_MEMBER: Table = Table(55);
/// The same in their order: the collection's id, the score, the member.
pub(crate) const ZSET_ORDER: Table = Table(56);

/// Entries that wait to be fetched anew: the host, the queue, a digest of the entry.
pub(crate) const RECACHE_ENTRY: Table = Table(60);
/// Entries that were taken: the lease's number.
pub(crate) const RECACHE_LEASE: Table = Table(61);
/// Entries that were given up: the host, the letter's number.
pub(crate) const RECACHE_LETTER: Table = Table(62);
/// Records of stored pages: the host, the variant, the hash of the address.
pub(crate) const RECACHE_RECORD: Table = Table(63);
/// Files for removal: the path.
pub(crate) const RECACHE_FILE: Table = Table(64);
/// The same in their order: when they are for removal, the path.
pub(crate) const RECACHE_FILE_ORDER: Table = Table(65);

/// All tables, as the store wants to know them.
pub(crate) const TABLES: &[TableSpec] = &[
    TableSpec { table: META, name: "meta", ordered: false, inline_max: None },
    TableSpec { table: KV, name: "kv", ordered: true, inline_max: None },
    TableSpec { table: TOMB, name: "tomb", ordered: false, inline_max: None },
    TableSpec { table: TOMB_ORDER, name: "tomb_order", ordered: true, inline_max: None },
    TableSpec { table: FLOOR, name: "floor", ordered: false, inline_max: None },
    TableSpec { table: TIMER, name: "timer", ordered: true, inline_max: None },
    // Read by dense numbers, mostly from the ring of newest changes: neither an order nor bodies are kept in memory.
    TableSpec { table: FEED, name: "feed", ordered: false, inline_max: Some(0) },
    TableSpec { table: GAP, name: "gap", ordered: true, inline_max: None },
    TableSpec { table: NAMESPACE, name: "namespace", ordered: true, inline_max: None },
    TableSpec { table: QUEUE, name: "queue", ordered: true, inline_max: None },
    TableSpec { table: QUEUE_TALLY, name: "queue_tally", ordered: false, inline_max: None },
    // Numbers of messages are dense, and the table of blocks says where they are: an order would cost as much again.
    TableSpec { table: QUEUE_MESSAGE, name: "queue_message", ordered: false, inline_max: None },
    TableSpec { table: QUEUE_MARK, name: "queue_mark", ordered: false, inline_max: None },
    TableSpec { table: QUEUE_BLOCK, name: "queue_block", ordered: true, inline_max: None },
    TableSpec { table: QUEUE_DEDUP, name: "queue_dedup", ordered: true, inline_max: None },
    TableSpec { table: QUEUE_PACK, name: "queue_pack", ordered: false, inline_max: Some(0) },
    TableSpec { table: QUEUE_PACK_LEFT, name: "queue_pack_left", ordered: false, inline_max: None },
    TableSpec { table: STREAM, name: "stream", ordered: true, inline_max: None },
    // The newest records are read from the rings of their streams, all others seldom and many at once.
    TableSpec { table: STREAM_RECORDS, name: "stream_records", ordered: true, inline_max: Some(0) },
    TableSpec { table: STREAM_GROUP, name: "stream_group", ordered: true, inline_max: None },
    TableSpec { table: STREAM_PENDING, name: "stream_pending", ordered: true, inline_max: None },
    TableSpec { table: STREAM_CONSUMER, name: "stream_consumer", ordered: true, inline_max: None },
    TableSpec { table: STREAM_GONE, name: "stream_gone", ordered: true, inline_max: None },
    TableSpec { table: SERIES_SPACE, name: "series_space", ordered: true, inline_max: None },
    // Names are read when the engine starts, and kept in the catalogs of their spaces from then on.
    TableSpec { table: SERIES_MEASUREMENT, name: "series_measurement", ordered: true, inline_max: Some(0) },
    TableSpec { table: SERIES_FIELD, name: "series_field", ordered: true, inline_max: Some(0) },
    TableSpec { table: SERIES, name: "series", ordered: true, inline_max: Some(0) },
    TableSpec { table: SERIES_MARK, name: "series_mark", ordered: true, inline_max: None },
    // Read when the engine starts, and never again: until they go, their points are in buffers.
    TableSpec { table: SERIES_CHUNK, name: "series_chunk", ordered: true, inline_max: Some(0) },
    TableSpec { table: SERIES_BLOCK, name: "series_block", ordered: true, inline_max: Some(0) },
    TableSpec { table: COLLECTION_GONE, name: "collection_gone", ordered: true, inline_max: None },
    TableSpec { table: HASH_FIELD, name: "hash_field", ordered: true, inline_max: None },
    TableSpec { table: LIST_ELEMENT, name: "list_element", ordered: true, inline_max: None },
    // A set has no order: its dense numbers are enough to walk over it and to draw from it.
    TableSpec { table: SET_MEMBER, name: "set_member", ordered: false, inline_max: None },
    TableSpec { table: SET_SLOT, name: "set_slot", ordered: false, inline_max: None },
    TableSpec { table: ZSET_MEMBER, name: "zset_member", ordered: false, inline_max: None },
    TableSpec { table: ZSET_ORDER, name: "zset_order", ordered: true, inline_max: None },
    // Read when the engine starts: from then on the order of the queue has the addresses, or who holds a lease.
    TableSpec { table: RECACHE_ENTRY, name: "recache_entry", ordered: true, inline_max: Some(0) },
    TableSpec { table: RECACHE_LEASE, name: "recache_lease", ordered: true, inline_max: Some(0) },
    TableSpec { table: RECACHE_LETTER, name: "recache_letter", ordered: true, inline_max: Some(0) },
    TableSpec { table: RECACHE_RECORD, name: "recache_record", ordered: true, inline_max: None },
    TableSpec { table: RECACHE_FILE, name: "recache_file", ordered: false, inline_max: None },
    TableSpec { table: RECACHE_FILE_ORDER, name: "recache_file_order", ordered: true, inline_max: None },
];

/// Tables whose rows are counted by namespace.
pub(crate) const COUNTED: &[Table] = &[KV];

/// Key of the [`META`] row that names the durability level of the run that wrote last.
pub(crate) const META_LEVEL: &[u8] = b"level";
/// Key of the [`META`] row that keeps the feed's bounds when its records are gone.
pub(crate) const META_FEED: &[u8] = b"feed";

/// Key of the [`META`] row that keeps the last number given to a queue.
pub(crate) const META_QUEUE: &[u8] = b"queue";

/// Key of the [`META`] row that keeps the id of the next stream.
pub(crate) const META_STREAM: &[u8] = b"stream";

/// Key of the [`META`] row that keeps the last id given to a measurement or a series.
pub(crate) const META_SERIES: &[u8] = b"series";

/// Key of the [`META`] row below whose number ids of collections may have been given out.
pub(crate) const META_COLLECTION: &[u8] = b"collection";

/// Key of the [`META`] row that says how far an import came.
pub(crate) const META_IMPORT: &[u8] = b"import";

/// A row's key, on the stack for usual lengths.
pub(crate) type RowKey = SmallVec<[u8; 96]>;

/// The key of [`KV`] and [`TOMB`].
pub(crate) fn kv(namespace: &Namespace, key: &Key) -> RowKey {
    let mut row = kv_start(namespace);
    row.extend_from_slice(key.as_bytes());
    row
}

/// What the rows of one namespace begin with.
pub(crate) fn kv_start(namespace: &Namespace) -> RowKey {
    let mut row = RowKey::from_slice(namespace.as_bytes());
    row.push(0);
    row
}

/// Splits a key made by [`kv`] into the two names' bytes.
pub(crate) fn split_kv(row: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = row.iter().position(|byte| *byte == 0)?;
    Some((&row[..end], &row[end + 1..]))
}

/// The key of [`QUEUE`].
pub(crate) fn queue(namespace: &Namespace, name: &QueueName) -> RowKey {
    let mut row = kv_start(namespace);
    row.extend_from_slice(name.as_bytes());
    row
}

/// The key of what a queue has by numbers: [`QUEUE_MESSAGE`], [`QUEUE_MARK`], [`QUEUE_BLOCK`], [`QUEUE_PACK`].
pub(crate) fn in_queue(queue: u64, number: u64) -> [u8; 16] {
    let mut row = [0; 16];
    row[..8].copy_from_slice(&queue.to_be_bytes());
    row[8..].copy_from_slice(&number.to_be_bytes());
    row
}

/// The key of [`QUEUE_DEDUP`].
pub(crate) fn dedup(queue: u64, key: &[u8]) -> RowKey {
    let mut row = RowKey::from_slice(&queue.to_be_bytes());
    row.extend_from_slice(key);
    row
}

/// The namespace in a key made by [`kv`], [`queue`] or [`stream`].
pub(crate) fn namespace(row: &[u8]) -> Option<Namespace> {
    let (namespace, _) = split_kv(row)?;
    Namespace::new(bytes::Bytes::copy_from_slice(namespace)).ok()
}

/// The key of [`FEED`], [`TOMB_ORDER`] and [`GAP`]: big endian, so that byte order is numeric order.
pub(crate) fn number(number: u64) -> [u8; 8] {
    number.to_be_bytes()
}

/// Reads a key made by [`number`].
pub(crate) fn read_number(row: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(row.try_into().ok()?))
}

/// The key of [`STREAM`].
pub(crate) fn stream(namespace: &Namespace, stream: &Name) -> RowKey {
    let mut row = kv_start(namespace);
    row.extend_from_slice(stream.as_bytes());
    row
}

/// The key of [`STREAM_RECORDS`].
pub(crate) fn stream_records(stream: u64, offset: u64) -> [u8; 16] {
    let mut row = [0; 16];
    row[..8].copy_from_slice(&stream.to_be_bytes());
    row[8..].copy_from_slice(&offset.to_be_bytes());
    row
}

/// The offset in a key made by [`stream_records`].
pub(crate) fn read_stream_offset(row: &[u8]) -> Option<u64> {
    read_number(row.get(8..)?)
}

/// The key of [`STREAM_GROUP`].
pub(crate) fn stream_group(stream: u64, group: &Name) -> RowKey {
    let mut row = RowKey::from_slice(&stream.to_be_bytes());
    row.extend_from_slice(group.as_bytes());
    row
}

/// What the rows of a group begin with in [`STREAM_PENDING`] and [`STREAM_CONSUMER`]; its key in [`STREAM_GONE`].
pub(crate) fn stream_group_rows(stream: u64, group: u32) -> RowKey {
    let mut row = RowKey::from_slice(&stream.to_be_bytes());
    row.extend_from_slice(&group.to_be_bytes());
    row
}

/// The key of [`STREAM_PENDING`].
pub(crate) fn stream_pending(stream: u64, group: u32, offset: u64) -> RowKey {
    let mut row = stream_group_rows(stream, group);
    row.extend_from_slice(&offset.to_be_bytes());
    row
}

/// The key of [`STREAM_CONSUMER`].
pub(crate) fn stream_consumer(stream: u64, group: u32, consumer: &Name) -> RowKey {
    let mut row = stream_group_rows(stream, group);
    row.extend_from_slice(consumer.as_bytes());
    row
}

/// The key of [`SERIES_FIELD`].
pub(crate) fn series_field(measurement: u64, field: u32) -> [u8; 12] {
    let mut row = [0; 12];
    row[..8].copy_from_slice(&measurement.to_be_bytes());
    row[8..].copy_from_slice(&field.to_be_bytes());
    row
}

/// Reads a key made by [`series_field`].
pub(crate) fn read_series_field(row: &[u8]) -> Option<(u64, u32)> {
    let (measurement, field) = row.split_first_chunk()?;
    Some((u64::from_be_bytes(*measurement), u32::from_be_bytes(field.try_into().ok()?)))
}

/// The key of [`SERIES_MARK`].
pub(crate) fn series_mark(series: u64, field: u32) -> [u8; 12] {
    series_field(series, field)
}

/// Reads a key made by [`series_mark`].
pub(crate) fn read_series_mark(row: &[u8]) -> Option<(u64, u32)> {
    read_series_field(row)
}

/// The key of [`SERIES_CHUNK`].
pub(crate) fn series_chunk(space: u64, chunk: u64) -> [u8; 16] {
    let mut row = [0; 16];
    row[..8].copy_from_slice(&space.to_be_bytes());
    row[8..].copy_from_slice(&chunk.to_be_bytes());
    row
}

/// Reads a key made by [`series_chunk`].
pub(crate) fn read_series_chunk(row: &[u8]) -> Option<(u64, u64)> {
    let (space, chunk) = row.split_first_chunk()?;
    Some((u64::from_be_bytes(*space), read_number(chunk)?))
}

/// The key of [`SERIES_BLOCK`].
pub(crate) fn series_block(series: u64, field: u32, block: u64) -> [u8; 20] {
    let mut row = [0; 20];
    row[..8].copy_from_slice(&series.to_be_bytes());
    row[8..12].copy_from_slice(&field.to_be_bytes());
    row[12..].copy_from_slice(&block.to_be_bytes());
    row
}

/// Reads a key made by [`series_block`].
pub(crate) fn read_series_block(row: &[u8]) -> Option<(u64, u32, u64)> {
    let (series, rest) = row.split_first_chunk()?;
    let (field, block) = rest.split_first_chunk()?;
    Some((u64::from_be_bytes(*series), u32::from_be_bytes(*field), read_number(block)?))
}

/// The key of [`HASH_FIELD`], [`SET_MEMBER`] and [`ZSET_MEMBER`].
pub(crate) fn in_collection(id: u64, name: &[u8]) -> RowKey {
    let mut row = RowKey::from_slice(&id.to_be_bytes());
    row.extend_from_slice(name);
    row
}

/// The key of [`LIST_ELEMENT`] and [`SET_SLOT`].
pub(crate) fn in_collection_at(id: u64, number: u64) -> RowKey {
    in_collection(id, &number.to_be_bytes())
}

/// Where the member begins in a key of [`ZSET_ORDER`].
pub(crate) const ZSET_SCORE_END: usize = 16;

/// Bytes of what stands for an entry in its row's key.
pub(crate) const RECACHE_DIGEST: usize = 20;

/// The key of [`RECACHE_ENTRY`]: just as long as the index keeps without an allocation.
pub(crate) fn recache_entry(host: u64, priority: u8, digest: [u8; RECACHE_DIGEST]) -> [u8; 9 + RECACHE_DIGEST] {
    let mut row = [0; 9 + RECACHE_DIGEST];
    row[..8].copy_from_slice(&host.to_be_bytes());
    row[8] = priority;
    row[9..].copy_from_slice(&digest);
    row
}

/// The host and the queue in a key made by [`recache_entry`].
pub(crate) fn read_recache_entry(row: &[u8]) -> Option<(u64, u8)> {
    let (host, rest) = row.split_first_chunk()?;
    Some((u64::from_be_bytes(*host), *rest.first()?))
}

/// The key of [`RECACHE_LETTER`].
pub(crate) fn recache_letter(host: u64, number: u64) -> [u8; 16] {
    let mut row = [0; 16];
    row[..8].copy_from_slice(&host.to_be_bytes());
    row[8..].copy_from_slice(&number.to_be_bytes());
    row
}

/// Reads a key made by [`recache_letter`].
pub(crate) fn read_recache_letter(row: &[u8]) -> Option<(u64, u64)> {
    let (host, number) = row.split_first_chunk()?;
    Some((u64::from_be_bytes(*host), read_number(number)?))
}

/// The key of [`RECACHE_RECORD`].
pub(crate) fn recache_record(host: u64, dimension: u64, hash: u64) -> [u8; 24] {
    let mut row = [0; 24];
    row[..8].copy_from_slice(&host.to_be_bytes());
    row[8..16].copy_from_slice(&dimension.to_be_bytes());
    row[16..].copy_from_slice(&hash.to_be_bytes());
    row
}

/// Reads a key made by [`recache_record`].
pub(crate) fn read_recache_record(row: &[u8]) -> Option<(u64, u64, u64)> {
    let (host, rest) = row.split_first_chunk()?;
    let (dimension, hash) = rest.split_first_chunk()?;
    Some((u64::from_be_bytes(*host), u64::from_be_bytes(*dimension), read_number(hash)?))
}

/// The key of [`RECACHE_FILE_ORDER`].
pub(crate) fn recache_file_order(at: u64, path: &str) -> RowKey {
    let mut row = RowKey::from_slice(&at.to_be_bytes());
    row.extend_from_slice(path.as_bytes());
    row
}

/// The path in a key made by [`recache_file_order`].
pub(crate) fn read_recache_file_path(row: &[u8]) -> Option<&str> {
    std::str::from_utf8(row.get(8..)?).ok()
}

/// The least byte string greater than all that start with `prefix`; none when there is no such string.
pub(crate) fn prefix_end(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != 0xff)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}
