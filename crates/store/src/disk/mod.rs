//! All I/O of the store goes through [`Disk`]: `real` is the file system, `sim` a disk that crashes on command.

/// The file system, or something that behaves like one.
pub trait Disk: Send + Sync + std::fmt::Debug + 'static {}

/// The file system.
#[derive(Debug, Default, Clone, Copy)]
pub struct RealDisk;

impl Disk for RealDisk {}
