//! What a header says about a picture, in the words of [`ImageMeta`]: the keywords of many programs.

use super::{Header, Value};
use crate::{
    Celsius, Timestamp,
    device::{BayerPattern, FrameType},
    guard::Verdict,
    image::{Frame, ImageMeta},
};
use jiff::{civil::DateTime, tz::TimeZone};
use std::time::Duration;

/// Keywords of the Bayer pattern: everybody's, and MaxIm's.
const PATTERNS: [&str; 2] = ["BAYERPAT", "COLORTYP"];

/// Fills what the keywords tell; the cards that are left go into `header`.
pub(super) fn from_header(header: &Header, columns: u32, rows: u32) -> ImageMeta {
    let mut cards = Cards(header.clone().without_structure());
    let utc = header.text("TIMESYS").is_none_or(|system| system.eq_ignore_ascii_case("UTC"));
    let frame = frame(&mut cards, columns, rows);
    ImageMeta {
        camera: cards.text("INSTRUME"),
        camera_id: cards.text("CAMERAID"),
        frame_type: cards.first(&["IMAGETYP", "FRAME"], |value| frame_type(value.as_text()?)),
        start: cards.first(&["DATE-OBS"], |value| timestamp(value.as_text()?).filter(|_| utc)),
        exposure: cards.first(&["EXPTIME", "EXPOSURE"], |v| Duration::try_from_secs_f64(v.as_real()?).ok()),
        frame,
        pixel_size: pixel_size(&mut cards, frame),
        bayer: bayer(&mut cards),
        gain: cards.real("GAIN"),
        offset: cards.real("OFFSET"),
        electrons_per_adu: cards.real("EGAIN"),
        max_adu: cards.first(&["SATURATE"], |value| u32::try_from(value.as_integer()?).ok()),
        readout_mode: cards.text("READOUTM"),
        temperature: cards.real("CCD-TEMP").map(Celsius),
        set_point: cards.real("SET-TEMP").map(Celsius),
        exposure_number: cards.unsigned("FRAMENO"),
        verdict: verdict(&mut cards),
        header: cards.0,
    }
}

/// True when the first row of the file is the lowest of the picture; without a word camera software writes
/// the top row first.
pub(super) fn is_bottom_up(header: &Header) -> bool {
    header.text("ROWORDER").is_some_and(|order| order.eq_ignore_ascii_case("BOTTOM-UP"))
}

/// Makes the cards fit a picture whose rows have changed their order.
///
/// The Bayer pattern is that of the file's first row; a plate solution would have to be solved again.
pub(super) fn turn_over(header: &mut Header, rows: u32) {
    const SOLUTION: [&str; 9] = ["CTYPE", "CRPIX", "CRVAL", "CDELT", "CROTA", "CUNIT", "CD1_", "CD2_", "PC"];
    header.retain(|card| !SOLUTION.iter().any(|start| card.keyword.starts_with(start)));
    let turned = |mut card: super::Card, value: String| {
        card.value = Value::Text(value);
        card
    };
    if let Some(card) = header.card("ROWORDER").cloned() {
        header.put(turned(card, "TOP-DOWN".into()));
    }
    for keyword in PATTERNS {
        if let Some(card) = header.card(keyword).cloned()
            && let Some(Ok(pattern)) = card.value.as_text().map(str::parse::<BayerPattern>)
        {
            header.put(turned(card, pattern.shifted(0, rows.wrapping_add(1)).to_string()));
        }
    }
}

/// Cards that are taken out as they are understood.
struct Cards(Header);

impl Cards {
    /// The first of several keywords whose value is understood.
    fn first<T>(&mut self, keywords: &[&str], understand: impl Fn(&Value) -> Option<T>) -> Option<T> {
        keywords.iter().find_map(|keyword| {
            let understood = understand(self.0.get(keyword)?)?;
            self.0.remove(keyword);
            Some(understood)
        })
    }

    fn text(&mut self, keyword: &str) -> Option<String> {
        self.first(&[keyword], |value| value.as_text().filter(|text| !text.is_empty()).map(str::to_owned))
    }

    fn real(&mut self, keyword: &str) -> Option<f64> {
        self.first(&[keyword], Value::as_real)
    }

    fn unsigned<T: TryFrom<i64>>(&mut self, keyword: &str) -> Option<T> {
        self.first(&[keyword], |value| T::try_from(value.as_integer()?).ok())
    }
}

fn frame(cards: &mut Cards, width: u32, height: u32) -> Option<Frame> {
    let bin_x = cards.unsigned("XBINNING").filter(|bin| *bin > 0)?;
    let bin_y = cards.unsigned("YBINNING").filter(|bin| *bin > 0).unwrap_or(bin_x);
    let (x, y) = (cards.unsigned("XORGSUBF").unwrap_or(0), cards.unsigned("YORGSUBF").unwrap_or(0));
    Some(Frame { x, y, width, height, bin_x, bin_y })
}

/// `FRAMEOK` says whether a frame guard found nothing, `FRAMEMSG` what it found otherwise.
fn verdict(cards: &mut Cards) -> Option<Verdict> {
    let ok = cards.first(&["FRAMEOK"], Value::as_logical)?;
    let text = cards.text("FRAMEMSG");
    if ok {
        return Some(Verdict::Ok);
    }
    let found = text.as_deref().map(str::parse).and_then(Result::ok).filter(|verdict: &Verdict| !verdict.is_ok());
    // Somebody else's words.
    Some(found.unwrap_or_else(|| Verdict::Bad(text.unwrap_or_else(|| "its header says so".into()))))
}

/// Unbinned: as INDI gives it, or what MaxIm's keywords make of it.
fn pixel_size(cards: &mut Cards, frame: Option<Frame>) -> Option<(f64, f64)> {
    let (bin_x, bin_y) = frame.map_or((1.0, 1.0), |frame| (f64::from(frame.bin_x), f64::from(frame.bin_y)));
    let binned = (cards.real("XPIXSZ"), cards.real("YPIXSZ"));
    let width = cards.real("PIXSIZE1").or(binned.0.map(|size| size / bin_x))?;
    let height = cards.real("PIXSIZE2").or(binned.1.map(|size| size / bin_y)).unwrap_or(width);
    (width > 0.0 && height > 0.0).then_some((width, height))
}

/// The pattern at the first pixel: that of the keyword, moved by its offsets.
fn bayer(cards: &mut Cards) -> Option<BayerPattern> {
    let pattern: BayerPattern = cards.first(&PATTERNS, |value| value.as_text()?.parse().ok())?;
    PATTERNS.iter().for_each(|keyword| drop(cards.0.remove(keyword)));
    let mut odd =
        |keyword: &str| cards.first(&[keyword], Value::as_integer).map_or(0, |offset| offset.rem_euclid(2) as u32);
    Some(pattern.shifted(odd("XBAYROFF"), odd("YBAYROFF")))
}

/// `Light Frame`, `LIGHT`, `Dark`, `DARKFLAT`, `Flat Field`, `Bias Frame`, `zero`, `object` ...
fn frame_type(text: &str) -> Option<FrameType> {
    let text = text.trim().to_ascii_lowercase();
    [
        ("light", FrameType::Light),
        ("object", FrameType::Light),
        ("dark", FrameType::Dark),
        ("bias", FrameType::Bias),
        ("zero", FrameType::Bias),
        ("flat", FrameType::Flat),
    ]
    .into_iter()
    .find_map(|(start, kind)| text.starts_with(start).then_some(kind))
}

/// ISO 8601 in UTC with date and time, with or without `Z`.
fn timestamp(text: &str) -> Option<Timestamp> {
    let text = text.trim().trim_end_matches('Z');
    let civil: DateTime = text.contains('T').then(|| text.parse().ok())??;
    TimeZone::UTC.to_timestamp(civil).ok()
}
