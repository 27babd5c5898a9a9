//! Fetching a page with one plain GET, or several where redirects within the host are followed.

use bytes::Bytes;
use hyper::{
    HeaderMap, Response, StatusCode,
    body::Incoming,
    header::{ACCEPT, ACCEPT_ENCODING, HeaderValue, LOCATION, USER_AGENT},
};
use tokio::task::spawn_blocking;
use url::Url;

use super::{
    fetched::{Failure, Fetched},
    plan::{Plan, check, is_of},
    target::Target,
};
use crate::{
    dialects::edgecomet::{config::Config, job::Outcome, pages::is_redirect},
    http::{
        coding::{self, Coding},
        gzip::BadCoding,
    },
    outbound::{Denied, Error, Fetcher, Guard, collect},
};

const PAGES: HeaderValue = HeaderValue::from_static("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");
const ENCODINGS: HeaderValue = HeaderValue::from_static("gzip, identity");
/// Tells the site, and gateways in front of it, who asks.
const RENDERED_FOR: &str = "x-edge-render";
/// Redirects that may be followed at most, whatever is configured.
const MOST_REDIRECTS: u32 = 5;
/// What a coding may add to a body that cannot be compressed, beside a share of it.
const CODING_BYTES: u64 = 4096;

/// Fetches pages.
#[derive(Debug)]
pub(super) struct PageFetcher {
    http: Fetcher,
    daemon_id: HeaderValue,
    max_body: u64,
    max_redirects: u32,
}

impl PageFetcher {
    /// One within the bounds of the configuration.
    pub(super) fn new(config: &Config, guard: Guard) -> Self {
        // An id with control characters in it would end the header.
        let daemon_id = config.daemon_id.replace(|found: char| found.is_control(), "");
        PageFetcher {
            http: Fetcher::new(guard, config.worker.connect_timeout.0),
            daemon_id: HeaderValue::from_bytes(daemon_id.as_bytes()).expect("no control characters are left"),
            max_body: config.worker.max_body,
            max_redirects: config.worker.max_redirects.min(MOST_REDIRECTS),
        }
    }

    /// The page at an address of the plan's host, and the address where it was found. What the plan would not keep is not
    /// read.
    pub(super) async fn fetch(&self, plan: &Plan, url: &str) -> Result<(Fetched, String), Failure> {
        let mut url = url.to_owned();
        let mut redirects = 0;
        loop {
            let response = self.get(plan, &url).await?;
            if is_redirect(response.status().as_u16()) && redirects < self.max_redirects {
                redirects += 1;
                url = next(plan, &url, response.headers())?;
                continue;
            }
            check_status(plan, response.status())?;
            return Ok((self.whole(response).await?, url));
        }
    }

    async fn get(&self, plan: &Plan, url: &str) -> Result<Response<Incoming>, Failure> {
        let permanent = |why: &str| Failure::Permanent(why.to_owned());
        let uri = Target::parse(url).uri().ok_or_else(|| permanent("failed to parse recache URL"))?;
        let user_agent = HeaderValue::from_bytes(plan.user_agent.as_bytes());
        let mut headers = HeaderMap::with_capacity(5);
        headers.insert(USER_AGENT, user_agent.map_err(|_| permanent("the user agent is no value of a header"))?);
        headers.insert(ACCEPT, PAGES);
        headers.insert(ACCEPT_ENCODING, ENCODINGS);
        headers.insert(RENDERED_FOR, self.daemon_id.clone());
        self.http.get(uri, headers).await.map_err(|error| Failure::from(&error))
    }

    async fn whole(&self, response: Response<Incoming>) -> Result<Fetched, Failure> {
        let (head, body) = response.into_parts();
        let mut fetched = Fetched { status: head.status, headers: head.headers, body: Bytes::new() };
        if is_redirect(fetched.status.as_u16()) {
            return Ok(fetched);
        }
        let codings = coding::codings(&fetched.headers).map_err(|unknown| Failure::Permanent(unknown.to_string()))?;
        let most = if codings.is_empty() { self.max_body } else { self.max_body + self.max_body / 256 + CODING_BYTES };
        let body = collect(body, most).await.map_err(|error| Failure::from(&error))?;
        fetched.body = decode(codings, body, self.max_body).await?;
        Ok(fetched)
    }
}

/// Whether a page of this status is to be stored, and whether it may be another time if not.
pub(super) fn check_status(plan: &Plan, status: StatusCode) -> Result<(), Failure> {
    if plan.caching.status_codes.contains(&status.as_u16()) {
        return Ok(());
    }
    let why = format!("status {} is not cacheable", status.as_u16());
    let passes = matches!(status.as_u16(), 408 | 425 | 429 | 500..=599);
    Err(if passes { Failure::Temporary(why) } else { Failure::Permanent(why) })
}

/// Where a redirect leads, if that is a page of the same host.
fn next(plan: &Plan, url: &str, headers: &HeaderMap) -> Result<String, Failure> {
    let permanent = |why: &str| Failure::Permanent(why.to_owned());
    let location = headers.get(LOCATION).ok_or_else(|| permanent("redirect without location"))?;
    let location = String::from_utf8_lossy(location.as_bytes());
    let base = Url::parse(url).map_err(|_| permanent("failed to parse recache URL"))?;
    let next = base.join(&location).map_err(|_| permanent("redirect to no address"))?.to_string();
    let target = Target::parse(&next);
    match check(&plan.host, &target) {
        Err(_) if ["http", "https"].contains(&target.scheme.as_str()) && !is_of(&plan.host, &target) => {
            Err(permanent("redirect off host"))
        }
        Err(Outcome::Permanent(why)) => Err(Failure::Permanent(why)),
        Err(_) | Ok(()) => Ok(next),
    }
}

async fn decode(codings: Vec<Coding>, body: Bytes, max_body: u64) -> Result<Bytes, Failure> {
    if codings.is_empty() {
        return Ok(body);
    }
    let max_bytes = usize::try_from(max_body).unwrap_or(usize::MAX);
    match spawn_blocking(move || coding::decode(&codings, body, max_bytes)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(BadCoding::TooLarge)) => Err(Failure::too_large()),
        // It may have been cut off on its way.
        Ok(Err(BadCoding::Damaged)) | Err(_) => Err(Failure::Temporary("the content encoding is damaged".to_owned())),
    }
}

impl Failure {
    pub(super) fn too_large() -> Failure {
        Failure::Permanent("response too large".to_owned())
    }
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        match error {
            Error::TooLarge => Failure::too_large(),
            Error::Denied(Denied::NotAllowed | Denied::NotPublic(_)) => Failure::Permanent(error.to_string()),
            Error::Denied(Denied::Unresolved) | Error::TimedOut | Error::Unreachable(_) => {
                Failure::Temporary(error.to_string())
            }
        }
    }
}
