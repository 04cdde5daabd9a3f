//! Numbers: decimal and sexagesimal to read, printf formats and INDI's own `m` to show.
//!
//! Nothing here depends on a locale; on the wire numbers are sent as plain decimals.

/// Reads a number as INDI drivers write it: `5.25`, `1e3`, `-0:30:00`, `12 34.5`, `12;30`.
///
/// A sign counts for the whole, missing parts are zero. `None` for anything else and for what is not finite.
pub fn parse_number(text: &str) -> Option<f64> {
    let text = text.trim_ascii();
    if let Some(value) = parse_decimal(text.as_bytes()) {
        return Some(value);
    }
    if let Some(value) = text.parse::<f64>().ok().filter(|value| value.is_finite()) {
        return Some(value);
    }
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut value = 0.0;
    let mut scale = 1.0;
    for part in digits.split([':', ';', ' ', '\t']).filter(|part| !part.is_empty()) {
        if scale > 3600.0 || !part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            return None;
        }
        value += part.parse::<f64>().ok()? / scale;
        scale *= 60.0;
    }
    (scale > 1.0 && value.is_finite()).then_some(sign * value)
}

/// Most numbers: digits with or without a point, few enough that a double holds them and their scale exactly.
/// One division then rounds as it should, in a third of the time that the general way takes.
pub(super) fn parse_decimal(text: &[u8]) -> Option<f64> {
    const SCALES: [f64; 16] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
    let unsigned = text.strip_prefix(b"-").unwrap_or(text);
    let (whole, rest) = digits(0, unsigned);
    let fraction = rest.strip_prefix(b".").unwrap_or(rest);
    let (value, end) = digits(whole, fraction);
    let point = rest.len() - fraction.len();
    if !end.is_empty() || unsigned.len() == point || unsigned.len() >= SCALES.len() {
        return None;
    }
    let value = value as f64 / SCALES[fraction.len()];
    Some(if unsigned.len() < text.len() { -value } else { value })
}

/// A number continued by the digits that a text begins with, and what follows them.
fn digits(mut value: u64, text: &[u8]) -> (u64, &[u8]) {
    let mut rest = text;
    while let [digit @ b'0'..=b'9', behind @ ..] = rest {
        value = value.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
        rest = behind;
    }
    (value, rest)
}

/// Shows a number the way its definition asks: `%.2f`, `%5.1e`, `%g`, `%d`, or `%10.6m` for sexagesimal.
///
/// A format that cannot be understood shows the number as it is.
pub fn format_number(value: f64, format: &str) -> String {
    let shown = Spec::parse(format).and_then(|spec| Some((spec.show(value)?, spec)));
    match shown {
        Some((text, spec)) => format!("{}{}{}", spec.before, spec.pad(text), spec.after),
        None => value.to_string(),
    }
}

/// A width is for alignment on a screen; what asks for more is a mistake or an attack.
const MAX_WIDTH: usize = 64;

struct Spec<'a> {
    before: &'a str,
    after: &'a str,
    flags: &'a str,
    width: usize,
    precision: Option<usize>,
    conversion: char,
}

impl<'a> Spec<'a> {
    fn parse(format: &'a str) -> Option<Self> {
        let (before, spec) = format.split_once('%')?;
        let end_of = |text: &str, set: fn(char) -> bool| text.find(|c| !set(c)).unwrap_or(text.len());
        let (flags, rest) = spec.split_at(end_of(spec, |c| "-+ 0#".contains(c)));
        let (width, rest) = rest.split_at(end_of(rest, |c| c.is_ascii_digit()));
        let (precision, rest) = match rest.strip_prefix('.') {
            Some(rest) => {
                let (digits, rest) = rest.split_at(end_of(rest, |c| c.is_ascii_digit()));
                (Some(if digits.is_empty() { 0 } else { digits.parse().ok()? }), rest)
            }
            None => (None, rest),
        };
        let rest = rest.trim_start_matches(['l', 'L', 'h']);
        let conversion = rest.chars().next()?;
        let width = if width.is_empty() { 0 } else { width.parse().ok()? };
        let sane = width <= MAX_WIDTH && precision.unwrap_or(0) <= MAX_WIDTH;
        let after = &rest[conversion.len_utf8()..];
        sane.then_some(Spec { before, after, flags, width, precision, conversion })
    }

    fn show(&self, value: f64) -> Option<String> {
        let digits = self.precision.unwrap_or(6);
        let text = match self.conversion {
            'f' | 'F' => format!("{value:.digits$}"),
            'e' | 'E' => exponential(value, digits),
            'g' | 'G' => general(value, digits.max(1)),
            'd' | 'i' | 'u' => format!("{:.0}", value.trunc()),
            'm' => sexagesimal(value, digits),
            _ => return None,
        };
        let plus = if self.flags.contains('+') && value >= 0.0 { "+" } else { "" };
        Some(format!("{plus}{text}"))
    }

    fn pad(&self, text: String) -> String {
        let width = self.width;
        if self.flags.contains('-') {
            format!("{text:<width$}")
        } else if self.flags.contains('0') && self.conversion != 'm' {
            let (sign, digits) = text.split_at(text.starts_with(['-', '+']).into());
            format!("{sign}{digits:0>rest$}", rest = width.saturating_sub(sign.len()))
        } else {
            format!("{text:>width$}")
        }
    }
}

/// C's `%e`: an exponent of at least two digits with its sign.
fn exponential(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$e}");
    match text.split_once('e') {
        Some((mantissa, exponent)) => match exponent.strip_prefix('-') {
            Some(exponent) => format!("{mantissa}e-{exponent:0>2}"),
            None => format!("{mantissa}e+{exponent:0>2}"),
        },
        None => text,
    }
}

/// C's `%g`: so many significant digits, whichever notation is shorter, no zeros at the end.
fn general(value: f64, digits: usize) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    // The exponent after rounding to the digits wanted.
    let rounded = format!("{value:.*e}", digits - 1);
    let exponent: i32 = rounded.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or(0);
    let trim = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    if exponent < -4 || exponent >= digits as i32 {
        let text = exponential(value, digits - 1);
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "+00"));
        return format!("{}e{exponent}", trim(mantissa));
    }
    trim(&format!("{value:.*}", (digits as i32 - 1 - exponent).max(0) as usize))
}

/// INDI's `%m`: fraction 3 is minutes, 5 tenths of them, 6 seconds, 8 tenths and 9 hundredths of them.
fn sexagesimal(value: f64, fraction: usize) -> String {
    let (per_unit, seconds, decimals) = match fraction {
        0..=3 => (60.0, false, 0),
        4..=5 => (600.0, false, 1),
        6..=7 => (3600.0, true, 0),
        8 => (36_000.0, true, 1),
        _ => (360_000.0, true, 2),
    };
    if !value.is_finite() {
        return value.to_string();
    }
    // Rounded as a whole, so that 59.999 carries over.
    let units = (value.abs() * per_unit).round();
    let sign = if value < 0.0 && units > 0.0 { "-" } else { "" };
    let whole = (units / per_unit).floor();
    let rest = units - whole * per_unit;
    let width = if decimals == 0 { 2 } else { 3 + decimals };
    if seconds {
        let per_minute = per_unit / 60.0;
        let minutes = (rest / per_minute).floor();
        let secs = (rest - minutes * per_minute) / (per_minute / 60.0);
        format!("{sign}{whole:.0}:{minutes:02.0}:{secs:0width$.decimals$}")
    } else {
        let minutes = rest / (per_unit / 60.0);
        format!("{sign}{whole:.0}:{minutes:0width$.decimals$}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_of_real_drivers_are_read() {
        for (text, value) in [
            ("5.25", 5.25),
            (" -5.3e-2 ", -0.053),
            ("12:00:30", 12.0 + 30.0 / 3600.0),
            ("-0:30", -0.5),
            ("-1 30 36", -1.51),
            ("12;15", 12.25),
            ("10:", 10.0),
            ("+3", 3.0),
        ] {
            assert!((parse_number(text).unwrap() - value).abs() < 1e-12, "{text}");
        }
        for text in ["", "-", "on", "1:2:3:4", "1:-2", "nan", "inf", "1e999", "::"] {
            assert_eq!(parse_number(text), None, "{text}");
        }
    }

    #[test]
    fn formats_show_what_c_shows() {
        for (value, format, text) in [
            (5.199_999_8, "%5.2f", " 5.20"),
            (42.0, "%.f", "42"),
            (42.0, "%4.0f", "  42"),
            (1234567.0, "%g", "1.23457e+06"),
            (0.0001, "%g", "0.0001"),
            (0.5, "%g", "0.5"),
            (-3.7, "%d", "-3"),
            (1.5, "%+07.2f deg", "+001.50 deg"),
            (1.5, "%-6.1f|", "1.5   |"),
            (12.582_5, "%010.6m", "  12:34:57"),
            (-0.5, "%9.6m", " -0:30:00"),
            (0.999_999, "%6.3m", "  1:00"),
            (1.51, "%7.5m", " 1:30.6"),
            (2.0, "%s", "2"),
            (2.0, "", "2"),
            (2.0, "%999999999f", "2"),
        ] {
            assert_eq!(format_number(value, format), text, "{format}");
        }
    }

    proptest! {
        #[test]
        fn decimals_are_read_as_the_general_way_reads_them(text in "-?[0-9]{0,9}\\.?[0-9]{0,9}") {
            let general = text.parse::<f64>().ok();
            prop_assert_eq!(parse_number(&text).map(f64::to_bits), general.map(f64::to_bits));
            let fast = parse_decimal(text.as_bytes());
            prop_assert!(fast.is_none() || fast.map(f64::to_bits) == general.map(f64::to_bits));
            let usual = text.len() < 15 && text.bytes().any(|byte| byte.is_ascii_digit());
            prop_assert!(!usual || fast.is_some());
        }

        #[test]
        fn sexagesimal_reads_back(value in -1e4f64..1e4) {
            let read = parse_number(&format_number(value, "%12.9m")).unwrap();
            prop_assert!((read - value).abs() < 0.51 / 360_000.0 + 1e-9);
        }

        #[test]
        fn any_text_and_any_format_are_survived(text in "\\PC{0,20}", value in any::<f64>(), flags in "[-+ 0#]{0,2}[0-9]{0,3}(\\.[0-9]{0,3})?[a-z%]") {
            let _ = parse_number(&text);
            let _ = format_number(value, &text);
            let _ = format_number(value, &format!("%{flags}"));
        }
    }
}
