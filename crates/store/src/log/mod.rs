//! The log: segments of frames. `frame` is the format of one frame, `segment` of a file, `append` the buffer that
//! commits go into, `flush` the thread and the calls that bring it to the disk, `replay` the way back.

pub(crate) mod append;
pub(crate) mod flush;
pub(crate) mod frame;
pub(crate) mod replay;
pub(crate) mod segment;
