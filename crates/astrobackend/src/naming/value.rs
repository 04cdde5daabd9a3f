//! What the tokens of a pattern stand for, made harmless as part of a name.

use crate::{Site, Timestamp, image::ImageMeta, observation::Observation};
use jiff::{SignedDuration, civil::DateTime, tz::Offset};

/// A value is cut to this, so that a name of several stays below the 255 bytes that file systems allow.
const VALUE_BYTES: usize = 60;

/// What a pattern can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Object,
    Type,
    Filter,
    Exptime,
    Gain,
    Offset,
    Temp,
    Bin,
    Camera,
    Datetime,
    Date,
    Night,
    /// With at least so many digits.
    N(usize),
}

/// The tokens by the names they have in a pattern.
pub(super) const TOKENS: [(&str, Token); 13] = [
    ("object", Token::Object),
    ("type", Token::Type),
    ("filter", Token::Filter),
    ("exptime", Token::Exptime),
    ("gain", Token::Gain),
    ("offset", Token::Offset),
    ("temp", Token::Temp),
    ("bin", Token::Bin),
    ("camera", Token::Camera),
    ("datetime", Token::Datetime),
    ("date", Token::Date),
    ("night", Token::Night),
    ("n", Token::N(1)),
];

/// What a token stands for, harmless as part of a name.
pub(super) fn value(token: Token, meta: &ImageMeta, observation: &Observation, n: u32) -> String {
    let known = match token {
        Token::Object => observation.object.clone(),
        Token::Type => meta.frame_type.map(|kind| kind.to_string()),
        Token::Filter => {
            let named = observation.filter.clone().filter(|name| !name.trim().is_empty());
            named.or_else(|| Some("nofilter".into()))
        }
        Token::Exptime => meta.exposure.map(|time| ((time.as_secs_f64() * 1e6).round() / 1e6).to_string()),
        Token::Gain => meta.gain.map(|gain| gain.to_string()),
        Token::Offset => meta.offset.map(|offset| offset.to_string()),
        // Adding 0 turns -0.0 into 0.0.
        Token::Temp => meta.temperature.map(|t| format!("{:.1}", (t.0 * 10.0).round() / 10.0 + 0.0)),
        Token::Bin => meta.frame.map(|frame| format!("{}x{}", frame.bin_x, frame.bin_y)),
        Token::Camera => meta.camera.clone(),
        Token::Datetime => meta.start.map(|start| utc(start).strftime("%Y-%m-%dT%H-%M-%S").to_string()),
        Token::Date => meta.start.map(|start| utc(start).date().to_string()),
        Token::Night => meta.start.map(|start| night(start, observation.site.as_ref())),
        Token::N(width) => return format!("{n:0width$}"),
    };
    harmless(&known.unwrap_or_default())
}

fn utc(at: Timestamp) -> DateTime {
    Offset::UTC.to_datetime(at)
}

/// The date on which the night began: that of local mean solar time twelve hours earlier.
fn night(at: Timestamp, site: Option<&Site>) -> String {
    let east = site.map_or(0.0, |site| site.longitude.signed().hours().0);
    let shift = SignedDuration::from_secs(((east - 12.0) * 3600.0) as i64);
    utc(at.checked_add(shift).unwrap_or(at)).date().to_string()
}

/// A text without anything that a name must not have or that would lead to another folder.
fn harmless(value: &str) -> String {
    let allowed = |c: char| {
        let invisible =
            matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}');
        !(c.is_control() || c.is_whitespace() || invisible || "<>:\"/\\|?*".contains(c))
    };
    let mut name: String = value.trim().chars().map(|c| if allowed(c) { c } else { '_' }).collect();
    let cut = (0..=VALUE_BYTES.min(name.len())).rev().find(|at| name.is_char_boundary(*at));
    name.truncate(cut.unwrap_or(0));
    if name.starts_with('.') {
        name.replace_range(..1, "_");
    }
    if name.ends_with('.') {
        name.replace_range(name.len() - 1.., "_");
    }
    if name.is_empty() { "unknown".into() } else { name }
}

/// True for the names that Windows keeps for devices, with any extension.
pub(super) fn is_reserved(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_uppercase();
    let is_port = |prefix| {
        let number = stem.strip_prefix(prefix).map(|rest| rest.chars().collect::<Vec<_>>());
        matches!(number.as_deref(), Some(['0'..='9' | '¹' | '²' | '³']))
    };
    matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$") || is_port("COM") || is_port("LPT")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Degrees, Metres};

    #[test]
    fn the_night_lasts_from_noon_to_noon_at_the_site() {
        let date = |at: &str, longitude: Option<f64>| {
            let site = longitude.map(|lon| Site::new(Degrees(0.0), Degrees(lon), Metres(0.0)).unwrap());
            night(at.parse().unwrap(), site.as_ref())
        };
        assert_eq!(date("2025-01-15T11:59:59Z", None), "2025-01-14");
        assert_eq!(date("2025-01-15T12:00:00Z", None), "2025-01-15");
        // Hawaii: the whole night falls on the next day of UTC.
        assert_eq!(date("2025-01-16T05:00:00Z", Some(-155.5)), "2025-01-15");
        assert_eq!(date("2025-01-16T15:00:00Z", Some(-155.5)), "2025-01-15");
        assert_eq!(date("2025-01-16T22:23:00Z", Some(-155.5)), "2025-01-16");
        // Siding Spring: the evening begins in the morning of UTC.
        assert_eq!(date("2025-01-15T09:00:00Z", Some(149.1)), "2025-01-15");
        assert_eq!(date("2025-01-15T19:00:00Z", Some(149.1)), "2025-01-15");
        assert_eq!(night(Timestamp::MIN, None), utc(Timestamp::MIN).date().to_string());
    }
}
