//! Numbers, lengths of time and instants.

use super::{
    cursor::Cursor,
    mistake::Mistake,
    script::{Instant, Range, When},
};

/// Nanoseconds of each unit; `ms` before `m`, because the longest wins.
const UNITS: [(&str, i64); 6] = [
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
    ("w", 604_800_000_000_000),
];

const DURATION: &str = "a duration such as 5m";
const INSTANT: &str = "a duration or an instant";

/// `['-'] digits ['.' digits] [exponent]`, finite.
pub(super) fn number(cursor: &mut Cursor<'_>, expected: &'static str) -> Result<f64, Mistake> {
    let at = cursor.at();
    let Some(len) = number_len(cursor.rest()) else { return Err(cursor.unexpected(expected)) };
    let text = &cursor.rest()[..len];
    cursor.take(text);
    // What `number_len` lets through is what the standard library reads.
    let number = text.parse().ok().filter(|number: &f64| number.is_finite());
    number.ok_or_else(|| Mistake::new(at, "the number is out of range", "a number below 1.8e308"))
}

/// Bytes of the number that `text` begins with.
fn number_len(text: &str) -> Option<usize> {
    let digits = |from: usize| text[from..].bytes().take_while(u8::is_ascii_digit).count();
    let whole = usize::from(text.starts_with('-'));
    let mut len = whole + Some(digits(whole)).filter(|count| *count > 0)?;
    if text[len..].starts_with('.') {
        len += 1 + Some(digits(len + 1)).filter(|count| *count > 0)?;
    }
    if text[len..].starts_with(['e', 'E']) {
        let sign = usize::from(text[len + 1..].starts_with(['+', '-']));
        len += 1 + sign + Some(digits(len + 1 + sign)).filter(|count| *count > 0)?;
    }
    Some(len)
}

/// Decimal digits; what is beyond all bounds is as large as can be.
pub(super) fn natural(cursor: &mut Cursor<'_>, expected: &'static str) -> Result<usize, Mistake> {
    match cursor.run(|c| c.is_ascii_digit()) {
        "" => Err(cursor.unexpected(expected)),
        digits => Ok(digits.parse().unwrap_or(usize::MAX)),
    }
}

/// `digits unit { digits unit }` in nanoseconds, more than none.
pub(super) fn duration(cursor: &mut Cursor<'_>) -> Result<i64, Mistake> {
    let at = cursor.at();
    if !cursor.rest().starts_with(|c: char| c.is_ascii_digit()) {
        return Err(cursor.unexpected(DURATION));
    }
    let mut total = Some(0_i64);
    while cursor.rest().starts_with(|c: char| c.is_ascii_digit()) {
        let digits = cursor.run(|c| c.is_ascii_digit());
        let Some((unit, nanos)) = UNITS.iter().find(|(unit, _)| cursor.rest().starts_with(unit)) else {
            return Err(cursor.unexpected("a unit: ms, s, m, h, d or w"));
        };
        cursor.take(unit);
        total = total.and_then(|sum| sum.checked_add(digits.parse::<i64>().ok()?.checked_mul(*nanos)?));
    }
    match total {
        None => Err(Mistake::new(at, "the duration is out of range", "at most 106751 days")),
        Some(0) => Err(Mistake::new(at, "the duration is zero", "a duration above zero")),
        Some(nanos) => Ok(nanos),
    }
}

/// What stands between the brackets of a source.
pub(super) fn range(cursor: &mut Cursor<'_>) -> Result<Range, Mistake> {
    let at = cursor.at();
    let span = token(cursor);
    // Digits that no date continues are a duration; behind a `-` it would be an instant.
    let after_digits = span.trim_start_matches(|c: char| c.is_ascii_digit());
    if after_digits.len() < span.len() && after_digits.starts_with(|c: char| c.is_alphabetic()) {
        return Ok(Range::Since(Instant { at, when: When::Ago(duration(cursor)?) }));
    }
    let first = instant(cursor)?;
    if cursor.take("..") { Ok(Range::Between(first, instant(cursor)?)) } else { Ok(Range::Since(first)) }
}

fn instant(cursor: &mut Cursor<'_>) -> Result<Instant, Mistake> {
    let at = cursor.at();
    let text = token(cursor);
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let when = if text.is_empty() {
        return Err(cursor.unexpected(INSTANT));
    } else if text.eq_ignore_ascii_case("now") {
        cursor.take(text);
        When::Now
    } else if !unsigned.is_empty() && unsigned.bytes().all(|b| b.is_ascii_digit()) {
        let number = text.parse().map_err(|_| out_of_range(at))?;
        cursor.take(text);
        When::Number(number)
    } else if unsigned.len() < text.len() {
        cursor.take("-");
        When::Ago(duration(cursor)?)
    } else if is_rfc3339(text) {
        let nanos = rfc3339(text).ok_or_else(|| out_of_range(at))?;
        cursor.take(text);
        When::Nanos(nanos)
    } else {
        return Err(cursor.unexpected(INSTANT));
    };
    Ok(Instant { at, when })
}

/// No calendar has such an instant, or no number is so large.
fn out_of_range(at: usize) -> Mistake {
    Mistake::new(at, "the instant is out of range", "milliseconds since 1970 or a date and time")
}

/// What is next inside the brackets, up to white space, the bracket or the two dots.
fn token<'a>(cursor: &mut Cursor<'a>) -> &'a str {
    cursor.at();
    let rest = cursor.rest();
    let end = rest.find(|c: char| c.is_ascii_whitespace() || c == ']').unwrap_or(rest.len());
    let rest = &rest[..end];
    rest.split_once("..").map_or(rest, |(first, _)| first)
}

/// Date and time as in RFC 3339, in nanoseconds; none when it is not one. Beyond what 64 bits can say it is their end.
pub(crate) fn rfc3339(text: &str) -> Option<i64> {
    if !is_rfc3339(text) {
        return None;
    }
    // The library ends a day before this form does. The year before has the same days, and is beyond 64 bits too.
    let earlier = text.strip_prefix("9999").map(|rest| format!("9998{rest}"));
    let instant: jiff::Timestamp = earlier.as_deref().unwrap_or(text).parse().ok()?;
    let nanos = instant.as_nanosecond();
    Some(i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX }))
}

/// Whether it has the form `2006-01-02T15:04:05.999Z` or `…+01:00`: the calendar's rules are left to the library, which
/// reads more forms than these.
fn is_rfc3339(text: &str) -> bool {
    const FORM: &[u8] = b"0000-00-00T00:00:00";
    let fits = |text: &[u8], form: &[u8]| {
        text.len() == form.len()
            && text.iter().zip(form).all(|(byte, wanted)| match wanted {
                b'0' => byte.is_ascii_digit(),
                other => byte.eq_ignore_ascii_case(other),
            })
    };
    let Some((time, rest)) = text.as_bytes().split_at_checked(FORM.len()) else { return false };
    let fraction = match rest {
        [b'.', digits @ ..] => 1 + digits.iter().take_while(|byte| byte.is_ascii_digit()).count(),
        _ => 0,
    };
    let zone = &rest[fraction..];
    fits(time, FORM) && fraction != 1 && (fits(zone, b"Z") || fits(zone, b"+00:00") || fits(zone, b"-00:00"))
}
