//! A picture as clients get it: a FITS file in a BLOB, made once and shared by all who want it.

use astrobackend::{
    Image,
    device::Colour,
    fits,
    observation::Observation,
    wire::indi::{Elements, Leaving, State, Vector},
};

/// A file, and the message around it.
#[derive(Debug)]
pub(super) struct Picture {
    pub(super) device: String,
    vector: &'static str,
    pub(super) around: Leaving,
    pub(super) file: Vec<u8>,
}

impl Picture {
    /// A FITS file as the value of a vector whose one element has the same name.
    pub(super) fn new(device: &str, vector: &'static str, file: Vec<u8>) -> Self {
        let mut message = Vector::new(device, vector, Elements::Blob(Vec::new()));
        message.state = Some(State::Ok);
        message.timestamp = Some(super::property::now().into());
        let around = Leaving::new(&message, vector, ".fits", file.len());
        Picture { device: device.to_owned(), vector, around, file }
    }

    /// The property.
    pub(super) fn vector(&self) -> &'static str {
        self.vector
    }

    /// True for pictures of the same vector.
    pub(super) fn is_of_the_vector_of(&self, other: &Picture) -> bool {
        self.device == other.device && self.vector == other.vector
    }
}

/// The FITS file of a picture. By INDI's convention its `BAYERPAT` is that of the sensor's corner, whatever the region.
pub(super) fn file(image: &Image, observation: &Observation, colour: Colour) -> Vec<u8> {
    let mut header = fits::header(image, observation);
    if let (Some(_), Colour::Bayer(pattern)) = (image.meta.bayer, colour) {
        // A pattern is always a valid card.
        let _ = header.set("BAYERPAT", pattern.to_string(), "Bayer pattern of the sensor's corner");
    }
    fits::to_vec(image, &header)
}
