//! Times of points.

/// Unit of the times in a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// So many nanoseconds.
    Unit(i64),
    /// By the magnitude of each time.
    Auto,
}

impl Precision {
    /// Nanoseconds.
    pub const NANOSECOND: Precision = Precision::Unit(1);

    /// By its name in a query.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "n" | "ns" | "nanosecond" => Precision::NANOSECOND,
            "u" | "us" | "µ" | "µs" | "μ" | "μs" | "microsecond" => Precision::Unit(MICROSECOND),
            "ms" | "millisecond" => Precision::Unit(MILLISECOND),
            "s" | "second" => Precision::Unit(SECOND),
            "m" | "minute" => Precision::Unit(60 * SECOND),
            "h" | "hour" => Precision::Unit(3600 * SECOND),
            "auto" => Precision::Auto,
            _ => return None,
        })
    }

    /// The unit that a time is in.
    fn unit(self, time: i64) -> i64 {
        match (self, time.unsigned_abs()) {
            (Precision::Unit(unit), _) => unit,
            (Precision::Auto, ..5_000_000_000) => SECOND,
            (Precision::Auto, ..5_000_000_000_000) => MILLISECOND,
            (Precision::Auto, ..5_000_000_000_000_000) => MICROSECOND,
            (Precision::Auto, _) => 1,
        }
    }
}

const MICROSECOND: i64 = 1_000;
const MILLISECOND: i64 = 1_000_000;
const SECOND: i64 = 1_000_000_000;

/// How times in a body are understood, and which time points have that come without.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    precision: Precision,
    absent: i64,
}

impl Times {
    /// For a body that came `now`, in nanoseconds: the time of its points is truncated to the unit.
    pub fn new(precision: Precision, now: i64) -> Self {
        let unit = match precision {
            Precision::Unit(unit) => unit,
            Precision::Auto => 1,
        };
        // Only a clock at the very beginning of all time could not be truncated.
        Times { precision, absent: now.checked_sub(now.rem_euclid(unit)).unwrap_or(now) }
    }
    pub(super) fn absent(&self) -> i64 {
        self.absent
    }
    pub(super) fn nanoseconds(&self, time: i64) -> Option<i64> {
        time.checked_mul(self.precision.unit(time))
    }
    pub(super) fn is_nanoseconds(&self) -> bool {
        self.precision == Precision::NANOSECOND
    }
}

/// The most digits that a time may have.
const MAX_DIGITS: usize = 19;

/// `['-'] D+` within 64 bits.
pub(super) fn integer(token: &[u8]) -> Option<i64> {
    let digits = token.strip_prefix(b"-").unwrap_or(token);
    if digits.is_empty() || digits.len() > MAX_DIGITS {
        return None;
    }
    // Nineteen digits fit into 64 bits without a sign.
    let mut number = 0_u64;
    let mut chunks = digits.chunks_exact(8);
    for chunk in &mut chunks {
        number = number * 100_000_000 + eight_digits(chunk.try_into().ok()?)?;
    }
    for byte in chunks.remainder() {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number * 10 + u64::from(digit);
    }
    if digits.len() == token.len() { i64::try_from(number).ok() } else { 0_i64.checked_sub_unsigned(number) }
}

/// Eight digits at once: in each step, neighbours of half the width become one number of twice the width.
fn eight_digits(digits: [u8; 8]) -> Option<u64> {
    let word = u64::from_le_bytes(digits);
    // A digit's upper half is 3, and stays so when 6 is added.
    let upper = 0xF0F0_F0F0_F0F0_F0F0;
    let threes = 0x3030_3030_3030_3030;
    if word & upper != threes || word.wrapping_add(0x0606_0606_0606_0606) & upper != threes {
        return None;
    }
    let ones = word & 0x0F0F_0F0F_0F0F_0F0F;
    let twos = (ones.wrapping_mul(10 * 256 + 1) >> 8) & 0x00FF_00FF_00FF_00FF;
    let fours = (twos.wrapping_mul(100 * 65_536 + 1) >> 16) & 0x0000_FFFF_0000_FFFF;
    Some(fours.wrapping_mul((10_000 << 32) + 1) >> 32)
}
