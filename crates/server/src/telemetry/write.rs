//! Samples into the registry's encoder, one call per metric.

use std::fmt;

use prometheus_client::{
    encoding::{DescriptorEncoder, EncodeCounterValue, EncodeGaugeValue, MetricEncoder},
    metrics::{MetricType, exemplar::Exemplar},
};

use super::Histogram;

/// Label names and values of one sample.
pub(super) type Labels<'a> = &'a [(&'static str, &'a str)];

type NoExemplar<'a> = Option<&'a Exemplar<[(&'static str, &'static str); 0], f64>>;

/// A counter with its samples. The format appends the `_total` that every name in `names.rs` shows.
pub(super) fn counter<'a, V: EncodeCounterValue>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &'static str,
    help: &str,
    samples: impl IntoIterator<Item = (Labels<'a>, V)>,
) -> fmt::Result {
    let name = name.strip_suffix("_total").unwrap_or(name);
    let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
    for (labels, value) in samples {
        labelled(&mut metric, labels, |metric| metric.encode_counter(&value, None as NoExemplar<'_>))?;
    }
    Ok(())
}

/// A gauge with its samples.
pub(super) fn gauge<'a, V: EncodeGaugeValue>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &'static str,
    help: &str,
    samples: impl IntoIterator<Item = (Labels<'a>, V)>,
) -> fmt::Result {
    let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for (labels, value) in samples {
        labelled(&mut metric, labels, |metric| metric.encode_gauge(&value))?;
    }
    Ok(())
}

/// A histogram with its series.
pub(super) fn histogram<'a>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &'static str,
    help: &str,
    series: impl IntoIterator<Item = (Labels<'a>, &'a Histogram)>,
) -> fmt::Result {
    let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Histogram)?;
    for (labels, histogram) in series {
        let (sum, count, buckets) = histogram.read();
        labelled(&mut metric, labels, |metric| {
            metric.encode_histogram::<[(&'static str, &'static str); 0]>(sum, count, &buckets, None)
        })?;
    }
    Ok(())
}

/// One value per set of labels, for labels that are not known at compile time.
pub(super) type Series = Vec<(Vec<(&'static str, String)>, u64)>;

/// A counter with its series.
pub(super) fn counter_series(
    encoder: &mut DescriptorEncoder<'_>,
    name: &'static str,
    help: &str,
    series: &Series,
) -> fmt::Result {
    let borrowed = borrow(series);
    counter(encoder, name, help, borrowed.iter().map(|(labels, value)| (&labels[..], *value)))
}

/// A gauge with its series.
pub(super) fn gauge_series(
    encoder: &mut DescriptorEncoder<'_>,
    name: &'static str,
    help: &str,
    series: &Series,
) -> fmt::Result {
    let borrowed = borrow(series);
    gauge(encoder, name, help, borrowed.iter().map(|(labels, value)| (&labels[..], *value)))
}

fn borrow(series: &Series) -> Vec<(Vec<(&'static str, &str)>, u64)> {
    let each = series.iter();
    each.map(|(labels, value)| (labels.iter().map(|(name, text)| (*name, text.as_str())).collect(), *value)).collect()
}

/// The samples of a metric that has no labels.
pub(super) fn one<'a, V>(value: V) -> [(Labels<'a>, V); 1] {
    [(&[], value)]
}

/// A sample without labels would otherwise be written with an empty pair of braces.
fn labelled(
    metric: &mut MetricEncoder<'_>,
    labels: Labels<'_>,
    write: impl FnOnce(&mut MetricEncoder<'_>) -> fmt::Result,
) -> fmt::Result {
    if labels.is_empty() { write(metric) } else { write(&mut metric.encode_family(&labels)?) }
}
