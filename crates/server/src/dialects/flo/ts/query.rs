//! Queries: FloQL in, series out.

use std::borrow::Cow;

use hyper::Method;
use manifold_engine::{
    Namespace,
    series::{Scalar, SeriesPoints},
};

use super::{
    asked::{self, Asked, MEMBERS},
    floql::{self, Mistake, Plan, Precision},
};
use crate::{
    dialects::flo::{Reply, call::Call, error::Error, names},
    http::{json, reply},
    net::Incoming,
};

#[cfg(test)]
mod tests;

/// Answers with more points are written by another thread than those that serve sockets.
const MANY_POINTS: usize = 10_000;
/// Bytes of a point as JSON, about.
const POINT_BYTES: usize = 48;

/// POST /query.
pub(in crate::dialects::flo) async fn post(call: Call<'_>, incoming: Incoming) -> Reply {
    let namespace = names::namespace(&call)?;
    call.query()?;
    let body = call.body(incoming).await?;
    let [query, members @ ..] = body.members(&MEMBERS)?;
    let text = asked::query(query)?;
    let script = asked::script(&text, floql::parse).await?;
    let Asked { frame, limit } = Asked::in_members(call.engine(), members)?;
    let plan = script.plan(&frame, limit)?;
    answer(&call, &namespace, text, plan, frame.precision).await
}

/// GET and POST /timeseries/floql: the query is the body, or a parameter.
pub(in crate::dialects::flo) async fn raw(call: Call<'_>, incoming: Incoming) -> Reply {
    let parameters = call.query()?;
    let namespace = names::namespace_named(parameters.text("namespace").unwrap_or(names::DEFAULT_NAMESPACE))?;
    let Asked { frame, limit } = Asked::in_parameters(call.engine(), &parameters)?;
    let body = if call.parts.method == Method::POST { Some(call.body(incoming).await?) } else { None };
    let body = body.as_ref().map(|body| body.text()).transpose();
    let body = body.map_err(|at| Mistake::new(at, "the query is not UTF-8", "UTF-8"))?;
    let text = body.filter(|text| !text.is_empty()).or(parameters.text("q"));
    let text = text.ok_or_else(|| Mistake::new(0, "the query is missing", "a query as the body or in q"))?;
    let script = asked::script(text, floql::parse).await?;
    let plan = script.plan(&frame, limit)?;
    answer(&call, &namespace, Cow::Borrowed(text), plan, frame.precision).await
}

async fn answer(
    call: &Call<'_>,
    namespace: &Namespace,
    text: Cow<'_, str>,
    Plan { query, alias }: Plan,
    precision: Precision,
) -> Reply {
    call.flo.metrics.ts(namespace.as_bytes()).queried();
    let (first, last) = query.range;
    // From an instant that is yet to come until now there is nothing.
    let measurement = query.measurement.clone();
    let series = if first <= last { call.engine().query_points(namespace, query).await? } else { Vec::new() };
    let written = Answer { measurement, alias, precision, series };
    if written.points() <= MANY_POINTS {
        return Ok(reply::json(written.json(&text)));
    }
    let text = text.into_owned();
    let json = tokio::task::spawn_blocking(move || written.json(&text)).await;
    json.map(reply::json).map_err(|_| Error::Internal)
}

/// What was found, and how it is spelled.
struct Answer {
    measurement: String,
    alias: Option<String>,
    precision: Precision,
    series: Vec<SeriesPoints>,
}

impl Answer {
    fn points(&self) -> usize {
        self.series.iter().map(|series| series.points.len()).sum()
    }

    fn json(&self, query: &str) -> Vec<u8> {
        let mut out = Vec::with_capacity(256 + query.len() + POINT_BYTES * self.points());
        out.extend_from_slice(b"{\"query\":");
        json::write_str(&mut out, query);
        out.extend_from_slice(b",\"series\":");
        json::write_array(&mut out, &self.series, |out, series| self.write_series(out, series));
        out.push(b'}');
        out
    }

    fn write_series(&self, out: &mut Vec<u8>, series: &SeriesPoints) {
        out.extend_from_slice(b"{\"key\":");
        json::write_str(out, self.alias.as_ref().unwrap_or(&series.key));
        out.extend_from_slice(b",\"measurement\":");
        json::write_str(out, &self.measurement);
        out.extend_from_slice(b",\"field\":");
        json::write_str(out, &series.field);
        out.extend_from_slice(b",\"tags\":");
        json::write_array(out, &series.tags, |out, (tag, value)| {
            out.extend_from_slice(b"{\"key\":");
            json::write_str(out, tag);
            out.extend_from_slice(b",\"value\":");
            json::write_str(out, value);
            out.push(b'}');
        });
        out.extend_from_slice(b",\"point_count\":");
        json::write_u64(out, series.points.len() as u64);
        out.extend_from_slice(b",\"points\":");
        json::write_array(out, &series.points, |out, point| {
            out.extend_from_slice(b"{\"timestamp\":");
            json::write_i64(out, self.precision.floor(point.time));
            out.extend_from_slice(b",\"value\":");
            write_scalar(out, &point.value);
            out.push(b'}');
        });
        out.push(b'}');
    }
}

fn write_scalar(out: &mut Vec<u8>, value: &Scalar) {
    match value {
        Scalar::Float(number) => json::write_f64(out, *number),
        Scalar::Int(number) => json::write_i64(out, *number),
        Scalar::Uint(number) => json::write_u64(out, *number),
        Scalar::Bool(flag) => out.extend_from_slice(if *flag { b"true" } else { b"false" }),
        Scalar::Text(text) => json::write_bytes_as_str(out, text),
    }
}
