//! What a gateway's answer means for the job.

use serde::Deserialize;

use crate::dialects::edgecomet::job::Outcome;

#[cfg(test)]
mod tests;

/// What fails again however often it is tried, by how messages of a 500 begin.
const PERMANENT: [&str; 4] = ["host not found", "dimension ", "SSRF protection", "failed to parse recache URL"];
/// The same, wherever it stands.
const OF_ANOTHER_HOST: &str = "does not match any configured domain";
const ORIGIN_ANSWERED: &str = "page returned non-200 status: ";
/// What begins the messages of a 400.
const MISUNDERSTOOD: [&str; 2] = ["invalid request body", "missing required fields"];
/// Messages that say that there is nothing to store.
const SKIPPED: [&str; 3] = ["bypass cache disabled", "bypass cache TTL is 0", "bypass cache save skipped"];

/// What an error says, if it says anything.
#[derive(Debug, Default, Deserialize)]
struct Refusal {
    #[serde(default)]
    message: String,
}

/// Only 200 is success. `body` is that of any other answer, or its beginning.
pub(super) fn of(status: u16, body: &[u8]) -> Outcome {
    if status == 200 {
        return Outcome::Done;
    }
    let Refusal { message } = serde_json::from_slice(body).unwrap_or_default();
    let begins = |texts: &[&str]| texts.iter().any(|text| message.starts_with(text));
    if begins(&SKIPPED) {
        return Outcome::Skipped(message);
    }
    let permanent = match status {
        500 => begins(&PERMANENT) || message.contains(OF_ANOTHER_HOST) || is_final(&message),
        400 => begins(&MISUNDERSTOOD),
        _ => false,
    };
    let reason = if message.is_empty() { format!("the gateway answered {status}") } else { message };
    if permanent { Outcome::Permanent(reason) } else { Outcome::Temporary(reason) }
}

/// Whether the origin gave a status that it would give again.
fn is_final(message: &str) -> bool {
    let status = message.strip_prefix(ORIGIN_ANSWERED).and_then(|status| status.trim().parse::<u16>().ok());
    status.is_some_and(|status| (300..500).contains(&status) && ![408, 425, 429].contains(&status))
}
