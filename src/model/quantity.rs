//! Kubernetes quantities such as `5Gi`, `500m` or `1e3`: read and compared by value.

use serde_json::Value;

/// An amount, exact to a billionth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity {
    nanos: i128,
}

/// Billionths in one.
const ONE: i128 = 1_000_000_000;

impl Quantity {
    /// So many mebibytes.
    pub fn mebibytes(count: u64) -> Self {
        Quantity { nanos: (i128::from(count) << 20) * ONE }
    }

    /// Reads a quantity; none if the text is not one. As on the API server, more than nine decimals are rounded up.
    pub fn parse(text: &str) -> Option<Self> {
        let (sign, rest) = match text.as_bytes().first()? {
            b'-' => (-1, &text[1..]),
            b'+' => (1, &text[1..]),
            _ => (1, text),
        };
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, suffix) = rest.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
            return None;
        }
        let digits = format!("{whole}{fraction}").parse::<i128>().ok()?;
        let (factor, divisor) = scale(suffix)?;
        let divisor = divisor.checked_mul(10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?)?;
        let scaled = digits.checked_mul(factor)?.checked_mul(ONE)?;
        Some(Quantity { nanos: sign * (scaled / divisor + i128::from(scaled % divisor != 0)) })
    }

    /// A size in bytes as the API server writes it back: `1536Mi` for `1.5Gi`. None if the text is no quantity.
    pub fn canonical(text: &str) -> Option<String> {
        let nanos = Self::parse(text)?.nanos;
        let mut number = nanos.div_euclid(ONE) + i128::from(nanos.rem_euclid(ONE) != 0);
        let suffix = text.trim_start_matches(|c: char| c.is_ascii_digit() || "+-.".contains(c));
        let (base, suffixes) = match suffix.as_bytes() {
            [_, b'i'] if number >= 1024 => (1024, ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]),
            [b'e' | b'E', _, ..] => (1000, ["", "e3", "e6", "e9", "e12", "e15", "e18"]),
            _ => (1000, ["", "k", "M", "G", "T", "P", "E"]),
        };
        let mut power = 0;
        while number != 0 && number % base == 0 && power + 1 < suffixes.len() {
            (number, power) = (number / base, power + 1);
        }
        Some(format!("{number}{}", suffixes[power]))
    }

    /// The amount in billionths, to count with.
    pub fn nanos(self) -> i128 {
        self.nanos
    }

    /// Reads a quantity of an object, where it may be a number too.
    pub fn of(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Self::parse(text),
            Value::Number(number) => Self::parse(&number.to_string()),
            _ => None,
        }
    }

    /// Whether it is more than nothing.
    pub fn is_positive(self) -> bool {
        self.nanos > 0
    }
}

/// What a suffix multiplies and divides by.
fn scale(suffix: &str) -> Option<(i128, i128)> {
    let decimal = |power: u32| 10_i128.checked_pow(power);
    match suffix {
        "" => Some((1, 1)),
        "n" => Some((1, decimal(9)?)),
        "u" => Some((1, decimal(6)?)),
        "m" => Some((1, decimal(3)?)),
        "k" => Some((decimal(3)?, 1)),
        "M" => Some((decimal(6)?, 1)),
        "G" => Some((decimal(9)?, 1)),
        "T" => Some((decimal(12)?, 1)),
        "P" => Some((decimal(15)?, 1)),
        "E" => Some((decimal(18)?, 1)),
        "Ki" => Some((1 << 10, 1)),
        "Mi" => Some((1 << 20, 1)),
        "Gi" => Some((1 << 30, 1)),
        "Ti" => Some((1 << 40, 1)),
        "Pi" => Some((1 << 50, 1)),
        "Ei" => Some((1 << 60, 1)),
        _ => {
            let exponent = suffix.strip_prefix(['e', 'E'])?.parse::<i8>().ok()?;
            let power = decimal(u32::from(exponent.unsigned_abs()))?;
            Some(if exponent < 0 { (1, power) } else { (power, 1) })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quantity(text: &str) -> Quantity {
        Quantity::parse(text).unwrap_or_else(|| panic!("{text} is not read"))
    }

    #[test]
    fn the_same_amount_is_equal_however_it_is_written() {
        for (one, other) in [
            ("1Gi", "1024Mi"),
            ("1.5Gi", "1536Mi"),
            ("1000m", "1"),
            ("0.1", "100m"),
            ("1e3", "1k"),
            ("1E3", "1000"),
            ("1E", "1000P"),
            ("12e-1", "1.2"),
            (".5", "500m"),
            ("5.", "5"),
            ("+5", "5"),
            ("0.0000000001", "1n"),
        ] {
            assert_eq!(quantity(one), quantity(other), "{one} {other}");
        }
    }

    #[test]
    fn a_size_is_written_as_the_server_writes_it() {
        for (typed, kept) in [
            ("10Gi", "10Gi"),
            ("10240Mi", "10Gi"),
            ("1.5Gi", "1536Mi"),
            ("0.5Ki", "512"),
            ("5000M", "5G"),
            ("5G", "5G"),
            ("1e10", "10e9"),
            ("5368709120", "5368709120"),
            ("1000", "1k"),
            ("+7Ti", "7Ti"),
            ("0", "0"),
        ] {
            assert_eq!(Quantity::canonical(typed).as_deref(), Some(kept), "{typed}");
        }
        assert_eq!(Quantity::canonical("5 Gi"), None);
    }

    #[test]
    fn they_are_ordered_by_value() {
        assert!(quantity("1G") < quantity("1Gi"));
        assert!(quantity("900Mi") < quantity("1Gi"));
        assert!(quantity("-1") < quantity("0"));
        assert!(!quantity("0Gi").is_positive() && !quantity("-5Gi").is_positive() && quantity("1m").is_positive());
        assert_eq!(Quantity::mebibytes(1024), quantity("1Gi"));
    }

    #[test]
    fn what_is_no_quantity_is_refused() {
        for text in ["", "-", ".", "Gi", "5gi", "5 Gi", "5GB", "1.2.3", "e3", "1e", "five", "5Gi\n", "1e99", "0x5", "٥"]
        {
            assert_eq!(Quantity::parse(text), None, "{text}");
        }
    }
}
