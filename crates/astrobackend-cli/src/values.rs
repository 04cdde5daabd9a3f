//! The forms of arguments: places on the sky, positions, regions, times.

use astrobackend::{
    AltAz, Degrees, Equinox, Error, Hours, RaDec, Result,
    device::{Target, TrackingRate, check_target},
};
use std::{str::FromStr, time::Duration};

/// A number of seconds, not negative.
pub(crate) fn seconds(text: &str) -> Result<Duration> {
    let number: f64 = text.trim_end_matches('s').parse().map_err(|_| wrong(text, "no number of seconds"))?;
    Duration::try_from_secs_f64(number).map_err(|_| wrong(text, "no length of time"))
}

/// A finite number.
pub(crate) fn number(text: &str) -> Result<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite()).ok_or_else(|| wrong(text, "no number"))
}

fn wrong(text: &str, why: &str) -> Error {
    Error::invalid(format!("{text:?} is {why}"))
}

/// A place to point at, as the user wrote it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Place {
    target: Target,
    /// The text itself named the equinox.
    explicit: bool,
}

impl Place {
    /// The target, of the present equinox if so wished and not said otherwise.
    pub(crate) fn target(self, jnow: bool) -> Target {
        match self.target {
            Target::RaDec(place) if jnow && !self.explicit => {
                Target::RaDec(RaDec { equinox: Equinox::OfDate, ..place })
            }
            target => target,
        }
    }
}

/// Reads `05:35:17.3 -05:23:28`, `5h35m17.3s -5d23m28s`, `5.588 -5.391`, optionally with `J2000` or `JNow` after
/// it, and `alt 45 az 180`.
impl FromStr for Place {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let spaced = text.replace([',', '='], " ");
        let mut words: Vec<&str> = spaced.split_whitespace().collect();
        let equinox = words.last().and_then(|word| match word.to_ascii_lowercase().as_str() {
            "j2000" => Some(Equinox::J2000),
            "jnow" => Some(Equinox::OfDate),
            _ => None,
        });
        if equinox.is_some() {
            words.pop();
        }
        let target = match words.first().map(|word| word.to_ascii_lowercase()) {
            Some(word) if (word == "alt" || word == "az") && equinox.is_none() => alt_az(&words, text)?.into(),
            _ => RaDec { equinox: equinox.unwrap_or_default(), ..ra_dec(&words, text)? }.into(),
        };
        check_target(target)?;
        Ok(Place { target, explicit: equinox.is_some() })
    }
}

fn no_target(text: &str) -> Error {
    wrong(text, r#"no target; write it as "05:35:17.3 -05:23:28" or "alt 45 az 180""#)
}

fn ra_dec(words: &[&str], text: &str) -> Result<RaDec> {
    let signed = words.iter().skip(1).position(|word| word.starts_with(['+', '-', '\u{2212}']));
    let middle = match (signed, words.len()) {
        (Some(before), _) => before + 1,
        (None, 2 | 4 | 6) => words.len() / 2,
        _ => return Err(no_target(text)),
    };
    let (ra, dec) = (words[..middle].join(" "), words[middle..].join(" "));
    if ra.contains(['d', 'D', '°']) {
        return Err(Error::invalid(format!("right ascension {ra:?} must be in hours")));
    }
    let dec = dec.parse::<Degrees>().map_err(|_| no_target(text))?;
    let ra =
        ra.parse::<Hours>().map_err(|error| if error.message().contains("hours") { error } else { no_target(text) })?;
    Ok(RaDec::j2000(ra, dec))
}

fn alt_az(words: &[&str], text: &str) -> Result<AltAz> {
    let second = words.iter().skip(1).position(|word| ["alt", "az"].contains(&word.to_ascii_lowercase().as_str()));
    let (first, second) = words.split_at(second.ok_or_else(|| no_target(text))? + 1);
    let angle = |words: &[&str]| words[1..].join(" ").parse::<Degrees>().map_err(|_| no_target(text));
    let is_alt = |words: &[&str]| words[0].eq_ignore_ascii_case("alt");
    match (is_alt(first), is_alt(second)) {
        (true, false) => Ok(AltAz { alt: angle(first)?, az: angle(second)? }),
        (false, true) => Ok(AltAz { alt: angle(second)?, az: angle(first)? }),
        _ => Err(no_target(text)),
    }
}

/// Where the focuser is to go: `52000`, or `+500` and `-500` from where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FocusMove {
    /// To a position.
    To(i32),
    /// By a number of steps.
    By(i32),
}

impl FromStr for FocusMove {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let steps = text.parse().map_err(|_| wrong(text, "no position such as 52000, +500 or -500"))?;
        Ok(if text.starts_with(['+', '-']) { FocusMove::By(steps) } else { FocusMove::To(steps) })
    }
}

/// What the cooler is to do: a temperature in degrees Celsius, or `off`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cooling {
    /// Reach a temperature.
    To(f64),
    /// Nothing.
    Off,
}

impl FromStr for Cooling {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.eq_ignore_ascii_case("off") {
            true => Ok(Cooling::Off),
            false => number(text).map(Cooling::To).map_err(|_| wrong(text, "no temperature such as -10, nor off")),
        }
    }
}

/// How the mount is to follow the sky.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TrackChange {
    /// At the speed it had.
    On,
    /// Not at all.
    Off,
    /// At a named speed.
    At(TrackingRate),
}

impl FromStr for TrackChange {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.to_ascii_lowercase().as_str() {
            "on" => Ok(TrackChange::On),
            "off" => Ok(TrackChange::Off),
            rate => rate
                .parse()
                .map(TrackChange::At)
                .map_err(|_| wrong(text, "no way to track: on, off, sidereal, lunar, solar or king")),
        }
    }
}

/// `2`, or `2x1` for across and down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Binning(pub(crate) u8, pub(crate) u8);

impl FromStr for Binning {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (x, y) = text.split_once(['x', 'X']).unwrap_or((text, text));
        let factor = |text: &str| text.parse().ok().filter(|n: &u8| *n > 0);
        match (factor(x), factor(y)) {
            (Some(x), Some(y)) => Ok(Binning(x, y)),
            _ => Err(wrong(text, "no binning such as 2 or 2x1")),
        }
    }
}

/// `x,y,width,height` in pixels of the picture, that is binned ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Region(pub(crate) [u32; 4]);

impl FromStr for Region {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let numbers: Option<Vec<u32>> = text.split(',').map(|part| part.trim().parse().ok()).collect();
        let region = numbers.and_then(|numbers| <[u32; 4]>::try_from(numbers).ok());
        region.map(Region).ok_or_else(|| wrong(text, "no region; write x,y,width,height in pixels"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Target {
        text.parse::<Place>().unwrap_or_else(|error| panic!("{text}: {error}")).target(false)
    }

    #[test]
    fn a_target_is_read_in_the_forms_that_people_write() {
        let nebula = place("05:35:17.3 -05:23:28");
        for text in ["5h35m17.3s -5d23m28s", "5 35 17.3 -5 23 28", "05:35:17.3, -05:23:28", "5:35:17.3 −5:23:28 J2000"]
        {
            assert_eq!(place(text), nebula, "{text}");
        }
        assert_eq!(place("5 35 17 5 23 28"), place("05:35:17 +05:23:28"));
        assert_eq!(place("alt 45 az 180"), place("az=180,alt=45"));
        assert_eq!(place("alt -0 30 0 az 1"), Target::AltAz(AltAz { alt: Degrees(-0.5), az: Degrees(1.0) }));
    }

    #[test]
    fn what_the_command_prints_it_also_reads() {
        let at = RaDec::new(Hours(5.5), Degrees(-5.5), Equinox::OfDate);
        assert_eq!(place(&at.to_string()), Target::RaDec(at));
        let direction = AltAz { alt: Degrees(10.0), az: Degrees(350.0) };
        assert_eq!(place(&direction.to_string()), Target::AltAz(direction));
    }

    #[test]
    fn the_equinox_is_taken_from_the_text_or_the_option() {
        let equinox = |text: &str, jnow| match text.parse::<Place>().unwrap().target(jnow) {
            Target::RaDec(place) => place.equinox,
            other => panic!("{other}"),
        };
        assert_eq!(equinox("5.5 3", false), Equinox::J2000);
        assert_eq!(equinox("5.5 3", true), Equinox::OfDate);
        assert_eq!(equinox("5.5 3 J2000", true), Equinox::J2000);
    }

    #[test]
    fn what_is_no_place_is_refused_with_the_reason() {
        for (text, why) in [
            ("M42", "write it as"),
            ("", "write it as"),
            ("05:35:17.3", "write it as"),
            ("25:00:00 +10:00:00", "24 hours"),
            ("83.8d -5.4", "in hours"),
            ("05:35:17 -95:00:00", "declination -95"),
            ("05:61:17 -05:00:00", "write it as"),
            ("alt 95 az 10", "altitude 95"),
            ("alt 45", "write it as"),
            ("alt 45 alt 45", "write it as"),
        ] {
            let error = text.parse::<Place>().unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn a_sign_makes_a_focus_move_relative() {
        assert_eq!("52000".parse::<FocusMove>().unwrap(), FocusMove::To(52_000));
        assert_eq!("+500".parse::<FocusMove>().unwrap(), FocusMove::By(500));
        assert_eq!("-500".parse::<FocusMove>().unwrap(), FocusMove::By(-500));
        assert!("5.5".parse::<FocusMove>().is_err() && "99999999999".parse::<FocusMove>().is_err());
    }

    #[test]
    fn numbers_that_are_none_are_refused() {
        for text in ["nan", "inf", "-1", "x", "1e400"] {
            assert!(seconds(text).is_err(), "{text}");
        }
        assert!(number("nan").is_err());
        assert!("0".parse::<Binning>().is_err() && "2x".parse::<Binning>().is_err());
        assert!("1,2,3".parse::<Region>().is_err() && "-1,0,5,5".parse::<Region>().is_err());
    }
}
