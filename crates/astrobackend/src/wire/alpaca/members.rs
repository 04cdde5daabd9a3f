//! The table of every member that an Alpaca device has: verb, parameters, and what it answers.
//!
//! One table for the server (what is a path, which parameters must be there and of which type, what an error
//! reply's `Value` looks like) and for the tests of it. Source: the OpenAPI text of the Alpaca Device API v1.

use crate::device::DeviceKind;
use Type::*;

/// How a member is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    /// HTTP GET: reads.
    Get,
    /// HTTP PUT: changes something.
    Put,
}

/// The type of a parameter or an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// `true` or `false`.
    Bool,
    /// A signed 32-bit integer, also for enumerations.
    Int,
    /// A double.
    Double,
    /// Text.
    Text,
    /// A moment, as text.
    Date,
    /// A list of integers.
    Ints,
    /// A list of texts.
    Texts,
    /// A list of objects.
    Objects,
    /// The picture.
    Image,
}

/// A parameter: its name with the casing that a PUT must have, and its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// The name, as in `BinX`.
    pub name: &'static str,
    /// The type.
    pub of: Type,
}

/// A member of a device's interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// The name, as in the path: `binx`.
    pub name: &'static str,
    /// How it is asked for.
    pub verb: Verb,
    /// What must be given, as (name, type); [`Member::parameters`].
    parameters: &'static [(&'static str, Type)],
    /// What it answers; `None` for a PUT that only does something.
    pub returns: Option<Type>,
}

impl Member {
    /// What must be given with it, besides the ids.
    pub fn parameters(&self) -> impl Iterator<Item = Parameter> {
        self.parameters.iter().map(|(name, of)| Parameter { name, of: *of })
    }
}

/// The members of all device kinds.
pub fn members() -> &'static [Member] {
    COMMON
}

/// The members that only devices of a kind have.
pub fn members_of(kind: DeviceKind) -> &'static [Member] {
    match kind {
        DeviceKind::Camera => CAMERA,
        DeviceKind::FilterWheel => FILTER_WHEEL,
        DeviceKind::Focuser => FOCUSER,
        DeviceKind::Mount => TELESCOPE,
    }
}

/// The member of a kind with this name, common ones included; names are lower case.
pub fn member(kind: DeviceKind, verb: Verb, name: &str) -> Option<&'static Member> {
    let found = |members: &'static [Member]| {
        // Sorted by name; GET and PUT of one name are neighbours.
        let at = members.partition_point(|member| member.name < name);
        members[at..].iter().take_while(|member| member.name == name).find(|member| member.verb == verb)
    };
    found(members_of(kind)).or_else(|| found(COMMON))
}

const fn get(name: &'static str, returns: Type, parameters: &'static [(&'static str, Type)]) -> Member {
    Member { name, verb: Verb::Get, parameters, returns: Some(returns) }
}

const fn put(name: &'static str, parameters: &'static [(&'static str, Type)]) -> Member {
    Member { name, verb: Verb::Put, parameters, returns: None }
}

/// A PUT that answers something. The OpenAPI text lets some writes of the telescope answer a value too; the
/// Reference and strict clients do not, and neither does this table.
const fn ask(name: &'static str, returns: Type, parameters: &'static [(&'static str, Type)]) -> Member {
    Member { name, verb: Verb::Put, parameters, returns: Some(returns) }
}

const COMMON: &[Member] = &[
    ask("action", Text, &[("Action", Text), ("Parameters", Text)]),
    put("commandblind", &[("Command", Text), ("Raw", Bool)]),
    ask("commandbool", Bool, &[("Command", Text), ("Raw", Bool)]),
    ask("commandstring", Text, &[("Command", Text), ("Raw", Bool)]),
    put("connect", &[]),
    get("connected", Bool, &[]),
    put("connected", &[("Connected", Bool)]),
    get("connecting", Bool, &[]),
    get("description", Text, &[]),
    get("devicestate", Objects, &[]),
    put("disconnect", &[]),
    get("driverinfo", Text, &[]),
    get("driverversion", Text, &[]),
    get("interfaceversion", Int, &[]),
    get("name", Text, &[]),
    get("supportedactions", Texts, &[]),
];

const CAMERA: &[Member] = &[
    put("abortexposure", &[]),
    get("bayeroffsetx", Int, &[]),
    get("bayeroffsety", Int, &[]),
    get("binx", Int, &[]),
    put("binx", &[("BinX", Int)]),
    get("biny", Int, &[]),
    put("biny", &[("BinY", Int)]),
    get("camerastate", Int, &[]),
    get("cameraxsize", Int, &[]),
    get("cameraysize", Int, &[]),
    get("canabortexposure", Bool, &[]),
    get("canasymmetricbin", Bool, &[]),
    get("canfastreadout", Bool, &[]),
    get("cangetcoolerpower", Bool, &[]),
    get("canpulseguide", Bool, &[]),
    get("cansetccdtemperature", Bool, &[]),
    get("canstopexposure", Bool, &[]),
    get("ccdtemperature", Double, &[]),
    get("cooleron", Bool, &[]),
    put("cooleron", &[("CoolerOn", Bool)]),
    get("coolerpower", Double, &[]),
    get("electronsperadu", Double, &[]),
    get("exposuremax", Double, &[]),
    get("exposuremin", Double, &[]),
    get("exposureresolution", Double, &[]),
    get("fastreadout", Bool, &[]),
    put("fastreadout", &[("FastReadout", Bool)]),
    get("fullwellcapacity", Double, &[]),
    get("gain", Int, &[]),
    put("gain", &[("Gain", Int)]),
    get("gainmax", Int, &[]),
    get("gainmin", Int, &[]),
    get("gains", Texts, &[]),
    get("hasshutter", Bool, &[]),
    get("heatsinktemperature", Double, &[]),
    get("imagearray", Image, &[]),
    get("imagearrayvariant", Image, &[]),
    get("imageready", Bool, &[]),
    get("ispulseguiding", Bool, &[]),
    get("lastexposureduration", Double, &[]),
    get("lastexposurestarttime", Date, &[]),
    get("maxadu", Int, &[]),
    get("maxbinx", Int, &[]),
    get("maxbiny", Int, &[]),
    get("numx", Int, &[]),
    put("numx", &[("NumX", Int)]),
    get("numy", Int, &[]),
    put("numy", &[("NumY", Int)]),
    get("offset", Int, &[]),
    put("offset", &[("Offset", Int)]),
    get("offsetmax", Int, &[]),
    get("offsetmin", Int, &[]),
    get("offsets", Texts, &[]),
    get("percentcompleted", Int, &[]),
    get("pixelsizex", Double, &[]),
    get("pixelsizey", Double, &[]),
    put("pulseguide", &[("Direction", Int), ("Duration", Int)]),
    get("readoutmode", Int, &[]),
    put("readoutmode", &[("ReadoutMode", Int)]),
    get("readoutmodes", Texts, &[]),
    get("sensorname", Text, &[]),
    get("sensortype", Int, &[]),
    get("setccdtemperature", Double, &[]),
    put("setccdtemperature", &[("SetCCDTemperature", Double)]),
    put("startexposure", &[("Duration", Double), ("Light", Bool)]),
    get("startx", Int, &[]),
    put("startx", &[("StartX", Int)]),
    get("starty", Int, &[]),
    put("starty", &[("StartY", Int)]),
    put("stopexposure", &[]),
    get("subexposureduration", Double, &[]),
    put("subexposureduration", &[("SubExposureDuration", Double)]),
];

const FILTER_WHEEL: &[Member] = &[
    get("focusoffsets", Ints, &[]),
    get("names", Texts, &[]),
    get("position", Int, &[]),
    put("position", &[("Position", Int)]),
];

const FOCUSER: &[Member] = &[
    get("absolute", Bool, &[]),
    put("halt", &[]),
    get("ismoving", Bool, &[]),
    get("maxincrement", Int, &[]),
    get("maxstep", Int, &[]),
    put("move", &[("Position", Int)]),
    get("position", Int, &[]),
    get("stepsize", Double, &[]),
    get("tempcomp", Bool, &[]),
    put("tempcomp", &[("TempComp", Bool)]),
    get("tempcompavailable", Bool, &[]),
    get("temperature", Double, &[]),
];

const TELESCOPE: &[Member] = &[
    put("abortslew", &[]),
    get("alignmentmode", Int, &[]),
    get("altitude", Double, &[]),
    get("aperturearea", Double, &[]),
    get("aperturediameter", Double, &[]),
    get("athome", Bool, &[]),
    get("atpark", Bool, &[]),
    get("axisrates", Objects, &[("Axis", Int)]),
    get("azimuth", Double, &[]),
    get("canfindhome", Bool, &[]),
    get("canmoveaxis", Bool, &[("Axis", Int)]),
    get("canpark", Bool, &[]),
    get("canpulseguide", Bool, &[]),
    get("cansetdeclinationrate", Bool, &[]),
    get("cansetguiderates", Bool, &[]),
    get("cansetpark", Bool, &[]),
    get("cansetpierside", Bool, &[]),
    get("cansetrightascensionrate", Bool, &[]),
    get("cansettracking", Bool, &[]),
    get("canslew", Bool, &[]),
    get("canslewaltaz", Bool, &[]),
    get("canslewaltazasync", Bool, &[]),
    get("canslewasync", Bool, &[]),
    get("cansync", Bool, &[]),
    get("cansyncaltaz", Bool, &[]),
    get("canunpark", Bool, &[]),
    get("declination", Double, &[]),
    get("declinationrate", Double, &[]),
    put("declinationrate", &[("DeclinationRate", Double)]),
    get("destinationsideofpier", Int, &[("RightAscension", Double), ("Declination", Double)]),
    get("doesrefraction", Bool, &[]),
    put("doesrefraction", &[("DoesRefraction", Bool)]),
    get("equatorialsystem", Int, &[]),
    put("findhome", &[]),
    get("focallength", Double, &[]),
    get("guideratedeclination", Double, &[]),
    put("guideratedeclination", &[("GuideRateDeclination", Double)]),
    get("guideraterightascension", Double, &[]),
    put("guideraterightascension", &[("GuideRateRightAscension", Double)]),
    get("ispulseguiding", Bool, &[]),
    put("moveaxis", &[("Axis", Int), ("Rate", Double)]),
    put("park", &[]),
    put("pulseguide", &[("Direction", Int), ("Duration", Int)]),
    get("rightascension", Double, &[]),
    get("rightascensionrate", Double, &[]),
    put("rightascensionrate", &[("RightAscensionRate", Double)]),
    put("setpark", &[]),
    get("sideofpier", Int, &[]),
    put("sideofpier", &[("SideOfPier", Int)]),
    get("siderealtime", Double, &[]),
    get("siteelevation", Double, &[]),
    put("siteelevation", &[("SiteElevation", Double)]),
    get("sitelatitude", Double, &[]),
    put("sitelatitude", &[("SiteLatitude", Double)]),
    get("sitelongitude", Double, &[]),
    put("sitelongitude", &[("SiteLongitude", Double)]),
    get("slewing", Bool, &[]),
    get("slewsettletime", Int, &[]),
    put("slewsettletime", &[("SlewSettleTime", Int)]),
    put("slewtoaltaz", &[("Azimuth", Double), ("Altitude", Double)]),
    put("slewtoaltazasync", &[("Azimuth", Double), ("Altitude", Double)]),
    put("slewtocoordinates", &[("RightAscension", Double), ("Declination", Double)]),
    put("slewtocoordinatesasync", &[("RightAscension", Double), ("Declination", Double)]),
    put("slewtotarget", &[]),
    put("slewtotargetasync", &[]),
    put("synctoaltaz", &[("Azimuth", Double), ("Altitude", Double)]),
    put("synctocoordinates", &[("RightAscension", Double), ("Declination", Double)]),
    put("synctotarget", &[]),
    get("targetdeclination", Double, &[]),
    put("targetdeclination", &[("TargetDeclination", Double)]),
    get("targetrightascension", Double, &[]),
    put("targetrightascension", &[("TargetRightAscension", Double)]),
    get("tracking", Bool, &[]),
    put("tracking", &[("Tracking", Bool)]),
    get("trackingrate", Int, &[]),
    put("trackingrate", &[("TrackingRate", Int)]),
    get("trackingrates", Ints, &[]),
    put("unpark", &[]),
    get("utcdate", Date, &[]),
    put("utcdate", &[("UTCDate", Date)]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_is_found_by_its_name() {
        for kind in DeviceKind::ALL {
            for expected in members_of(kind).iter().chain(members()) {
                assert_eq!(member(kind, expected.verb, expected.name), Some(expected));
            }
        }
        assert_eq!(member(DeviceKind::Camera, Verb::Put, "imagearray"), None);
        assert_eq!(member(DeviceKind::Camera, Verb::Get, "BinX"), None);
        assert_eq!(member(DeviceKind::Focuser, Verb::Get, "binx"), None);
    }
}
