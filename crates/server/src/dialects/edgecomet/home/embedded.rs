//! The engine of this process as home.

use manifold_engine::recache::{
    BotHit, DeadLetter, Depth, Enqueue, HostId, Lease, PageKey, Priority, Pull, Pulled, Queued, Record, Scheduled,
    Selection,
};

use super::{HomeError, Result};

/// The engine of this process as home.
#[derive(Debug, Clone)]
pub(in super::super) struct Embedded {
    engine: manifold_engine::Engine,
}

impl Embedded {
    pub(in super::super) fn new(engine: manifold_engine::Engine) -> Self {
        Embedded { engine }
    }

    pub(super) async fn enqueue(&self, _enqueue: Enqueue) -> Result<()> {
        Err(HomeError::Unavailable("not yet".to_owned()))
    }

    pub(super) async fn pull(&self, _pulls: &[Pull], _now: u64) -> Result<Vec<Pulled>> {
        Err(HomeError::Unavailable("not yet".to_owned()))
    }

    pub(super) async fn finish(&self, _leases: &[Lease]) -> Result<()> {
        Err(HomeError::Unavailable("not yet".to_owned()))
    }

    pub(super) async fn wait_for_retry(&self, _lease: &Lease, _attempts: u32, _ready_at: u64) -> Result<()> {
        Err(HomeError::Unavailable("not yet".to_owned()))
    }

    pub(super) async fn bury(&self, _lease: &Lease, _letter: DeadLetter, _most: u64) -> Result<()> {
        Err(HomeError::Unavailable("not yet".to_owned()))
    }

    pub(super) async fn give_back(&self, _leases: &[Lease]) -> Result<()> {
        Err(HomeError::Unavailable("not yet".to_owned()))
    }

    pub(super) async fn recover(&self) -> Result<u64> {
        Err(HomeError::Unavailable("not yet".to_owned()))
    }

    pub(super) async fn depths(&self, _hosts: &[HostId], _now: u64) -> Result<Vec<[Depth; 3]>> {
        Err(HomeError::Unavailable("not yet".to_owned()))
    }

    pub(super) async fn queued(
        &self,
        _host: HostId,
        _priorities: &[Priority],
        _offset: usize,
        _limit: usize,
    ) -> Result<(Vec<Queued>, bool)> {
        Err(HomeError::Unavailable("not yet".to_owned()))
    }

    pub(super) async fn purge(&self, _host: HostId, _priorities: &[Priority]) -> Result<u64> {
        Err(HomeError::Unavailable("not yet".to_owned()))
    }

    pub(super) async fn failed(&self, _host: HostId, _offset: usize, _limit: usize) -> Result<(Vec<DeadLetter>, bool)> {
        Err(HomeError::Unavailable("not yet".to_owned()))
    }

    pub(super) async fn retry_failed(&self, _host: HostId, _now: u64, _most: u64) -> Result<u64> {
        Err(HomeError::Unavailable("not yet".to_owned()))
    }

    pub(super) async fn record(&self, _key: PageKey) -> Result<Option<Record>> {
        Err(HomeError::Unavailable("not yet".to_owned()))
    }

    pub(super) async fn store_record(&self, _key: PageKey, _record: &Record, _gone_at: u64) -> Result<()> {
        Err(HomeError::Unavailable("not yet".to_owned()))
    }

    pub(super) async fn forget(&self, _keys: &[PageKey], _files_at: u64) -> Result<u64> {
        Err(HomeError::Unavailable("not yet".to_owned()))
    }

    pub(super) async fn forget_selected(&self, _host: HostId, _selection: &Selection, _files_at: u64) -> Result<u64> {
        Err(HomeError::Unavailable("not yet".to_owned()))
    }

    pub(super) async fn records(
        &self,
        _host: HostId,
        _cursor: Option<&str>,
        _count: usize,
    ) -> Result<(Vec<(PageKey, Record)>, Option<String>)> {
        Err(HomeError::Unavailable("not yet".to_owned()))
    }

    pub(super) async fn bot_hit(&self, _hit: BotHit) -> Result<Scheduled> {
        Err(HomeError::Unavailable("not yet".to_owned()))
    }

    pub(super) async fn removable_files(&self, _now: u64, _most: usize) -> Result<Vec<String>> {
        Err(HomeError::Unavailable("not yet".to_owned()))
    }

    pub(super) async fn files_removed(&self, _files: &[String]) -> Result<()> {
        Err(HomeError::Unavailable("not yet".to_owned()))
    }

    pub(super) async fn ping(&self) -> Result<()> {
        Err(HomeError::Unavailable("not yet".to_owned()))
    }
}
