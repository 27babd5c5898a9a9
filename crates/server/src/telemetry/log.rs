//! Log lines to standard error, and to a file.

use std::fmt::{self, Write};

use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    fmt::{
        FmtContext, FormatEvent, FormatFields, MakeWriter,
        format::{DefaultFields, Format, JsonFields, Writer},
        time::{FormatTime, SystemTime},
    },
    layer::SubscriberExt,
    registry::LookupSpan,
    util::SubscriberInitExt,
};

use super::rotating::Rotating;
use crate::{
    config::{Log, LogFormat},
    http::json,
};

#[cfg(test)]
mod tests;

/// The finer lines of the HTTP client name hosts that it was given in confidence.
const DISCREET: &str = "hyper_util=info";
/// Lines about requests.
const ACCESS: &str = "manifold::access";
/// The dialect whose users' tools read such lines in the form of its original.
const OWN_FORM: &str = "dunena";

/// Starts logging, and makes a panic a log line instead of a bare message. `RUST_LOG`-style directives are accepted as
/// the level (`info,manifold::access=debug`).
pub fn init(log: &Log) -> Result<(), String> {
    let mut outputs = Vec::new();
    if log.console {
        let filter = filter(&log.level).map_err(|error| format!("log.level {:?} is no level: {error}", log.level))?;
        outputs.push(output(log.format, filter, std::io::stderr));
    }
    if let Some(file) = &log.file {
        let writer = Rotating::open(&file.path, file.rotation.clone())
            .map_err(|error| format!("the log file {}: {error}", file.path.display()))?;
        outputs.push(output(file.format, filter(&file.level)?, writer));
    }
    let started = tracing_subscriber::registry().with(outputs).try_init();
    started.map_err(|error| format!("logging could not be started: {error}"))?;

    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let backtrace = std::backtrace::Backtrace::capture();
        tracing::error!(place, %backtrace, "panic: {}", panic.payload_as_str().unwrap_or("without a message"));
    }));
    Ok(())
}

/// Whether a text says what is logged, or why not. A bare word that is no level would be the name of a module, and nothing
/// else would be logged, errors included.
pub fn check_level(level: &str) -> Result<(), String> {
    for word in level.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        if word.ends_with('=') {
            return Err(format!("{word:?} lacks a level"));
        }
        if !word.contains(['=', '[', ':']) && word.parse::<LevelFilter>().is_err() {
            return Err(format!("{word:?} is no level; for a module of that name, say {word}=debug"));
        }
    }
    filter(level).map(drop)
}

fn filter(level: &str) -> Result<EnvFilter, String> {
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).parse(level);
    let discreet = DISCREET.parse().expect("a directive that is known when this is compiled");
    Ok(filter.map_err(|error| error.to_string())?.add_directive(discreet))
}

/// One place that lines go to.
fn output<W>(format: LogFormat, filter: EnvFilter, writer: W) -> Box<dyn Layer<Registry> + Send + Sync>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt::layer().with_writer(writer);
    match format {
        LogFormat::Text => {
            let lines = lines.with_ansi(false).fmt_fields(DefaultFields::new());
            lines.map_event_format(|inner| Lines { inner, format }).with_filter(filter).boxed()
        }
        LogFormat::Json => {
            let lines = lines.json().flatten_event(true).fmt_fields(JsonFields::new());
            lines.map_event_format(|inner| Lines { inner, format }).with_filter(filter).boxed()
        }
    }
}

/// Lines as usual, but for those that have a form of their own.
struct Lines<L, T> {
    inner: Format<L, T>,
    format: LogFormat,
}

impl<S, N, L, T> FormatEvent<S, N> for Lines<L, T>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    Format<L, T>: FormatEvent<S, N>,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        if event.metadata().target() == ACCESS {
            let mut request = Request::default();
            event.record(&mut request);
            if request.dialect == OWN_FORM {
                let mut time = String::new();
                SystemTime.format_time(&mut Writer::new(&mut time))?;
                return write_line(&mut writer, &request.line(self.format, &time, *event.metadata().level()));
            }
        }
        let mut line = String::new();
        self.inner.format_event(context, Writer::new(&mut line), event)?;
        write_line(&mut writer, line.trim_end_matches('\n'))
    }
}

/// One event is one line, whatever is in a name or an error: what could end a line, move a cursor or turn the direction of
/// writing is escaped, in the way of JSON, which is as good in a text.
fn write_line(writer: &mut impl fmt::Write, line: &str) -> fmt::Result {
    let mut rest = line;
    while let Some(at) = rest.find(is_unruly) {
        let (plain, unruly) = rest.split_at(at);
        writer.write_str(plain)?;
        let mut characters = unruly.chars();
        if let Some(found) = characters.next() {
            write!(writer, "\\u{:04x}", u32::from(found))?;
        }
        rest = characters.as_str();
    }
    writeln!(writer, "{rest}")
}

/// Control characters, separators of lines and paragraphs, and marks of the direction of writing; all have four digits.
fn is_unruly(character: char) -> bool {
    let turns =
        matches!(character, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    character.is_control() || turns
}

/// What a line says about a request.
#[derive(Default)]
struct Request {
    dialect: String,
    method: String,
    path: String,
    status: u64,
    micros: u64,
}

impl Request {
    fn line(&self, format: LogFormat, time: &str, level: Level) -> String {
        let Request { method, path, status, micros, .. } = self;
        // A path is what a client sent: in JSON too nothing of it is more than a sign.
        let path = path.replace(is_unruly, "\u{FFFD}");
        let said = format!("{method} {path} {status}");
        let ms = *micros as f64 / 1000.0;
        match format {
            LogFormat::Text => format!("[{time}] {level} [{OWN_FORM}:http] {said} {{\"ms\":{ms}}}"),
            LogFormat::Json => {
                let mut text = Vec::new();
                json::write_str(&mut text, &said);
                let (said, level) = (String::from_utf8_lossy(&text), level.as_str().to_lowercase());
                format!(r#"{{"ts":"{time}","level":"{level}","msg":{said},"ms":{ms}}}"#)
            }
        }
    }
}

impl Visit for Request {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "method" {
            // Writing to a text cannot fail.
            write!(self.method, "{value:?}").ok();
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "dialect" => self.dialect = value.to_owned(),
            "path" => self.path = value.to_owned(),
            _ => {}
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "status" => self.status = value,
            "micros" => self.micros = value,
            _ => {}
        }
    }
}
