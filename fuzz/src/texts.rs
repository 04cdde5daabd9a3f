//! What people and configuration files write: addresses, angles, file names, rig files, INDI properties.

use astrobackend::{
    Address, Degrees, Hours,
    backend::indi::properties::{Assignment, Pattern as PropertyPattern},
    image::ImageMeta,
    naming::Pattern,
    observation::Observation,
    rig::Rig,
};
use std::fmt::Write;

/// Any text is an address or refused; what is printed reads as the same address.
pub fn address(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match text.parse::<Address>() {
        Ok(address) => {
            let printed = address.to_string();
            assert_eq!(printed.parse::<Address>().as_ref(), Ok(&address), "{printed:?}");
            assert!(!printed.contains(char::is_control), "{printed:?}");
            let safe = address.clone().without_secrets();
            assert!(address.option("password").is_none() || safe.option("password") == Some("***"));
        }
        Err(error) => assert!(error.message().len() < 12 * text.len() + 400, "{error}"),
    }
}

/// Any text is an angle or refused; what is printed reads as nearly the same angle, and is finite.
pub fn angle(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(angle) = text.parse::<Degrees>() {
        assert!(angle.0.is_finite());
        same(angle.0, &format!("{angle:.9}"), |text| text.parse::<Degrees>().map(|angle| angle.0));
        same(angle.signed().0, &format!("{:.9}", angle.signed()), |text| text.parse::<Degrees>().map(|angle| angle.0));
        assert!((-180.0..180.0).contains(&angle.signed().0) && (0.0..360.0).contains(&angle.normalized().0));
    }
    if let Ok(hours) = text.parse::<Hours>() {
        assert!((0.0..24.0).contains(&hours.0));
        if hours.0 < 23.999 {
            same(hours.0, &format!("{hours:.9}"), |text| text.parse::<Hours>().map(|hours| hours.0));
        }
    }
}

fn same(angle: f64, printed: &str, read: impl Fn(&str) -> astrobackend::Result<f64>) {
    let again = read(printed).unwrap_or_else(|error| panic!("{angle} prints as {printed}: {error}"));
    assert!((again - angle).abs() <= 1e-12 + angle.abs() * 1e-12, "{angle} prints as {printed}, which is {again}");
}

/// Any pattern is one or refused; no value leads out of the folder of the pattern, or puts into a name what must not be there.
///
/// The input is a pattern, and after zeros an object, a filter and a camera.
pub fn naming(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut parts = text.split('\0');
    let mut part = || parts.next().map(str::to_owned);
    let written = part().unwrap_or_default();
    let Ok(pattern) = Pattern::parse(&written) else { return };
    let observation = Observation { object: part(), filter: part(), ..Observation::default() };
    let meta = ImageMeta { camera: part(), ..ImageMeta::default() };
    let counted = pattern.clone().with_counter();
    for pattern in [&pattern, &counted] {
        assert_eq!(Pattern::parse(&pattern.to_string()).as_ref(), Ok(pattern), "{pattern}");
        let path = pattern.path(&meta, &observation, 7).into_os_string().into_string().expect("UTF-8");
        let (names, written) = (path.split('/'), pattern.to_string());
        assert_eq!(names.clone().count(), written.split('/').count(), "{path:?} of {pattern}");
        for (name, written) in names.zip(written.split('/')) {
            assert!(name == written || !matches!(name, "" | "." | ".."), "{path:?} of {pattern}");
            let odd = |text: &str| text.chars().filter(|c| c.is_control() || "<>:\"\\|?*".contains(*c)).count();
            // `{n:04}` has a colon that goes.
            assert!(odd(name) <= odd(written), "{path:?} of {pattern}");
            assert!(name.len() <= 60 * written.len() + 60);
        }
    }
    assert!(counted.has_counter());
    assert_ne!(counted.path(&meta, &observation, 1), counted.path(&meta, &observation, 2));
}

/// Any text is a rig or says where it is none; a rig that is written down is the same again.
pub fn rig(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match text.parse::<Rig>() {
        Ok(rig) => {
            if let Some(site) = rig.site {
                assert!((-90.0..=90.0).contains(&site.latitude.0) && (-180.0..180.0).contains(&site.longitude.0));
                assert!((-300.0..=10_000.0).contains(&site.elevation.0));
            }
            for (role, train) in &rig.optics {
                assert!(rig.devices.is_empty() || rig.devices.contains_key(role));
                assert!(train.focal_length.is_none_or(|length| length.0 > 0.0));
            }
            let written = toml(&rig);
            let again = written.parse::<Rig>().unwrap_or_else(|error| panic!("{error} in {written}"));
            assert_eq!((again.devices, again.observer, again.site_name), (rig.devices, rig.observer, rig.site_name));
        }
        Err(error) => {
            // A text of one line can be quoted with six letters for each of its bytes.
            assert!(error.message().len() < 20 * text.len() + 1000, "{error}");
            let line: usize = error
                .message()
                .strip_prefix("rig, line ")
                .and_then(|rest| rest.split(':').next()?.parse().ok())
                .expect("a line");
            assert!((1..=text.matches('\n').count() + 1).contains(&line), "{error}");
        }
    }
}

/// The texts of a rig as a rig file.
fn toml(rig: &Rig) -> String {
    // JSON's texts are TOML's, but for one character.
    let quoted = |text: &str| serde_json::Value::from(text).to_string().replace('\x7f', "\\u007f");
    let mut written = String::new();
    let mut line = |key: &str, value: &str| writeln!(written, "{key} = {}", quoted(value)).expect("into memory");
    if let Some(observer) = &rig.observer {
        line("observer", observer);
    }
    if let Some(name) = &rig.site_name {
        line("site.name", name);
    }
    for (role, address) in &rig.devices {
        line(&format!("devices.{}", quoted(role)), &address.to_string());
    }
    written
}

/// Any text is a pattern of properties, an assignment, or neither; what a pattern fits is what it says.
///
/// The input is a pattern or an assignment, and after zeros a device and a property.
pub fn property(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut parts = text.split('\0');
    let mut part = || parts.next().unwrap_or_default();
    let (written, device, name) = (part(), part(), part());
    if let Ok(pattern) = written.parse::<PropertyPattern>() {
        assert_eq!(pattern.to_string().parse().as_ref(), Ok(&pattern));
        let expected = fits(&pattern.device, device) && fits(&pattern.property, name);
        assert_eq!(pattern.fits(device, name), expected, "{pattern} and {device}.{name}");
    }
    if let Ok(assignment) = written.parse::<Assignment>() {
        let Assignment { device, property, values } = &assignment;
        assert!(!device.is_empty() && !property.is_empty() && !values.is_empty());
        let dotted = values.iter().any(|(element, _)| element.contains('.'));
        let join = |all: Vec<String>| all.join(";");
        let pairs = || values.iter();
        let printed = match dotted || values.len() == 1 {
            true => join(pairs().map(|(element, value)| format!("{element}={value}")).collect()),
            false => {
                let elements = join(pairs().map(|(element, _)| element.clone()).collect());
                elements + "=" + &join(pairs().map(|(_, value)| value.clone()).collect())
            }
        };
        assert_eq!(format!("{device}.{property}.{printed}").parse().as_ref(), Ok(&assignment));
    }
}

/// Whether a text fits a pattern with `*`, by the table of all beginnings of both.
fn fits(pattern: &str, text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    for c in pattern.chars() {
        if c == '*' {
            let first = reached.iter().position(|reached| *reached).unwrap_or(reached.len());
            reached[first..].fill(true);
        } else {
            for at in (0..text.len()).rev() {
                reached[at + 1] = reached[at] && text[at] == c;
            }
            reached[0] = false;
        }
    }
    reached[text.len()]
}
