//! Records of pages: one hash each, found by a pass over all keys where many are asked for.

use std::collections::HashSet;

use manifold_engine::recache::{BotHit, HostId, PageKey, Record, Scheduled, Selection};
use redis::{Pipeline, RedisResult, Value};

use super::{
    HomeError, Redis, Result,
    connection::{read, said},
    keys, leases,
    paging::{Cursor, MOST_CARRIED},
    record,
};

/// Keys of one command.
const KEYS_AT_ONCE: usize = 1000;
/// Keys that one step of a pass looks at.
const SCANNED_AT_ONCE: usize = 1000;
/// Steps of a pass that one page may take.
const STEPS_PER_PAGE: usize = 50;

impl Redis {
    pub(in super::super) async fn record(&self, key: PageKey) -> Result<Option<Record>> {
        Ok(self.read_records(&[key]).await?.pop().map(|(_, record)| record))
    }

    pub(in super::super) async fn store_record(&self, key: PageKey, record: &Record, gone_at: u64) -> Result<()> {
        let name = keys::record(key);
        let lives = i64::try_from(gone_at).unwrap_or(i64::MAX).saturating_sub_unsigned(self.now().0 / 1000);
        let mut pipeline = Pipeline::with_capacity(3);
        // What an older record said and this one does not is gone, and no record is ever without an end.
        pipeline.atomic().cmd("DEL").arg(&name);
        if lives > 0 {
            let set = pipeline.cmd("HSET").arg(&name);
            for (field, value) in record::fields(key, record) {
                set.arg(field).arg(value);
            }
            pipeline.cmd("EXPIRE").arg(&name).arg(lives.min(i64::from(u32::MAX)));
        }
        for answer in self.0.connection.all(pipeline).await? {
            answer.map_err(said)?;
        }
        Ok(())
    }

    /// Files are the gateways' own.
    pub(in super::super) async fn forget(&self, keys: &[PageKey], _files_at: u64) -> Result<u64> {
        let mut forgotten = 0;
        for keys in keys.chunks(KEYS_AT_ONCE) {
            let mut delete = redis::cmd("DEL");
            for key in keys {
                delete.arg(keys::record(*key));
            }
            forgotten += self.0.connection.one_once::<u64>(delete).await?;
        }
        Ok(forgotten)
    }

    pub(in super::super) async fn forget_selected(
        &self,
        host: HostId,
        selection: &Selection,
        files_at: u64,
    ) -> Result<u64> {
        let mut forgotten = 0;
        let mut scan = 0;
        loop {
            let (next, mut pages) = self.scan(host, scan, SCANNED_AT_ONCE).await?;
            if let Some(dimensions) = &selection.dimensions {
                pages.retain(|page| dimensions.contains(&page.dimension));
            }
            if let Some(prefix) = &selection.prefix {
                let mut records = self.read_records(&pages).await?;
                records.retain(|(_, record)| record.url.as_bytes().starts_with(prefix.as_bytes()));
                pages = records.into_iter().map(|(page, _)| page).collect();
            }
            forgotten += self.forget(&pages, files_at).await?;
            match next {
                Some(next) => scan = next,
                None => return Ok(forgotten),
            }
        }
    }

    pub(in super::super) async fn records(
        &self,
        host: HostId,
        cursor: Option<&str>,
        count: usize,
    ) -> Result<(Vec<(PageKey, Record)>, Option<String>)> {
        let mut at = match cursor {
            None | Some("0") => Cursor::start(),
            Some(text) => Cursor::parse(host, text)?,
        };
        let count = count.clamp(1, KEYS_AT_ONCE);
        let mut found = std::mem::take(&mut at.carried);
        let mut seen: HashSet<PageKey> = found.iter().copied().collect();
        // Keys are spread evenly, so what was found among those looked at tells how many to look at for the rest.
        let mut step = count;
        for _ in 0..STEPS_PER_PAGE {
            let Some(scan) = at.scan else { break };
            if found.len() >= count {
                break;
            }
            let (next, pages) = self.scan(host, scan, step).await?;
            at.scan = next;
            step = if pages.len() * 2 < step.min(count - found.len()) { step * 2 } else { step };
            step = step.clamp(1, SCANNED_AT_ONCE);
            // A pass may come by a key twice.
            found.extend(pages.into_iter().filter(|page| seen.insert(*page)));
        }
        if found.len() > count && found.len() - count <= MOST_CARRIED {
            at.carried = found.split_off(count);
        }
        Ok((self.read_records(&found).await?, at.text()))
    }

    /// One step of a pass over all keys: the host's records in it, and where the next one begins.
    async fn scan(&self, host: HostId, from: u64, count: usize) -> Result<(Option<u64>, Vec<PageKey>)> {
        let mut scan = redis::cmd("SCAN");
        scan.arg(from).arg("MATCH").arg(keys::records_pattern(host)).arg("COUNT").arg(count);
        let (next, names): (u64, Vec<Vec<u8>>) = self.0.connection.one(scan).await?;
        let pages = names.iter().filter_map(|name| keys::page_of(std::str::from_utf8(name).ok()?));
        Ok(((next != 0).then_some(next), pages.filter(|page| page.host == host).collect()))
    }

    /// Those of these records that there are. What is no hash is no record.
    async fn read_records(&self, pages: &[PageKey]) -> Result<Vec<(PageKey, Record)>> {
        let mut records = Vec::with_capacity(pages.len());
        for pages in pages.chunks(KEYS_AT_ONCE) {
            let mut pipeline = Pipeline::with_capacity(pages.len());
            for page in pages {
                pipeline.cmd("HMGET").arg(keys::record(*page)).arg(&record::FIELDS);
            }
            for (page, values) in pages.iter().zip(self.0.connection.all(pipeline).await?) {
                records.extend(present(values)?.map(|record| (*page, record)));
            }
        }
        Ok(records)
    }

    /// Visits are the business of gateways here: they note them in the same records and queues.
    pub(in super::super) async fn bot_hit(&self, _hit: BotHit) -> Result<Scheduled> {
        Err(HomeError::Unavailable("in this home gateways note visits".to_owned()))
    }

    /// None: files are the gateways' own.
    pub(in super::super) async fn removable_files(&self, _now: u64, _most: usize) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    pub(in super::super) async fn files_removed(&self, _files: &[String]) -> Result<()> {
        Ok(())
    }
}

/// The record, if there is anything of one.
fn present(values: RedisResult<Value>) -> Result<Option<Record>> {
    if values.as_ref().is_err_and(leases::is_wrong_type) {
        return Ok(None);
    }
    let values: Vec<Option<Vec<u8>>> = read(values)?;
    let some = values.iter().any(Option::is_some);
    Ok(values.try_into().ok().filter(|_| some).map(record::from_values))
}
