//! Names of picture files: a pattern of the user's, filled in with what is known about each picture.
//!
//! What devices and people call things becomes part of a name here, so it is made harmless:
//! no value opens another folder, and every name is allowed on every system.

mod value;

use crate::{Error, Result, image::ImageMeta, observation::Observation};
use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};
use value::{TOKENS, Token, is_reserved, value};

/// A file name with tokens in braces, for instance `{night}/{object}_{filter}_{exptime}s_{n:04}.fits`.
///
/// | token | becomes | if unknown |
/// |---|---|---|
/// | `{object}` | name of the object | `unknown` |
/// | `{type}` | `light`, `dark`, `bias`, `flat` | `unknown` |
/// | `{filter}` | name of the filter | `nofilter` |
/// | `{exptime}` | exposure in seconds: `300`, `0.5` | `unknown` |
/// | `{gain}` `{offset}` | the driver's settings: `100` | `unknown` |
/// | `{temp}` | sensor temperature in degrees Celsius: `-10.0` | `unknown` |
/// | `{bin}` | binning: `2x2` | `unknown` |
/// | `{camera}` | name of the camera | `unknown` |
/// | `{datetime}` | start in UTC: `2025-01-15T22-31-05` | `unknown` |
/// | `{date}` | its date: `2025-01-15` | `unknown` |
/// | `{night}` | date of the evening: days begin at mean solar noon of the site, or at noon UTC without a site | `unknown` |
/// | `{n}` `{n:04}` | a number; with at least four digits | |
///
/// `{{` and `}}` stand for braces. Folders are separated by `/` (on Windows also by `\`).
///
/// In values, whatever is not allowed in a name on Linux, macOS or Windows, and blanks, become `_`; they are cut
/// to 60 bytes; a name reserved on Windows (`NUL`, `COM1` ...) gets a `_` in front. So a value never leaves
/// the pattern's folder.
///
/// ```
/// use astrobackend::{image::ImageMeta, naming::Pattern, observation::Observation};
/// let pattern: Pattern = "{night}/{object}_{filter}_{n:04}.fits".parse()?;
/// let meta = ImageMeta { start: "2025-01-16T02:31:05Z".parse().ok(), ..Default::default() };
/// let observation = Observation { object: Some("M 42".into()), ..Default::default() };
/// let path = pattern.path(&meta, &observation, 7);
/// assert_eq!(path, std::path::Path::new("2025-01-15/M_42_nofilter_0007.fits"));
/// # Ok::<_, astrobackend::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    /// Folders, then the file.
    components: Vec<Vec<Part>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Token(Token),
}

impl Pattern {
    /// Reads a pattern; a plain file name is one too.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidValue`](crate::ErrorKind::InvalidValue) for an unknown token (the message lists
    /// them all), a brace without its partner, and a pattern that names no file.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = |why: String| Error::invalid(format!("file name pattern {text:?}: {why}"));
        let separators: &[char] = if cfg!(windows) { &['/', '\\'] } else { &['/'] };
        let components = text.split(separators).map(parts).collect::<Result<Vec<_>, _>>().map_err(wrong)?;
        if matches!(text.rsplit(separators).next(), None | Some("" | "." | "..")) {
            return Err(wrong("it ends without the name of a file".into()));
        }
        if text.contains('\0') {
            return Err(wrong("no system allows a NUL character in a name".into()));
        }
        Ok(Pattern { text: text.to_owned(), components })
    }

    /// The path of one picture; `n` is its number. Nothing is looked up or created.
    pub fn path(&self, meta: &ImageMeta, observation: &Observation, n: u32) -> PathBuf {
        let component = |parts: &Vec<Part>| fill(parts, |token| value(token, meta, observation, n));
        self.components.iter().map(component).collect::<Vec<_>>().join("/").into()
    }

    /// True if the pattern contains `{n}`, and so gives every number a path of its own.
    pub fn has_counter(&self) -> bool {
        self.components.iter().flatten().any(|part| matches!(part, Part::Token(Token::N(_))))
    }

    /// The pattern itself if it has `{n}`; else with `_{n:04}` before the extension, for more than one picture.
    ///
    /// ```
    /// use astrobackend::naming::Pattern;
    /// assert_eq!(Pattern::parse("m42.fits")?.with_counter().to_string(), "m42_{n:04}.fits");
    /// # Ok::<_, astrobackend::Error>(())
    /// ```
    #[must_use]
    pub fn with_counter(self) -> Self {
        if self.has_counter() {
            return self;
        }
        let Pattern { mut text, mut components } = self;
        let extension = extension(&text).to_owned();
        text.truncate(text.len() - extension.len());
        text.push_str("_{n:04}");
        text.push_str(&extension);
        if let Some(file) = components.last_mut() {
            // An extension contains no braces, so it is the end of the last text.
            if let Some(Part::Text(last)) = file.last_mut() {
                last.truncate(last.len() - extension.len());
                last.push('_');
            }
            file.extend([Part::Token(Token::N(4)), Part::Text(extension)]);
        }
        Pattern { text, components }
    }

    /// The path with the first number from `first` on under which there is no file yet, and that number.
    ///
    /// A pattern without `{n}` has one path, which is returned whether there is a file or not: writing refuses
    /// to overwrite it unless asked. Costs a look at the disk for each number tried. Between two programs that
    /// write with the same pattern, the second to write is refused.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidOperation`](crate::ErrorKind::InvalidOperation) when all numbers are taken.
    pub fn next_free(&self, meta: &ImageMeta, observation: &Observation, first: u32) -> Result<(u32, PathBuf)> {
        let free = |path: &Path| !self.has_counter() || path.symlink_metadata().is_err();
        (first..=u32::MAX)
            .map(|n| (n, self.path(meta, observation, n)))
            .find(|(_, path)| free(path))
            .ok_or_else(|| Error::invalid_operation(format!("no number is free for the files {self}")))
    }
}

impl FromStr for Pattern {
    type Err = Error;

    /// See [`Pattern::parse`].
    fn from_str(text: &str) -> Result<Self> {
        Pattern::parse(text)
    }
}

/// As it was written.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

/// The parts of one folder or file name, or what is wrong with it.
fn parts(text: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, from_brace) = rest.split_at(at);
        literal.push_str(before);
        let (brace, after) = from_brace.split_at(1);
        if let Some(after) = after.strip_prefix(brace) {
            literal.push_str(brace);
            rest = after;
            continue;
        }
        let (name, after) = match after.split_once('}') {
            Some(token) if brace == "{" => token,
            _ => return Err(format!("a {brace} has no partner; {brace}{brace} stands for the character itself")),
        };
        parts.extend([Part::Text(std::mem::take(&mut literal)), Part::Token(token(name)?)]);
        rest = after;
    }
    literal.push_str(rest);
    parts.push(Part::Text(literal));
    Ok(parts)
}

fn token(name: &str) -> Result<Token, String> {
    if let Some(digits) = name.strip_prefix("n:") {
        let width = digits.parse().ok().filter(|width| (1..=10).contains(width));
        return width
            .map(Token::N)
            .ok_or_else(|| format!("{{{name}}} is no number of 1 to 10 digits such as {{n:04}}"));
    }
    let known = TOKENS.iter().find(|(known, _)| *known == name);
    known.map(|(_, token)| *token).ok_or_else(|| {
        let all: Vec<_> = TOKENS.iter().map(|(name, _)| format!("{{{name}}}")).collect();
        format!("there is no {{{name}}}, only {} and {{n:04}}", all.join(" "))
    })
}

/// `.fits`, `.fits.fz`: what programs tell the format by; empty if there is none.
fn extension(text: &str) -> &str {
    let packing = [".fz", ".gz"].into_iter().find(|packing| text.ends_with(packing)).unwrap_or("");
    let unpacked = &text[..text.len() - packing.len()];
    match unpacked.rsplit_once('.') {
        Some((stem, format))
            if !stem.is_empty()
                && (1..=5).contains(&format.len())
                && format.starts_with(|c: char| c.is_ascii_alphabetic())
                && format.bytes().all(|b| b.is_ascii_alphanumeric()) =>
        {
            &text[stem.len()..]
        }
        _ => packing,
    }
}

fn fill(parts: &[Part], value: impl Fn(Token) -> String) -> String {
    let text = |part: &Part| match part {
        Part::Text(text) => text.clone(),
        Part::Token(token) => value(*token),
    };
    let name: String = parts.iter().map(text).collect();
    let from_values = parts.iter().any(|part| matches!(part, Part::Token(_)));
    if from_values && is_reserved(&name) { format!("_{name}") } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Celsius, ErrorKind, device::FrameType, image::Frame};
    use proptest::prelude::*;
    use std::{path::Component, time::Duration};

    fn meta() -> ImageMeta {
        ImageMeta {
            camera: Some("ZWO ASI6200MM Pro".into()),
            frame_type: Some(FrameType::Light),
            start: "2025-01-15T22:31:05.75Z".parse().ok(),
            exposure: Some(Duration::from_millis(300_500)),
            frame: Some(Frame::full(100, 100, 2)),
            gain: Some(100.0),
            offset: Some(12.5),
            temperature: Some(Celsius(-0.04)),
            ..Default::default()
        }
    }

    fn observation() -> Observation {
        Observation { object: Some("M 42".into()), filter: Some("H\u{3b1} 3/nm".into()), ..Default::default() }
    }

    fn name(pattern: &str) -> String {
        Pattern::parse(pattern).unwrap().path(&meta(), &observation(), 7).into_os_string().into_string().unwrap()
    }

    #[test]
    fn tokens_become_their_values() {
        assert_eq!(
            name("{object}_{type}_{filter}_{exptime}s_g{gain}_o{offset}_{temp}C_{bin}_{n}.fits"),
            "M_42_light_H\u{3b1}_3_nm_300.5s_g100_o12.5_0.0C_2x2_7.fits"
        );
        assert_eq!(
            name("/data/{date}/{datetime}_{camera}_{n:04}"),
            "/data/2025-01-15/2025-01-15T22-31-05_ZWO_ASI6200MM_Pro_0007"
        );
        assert_eq!(name("{{{n:2}}}.fits"), "{07}.fits");
        assert_eq!(name("../plain name.fits"), "../plain name.fits");
    }

    #[test]
    fn what_is_unknown_gets_a_word() {
        let pattern = Pattern::parse("{object}_{type}_{filter}_{exptime}_{temp}_{bin}_{night}_{n}").unwrap();
        let path = pattern.path(&ImageMeta::default(), &Observation::default(), 0);
        assert_eq!(path, Path::new("unknown_unknown_nofilter_unknown_unknown_unknown_unknown_0"));
    }

    #[test]
    fn a_wrong_pattern_is_refused_with_the_reason() {
        for (pattern, reason) in [
            ("{objct}.fits", "no {objct}, only {object} {type} {filter}"),
            ("{object:3}.fits", "no {object:3}"),
            ("{n:0}.fits", "1 to 10 digits"),
            ("{n:99999}.fits", "1 to 10 digits"),
            ("{object.fits", "a { has no partner"),
            ("object}.fits", "a } has no partner"),
            ("{obj/ect}.fits", "a { has no partner"),
            ("{}", "no {}"),
            ("", "without the name of a file"),
            ("frames/", "without the name of a file"),
            ("frames/..", "without the name of a file"),
            ("a\0b", "NUL"),
        ] {
            let error = Pattern::parse(pattern).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidValue);
            assert!(error.to_string().contains(reason), "{error}");
        }
    }

    #[test]
    fn a_counter_goes_before_the_extension_once() {
        for (pattern, expected) in [
            ("m42.fits", "m42_{n:04}.fits"),
            ("{night}/{object}.fits.fz", "{night}/{object}_{n:04}.fits.fz"),
            ("{object}", "{object}_{n:04}"),
            ("v1.2/{object}", "v1.2/{object}_{n:04}"),
            ("ngc.{exptime}", "ngc.{exptime}_{n:04}"),
            ("m42.5", "m42.5_{n:04}"),
            ("{{m42}}.fit", "{{m42}}_{n:04}.fit"),
            ("{n}.fits", "{n}.fits"),
        ] {
            let with_counter = Pattern::parse(pattern).unwrap().with_counter();
            assert_eq!(with_counter.to_string(), expected);
            let again = Pattern::parse(expected).unwrap();
            assert_eq!(with_counter, again);
            assert_eq!(with_counter.path(&meta(), &observation(), 3), again.path(&meta(), &observation(), 3));
            assert!(with_counter.has_counter());
        }
    }

    #[test]
    fn the_first_free_number_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let text = format!("{}/{{object}}_{{n:03}}.fits", folder.path().display());
        let pattern = Pattern::parse(&text).unwrap();
        for taken in ["M_42_001.fits", "M_42_002.fits", "M_42_004.fits"] {
            std::fs::write(folder.path().join(taken), "").unwrap();
        }
        let (n, path) = pattern.next_free(&meta(), &observation(), 1).unwrap();
        assert_eq!((n, path), (3, folder.path().join("M_42_003.fits")));
        assert_eq!(pattern.next_free(&meta(), &observation(), 4).unwrap().0, 5);

        let single = Pattern::parse(&format!("{}/M_42_001.fits", folder.path().display())).unwrap();
        assert_eq!(single.next_free(&meta(), &observation(), 1).unwrap(), (1, folder.path().join("M_42_001.fits")));
    }

    #[test]
    fn names_that_windows_reserves_are_avoided() {
        for object in ["nul", "CON", "Com1", "lpt\u{b9}", "aux "] {
            let observation = Observation { object: Some(object.into()), ..Default::default() };
            let path = Pattern::parse("{object}/{object}.fits").unwrap().path(&meta(), &observation, 0);
            let expected = object.trim();
            assert_eq!(path, PathBuf::from(format!("_{expected}/_{expected}.fits")));
        }
        assert!(!is_reserved("Com10") && !is_reserved("console"));
    }

    fn any_text() -> impl Strategy<Value = String> {
        prop_oneof![any::<String>(), "[./\\\\: \\x00-\\x1f*?]{0,8}", "(nul|CON|com1|\\.\\.)[. ]{0,2}", ".{100,300}"]
    }

    proptest! {
        #[test]
        fn no_value_leaves_the_folder(object in any_text(), filter in any_text(), camera in any_text(), gain: f64) {
            let meta = ImageMeta { camera: Some(camera), gain: Some(gain), ..meta() };
            let observation = Observation { object: Some(object), filter: Some(filter), ..Default::default() };
            let pattern = Pattern::parse("data/{object}/.{filter}/{camera}{n}.{gain}").unwrap();
            let path = pattern.path(&meta, &observation, 1);
            let components: Vec<_> = path.components().collect();
            prop_assert_eq!(components.len(), 4);
            prop_assert!(path.starts_with("data"));
            for component in components {
                let Component::Normal(name) = component else { panic!("{component:?} in {path:?}") };
                let name = name.to_str().unwrap();
                prop_assert!(name.len() <= 255 && !name.ends_with(['.', ' ']), "{}", name);
                prop_assert!(!name.contains(|c: char| c.is_control() || "<>:\"/\\|?*".contains(c)), "{}", name);
                prop_assert!(!is_reserved(name), "{}", name);
            }
        }

        #[test]
        fn any_pattern_is_read_or_refused(text in any_text(), braces in "[{}n:04a/.]{0,12}") {
            for text in [text, braces] {
                if let Ok(pattern) = Pattern::parse(&text) {
                    let counted = pattern.with_counter();
                    prop_assert_eq!(&Pattern::parse(&counted.to_string()).unwrap().to_string(), &counted.to_string());
                    counted.path(&ImageMeta::default(), &Observation::default(), u32::MAX);
                }
            }
        }
    }
}
