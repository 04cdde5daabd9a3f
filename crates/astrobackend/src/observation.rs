//! What surrounded a picture: optics, site, pointing, filter, focus. It goes into the file's header.
//!
//! The camera's own knowledge is in [`ImageMeta`](crate::image::ImageMeta); this is the rest of the
//! telescope at that moment, gathered by the rig. Unknown is `None`, never a guess.

use crate::{AltAz, Celsius, Metres, Microns, RaDec, Site, device::PierSide, fits::Header};

/// The rest of the telescope at the time of a picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observation {
    /// Name of the thing observed (`OBJECT`).
    pub object: Option<String>,
    /// Where the picture was meant to be taken (`OBJCTRA`, `OBJCTDEC`).
    pub target: Option<RaDec>,
    /// Who observes (`OBSERVER`).
    pub observer: Option<String>,
    /// Name of the site (`SITENAME`, `OBSERVAT`).
    pub site_name: Option<String>,
    /// The site (`SITELAT`, `SITELONG`, `SITEELEV`).
    pub site: Option<Site>,
    /// Name of the optics of **this** train (`TELESCOP`).
    pub telescope: Option<String>,
    /// Focal length of this train, reducers included (`FOCALLEN`).
    pub focal_length: Option<Metres>,
    /// Aperture of this train (`APTDIA`).
    pub aperture: Option<Metres>,
    /// Where the mount pointed (`RA`, `DEC`).
    pub pointing: Option<RaDec>,
    /// The same from the ground (`CENTALT`, `CENTAZ`, `AIRMASS`).
    pub horizon: Option<AltAz>,
    /// The mount's pointing state (`PIERSIDE`).
    pub pier_side: PierSide,
    /// Name of the filter (`FILTER`).
    pub filter: Option<String>,
    /// Name of the filter wheel (`FWHEEL`).
    pub filter_wheel: Option<String>,
    /// Name of the focuser (`FOCNAME`).
    pub focuser: Option<String>,
    /// Position of the focuser in steps (`FOCUSPOS`, `FOCPOS`).
    pub focus_position: Option<i32>,
    /// Length of a step of the focuser (`FOCUSSZ`).
    pub focus_step: Option<Microns>,
    /// Temperature at the focuser (`FOCUSTEM`, `FOCTEMP`).
    pub focus_temperature: Option<Celsius>,
    /// Address of the camera, for the file's history.
    pub camera_address: Option<String>,
    /// Cards of the user, which win over all but the structural ones.
    pub user: Header,
}
