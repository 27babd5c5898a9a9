//! Pausing and resuming the scheduler. Bodies are ignored.

use super::{EdgeComet, asked::Answer, error::Error};

pub(super) fn pause(dialect: &EdgeComet) -> Answer {
    allowed(dialect)?;
    dialect.scheduler.pause();
    Ok(dialect.format().message("Scheduler paused"))
}

pub(super) fn resume(dialect: &EdgeComet) -> Answer {
    allowed(dialect)?;
    dialect.scheduler.resume();
    Ok(dialect.format().message("Scheduler resumed"))
}

fn allowed(dialect: &EdgeComet) -> Result<(), Error> {
    if dialect.config.http_api.scheduler_control_api { Ok(()) } else { Err(Error::ControlDisabled) }
}
