//! Devices as tables: what was written to a member is read from it.

use super::{Answer, Request};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// The members of the devices, as JSON, by `camera/0/binx`.
#[derive(Debug, Default)]
pub struct Members(Mutex<BTreeMap<String, String>>);

const CAMERA: &[(&str, &str)] = &[
    ("connected", "false"),
    ("name", "\"Fake Camera\""),
    ("interfaceversion", "3"),
    ("description", "\"A camera that does as it is told\""),
    ("driverinfo", "\"fake\""),
    ("driverversion", "\"1.0\""),
    ("supportedactions", "[]"),
    ("cameraxsize", "8"),
    ("cameraysize", "6"),
    ("maxbinx", "2"),
    ("maxbiny", "2"),
    ("canasymmetricbin", "false"),
    ("exposuremin", "0.0"),
    ("exposuremax", "100.0"),
    ("canabortexposure", "true"),
    ("camerastate", "0"),
    ("imageready", "false"),
    ("binx", "1"),
    ("biny", "1"),
    ("startx", "0"),
    ("starty", "0"),
    ("numx", "8"),
    ("numy", "6"),
];

const FOCUSER: &[(&str, &str)] = &[
    ("connected", "false"),
    ("interfaceversion", "4"),
    ("absolute", "true"),
    ("maxstep", "1000"),
    ("maxincrement", "1000"),
    ("position", "500"),
    ("ismoving", "false"),
];

impl Members {
    /// A camera and a focuser.
    pub fn new() -> Self {
        let members = Members::default();
        for (member, value) in CAMERA {
            members.set(&format!("camera/0/{member}"), value);
        }
        for (member, value) in FOCUSER {
            members.set(&format!("focuser/0/{member}"), value);
        }
        members
    }

    /// Sets a member, as JSON.
    pub fn set(&self, member: &str, value: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(member.to_owned(), value.to_owned());
    }

    /// A member, as JSON.
    pub fn get(&self, member: &str) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(member).cloned()
    }

    /// The answer of a server without management: what is in the table, or 400.
    pub fn answer(&self, request: &Request) -> Answer {
        let member = request.member();
        let absent = || Answer::Body(400, "text/plain", format!("there is no {member}").into_bytes());
        if request.verb == "GET" {
            return self.get(member).map_or_else(absent, Answer::Value);
        }
        match member.rsplit_once('/') {
            // The two that have an effect of their own.
            Some((device, "connect")) if self.get(&format!("{device}/connecting")).is_some() => {
                self.set(&format!("{device}/connected"), "true");
                Answer::done()
            }
            _ if self.get(member).is_some() => {
                let written =
                    request.form.split('&').next().and_then(|pair| pair.split_once('=')).map(|(_, value)| value);
                self.set(member, written.unwrap_or("null"));
                Answer::done()
            }
            _ => absent(),
        }
    }
}
