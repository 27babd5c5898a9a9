//! The commands of a batch, one after the other. Each sees what those before it did; one that fails stops nothing. Those
//! that only write wait for the disk together: before any other command, and at the end.

use std::ops::Range;

use manifold_engine::{Debt, Together};

use super::{
    commands::{self, Context},
    envelope::{self, Item},
    error::Error,
    handed::Handed,
};
use crate::http::json::RawValue;

#[cfg(test)]
mod tests;

/// Once its results have so many bytes, nothing more of a batch is done: a thousand reads of one long value would not fit
/// anywhere.
const MOST_BYTES: usize = 32 << 20;

/// A result that may not be told yet: where it is written, and what it waits for.
type Open = (Range<usize>, Debt);

/// Runs the commands and appends their results; the messages that are handed over with them.
pub(super) async fn write_results(context: &Context<'_>, items: &[&RawValue], out: &mut Vec<u8>) -> Vec<Handed> {
    let mut together = context.engine().together();
    let (mut open, mut handed) = (Vec::new(), Vec::new());
    let begin = out.len();
    for (at, raw) in items.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        let item = match out.len() - begin {
            0..MOST_BYTES => envelope::batch_item(raw),
            _ => Err(Error::answer_too_large(MOST_BYTES)),
        };
        if item.as_ref().is_ok_and(|item| !commands::defers(item)) {
            settle(context, &mut together, &mut open, out).await;
            handed.extend(write_result(context, item, out).await);
            continue;
        }
        let start = out.len();
        let (passed, debt) = together.run(write_result(context, item, out)).await;
        handed.extend(passed);
        open.extend(debt.map(|debt| (start..out.len(), debt)));
    }
    settle(context, &mut together, &mut open, out).await;
    handed
}

/// Runs one command and appends its result; the message that is handed over with it, if one is.
async fn write_result(context: &Context<'_>, item: Result<Item<'_>, Error>, out: &mut Vec<u8>) -> Option<Handed> {
    let start = out.len();
    out.extend_from_slice(b"{\"status\":\"success\",\"success\":true,\"payload\":");
    let done = match item {
        Ok(item) => commands::execute(context, &item, out).await,
        Err(error) => Err(error),
    };
    match done {
        Ok(done) => {
            out.push(b'}');
            done.handed()
        }
        Err(error) => {
            out.truncate(start);
            write_error(out, &error);
            None
        }
    }
}

fn write_error(out: &mut Vec<u8>, error: &Error) {
    out.extend_from_slice(b"{\"status\":\"error\",\"success\":false,\"error\":");
    error.write(out);
    out.push(b'}');
}

/// Waits for the disk. What could not be made durable is an error after all.
async fn settle(context: &Context<'_>, together: &mut Together, open: &mut Vec<Open>, out: &mut Vec<u8>) {
    let open = std::mem::take(open);
    let Err(error) = together.wait().await else { return };
    let error = Error::from(error).settle(&context.engine().state());
    let lost = open.into_iter().filter(|(_, debt)| !together.is_settled(*debt));
    replace(out, lost.map(|(result, _)| result), &error);
}

/// Puts an error in the place of each of some results, which come in their order.
fn replace(out: &mut Vec<u8>, results: impl Iterator<Item = Range<usize>>, error: &Error) {
    let written = std::mem::take(out);
    let mut copied = 0;
    for Range { start, end } in results {
        out.extend_from_slice(&written[copied..start]);
        write_error(out, error);
        copied = end;
    }
    out.extend_from_slice(&written[copied..]);
}
