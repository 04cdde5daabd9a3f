//! Streams that never end or promise too much, for [`Act::Endless`] and [`Act::Send`].

use super::{Act, Device};

/// Bytes that are not INDI; the same at each run.
pub fn garbage(length: usize) -> Vec<u8> {
    // xorshift64: every byte value comes, `<` and quotes among them.
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut byte = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..length).map(|_| byte()).collect()
}

/// Garbage for ever.
pub fn endless_garbage() -> Act {
    Act::Endless(|_| garbage(1 << 16))
}

/// Ever more devices, a hundred at a time.
pub fn endless_devices() -> Act {
    Act::Endless(|piece| {
        let device = |n| Device::new(&format!("Device {n}"), 2).definitions(None);
        (piece * 100..piece * 100 + 100).map(device).collect::<String>().into_bytes()
    })
}

/// One vector with ever more elements.
pub fn endless_elements() -> Act {
    Act::Endless(|piece| {
        let mut xml = String::new();
        if piece == 0 {
            xml += "<defNumberVector device='Camera' name='ENDLESS' state='Ok' perm='rw'>";
        }
        for n in piece * 500..piece * 500 + 500 {
            xml += &format!("<defNumber name='E{n}' label='E{n}' format='%g' min='0' max='1' step='1'>0</defNumber>");
        }
        xml.into_bytes()
    })
}

/// Tags in tags in tags.
pub fn endless_nesting() -> Act {
    Act::Endless(|piece| {
        let root = if piece == 0 { "<defTextVector device='Camera' name='NEST' state='Ok' perm='rw'>" } else { "" };
        (root.to_owned() + &"<a>".repeat(20_000)).into_bytes()
    })
}

/// An attribute that is never closed.
pub fn endless_attribute() -> Act {
    Act::Endless(|piece| {
        let head = if piece == 0 { "<message device='Camera' message='" } else { "" };
        (head.to_owned() + &"x".repeat(1 << 16)).into_bytes()
    })
}

/// A text element that is never closed.
pub fn endless_text() -> Act {
    Act::Endless(|piece| {
        let head = "<setTextVector device='Camera' name='T' state='Ok'><oneText name='T'>";
        (if piece == 0 { head } else { "" }.to_owned() + &"x".repeat(1 << 16)).into_bytes()
    })
}

/// A BLOB that says it has 4 GB, of which a little comes.
pub fn four_gigabytes(device: &str, property: &str) -> Vec<u8> {
    format!(
        "<setBLOBVector device='{device}' name='{property}' state='Ok'>\
         <oneBLOB name='{property}' size='4294967296' len='4294967296' format='.fits'>\nU0lNUExF\n"
    )
    .into_bytes()
}

/// A BLOB without any size that never ends.
pub fn endless_blob() -> Act {
    Act::Endless(|piece| {
        let head = "<setBLOBVector device='Camera' name='CCD1' state='Ok'><oneBLOB name='CCD1' format='.fits'>\n";
        (if piece == 0 { head } else { "" }.to_owned() + &"QUJD".repeat(1 << 16)).into_bytes()
    })
}

/// Messages to people, for ever.
pub fn endless_messages() -> Act {
    Act::Endless(|piece| super::xml::message("Camera", &format!("[INFO] number {piece}")).into_bytes())
}
