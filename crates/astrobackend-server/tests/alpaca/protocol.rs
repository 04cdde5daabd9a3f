//! The protocol to the letter, for every member of every kind: the table says what there is to be asked.

use crate::client::{Reply, get, put, simulator};
use astrobackend::{
    device::DeviceKind,
    wire::alpaca::{Member, Type, Verb, members, members_of},
};
use std::net::SocketAddr;

/// A value of a parameter's type that is at least understood.
fn good(of: Type) -> &'static str {
    match of {
        Type::Bool => "True",
        Type::Int => "0",
        Type::Double => "1.5",
        Type::Date => "2026-01-15T21:30:00.0000000Z",
        _ => "text",
    }
}

fn arguments(member: &Member) -> Vec<String> {
    member.parameters().map(|parameter| format!("{}={}", parameter.name, good(parameter.of))).collect()
}

struct Asking {
    at: SocketAddr,
    kind: DeviceKind,
    member: &'static Member,
}

impl Asking {
    fn path(&self) -> String {
        format!("/api/v1/{}/0/{}", self.kind.alpaca_name(), self.member.name)
    }

    fn ask(&self, parameters: &str) -> Reply {
        match self.member.verb {
            Verb::Get => get(self.at, &format!("{}?{parameters}", self.path())),
            Verb::Put => put(self.at, &self.path(), parameters),
        }
    }

    /// With its arguments and these.
    fn with(&self, more: &str) -> Reply {
        let mut all = arguments(self.member);
        all.push(more.to_owned());
        self.ask(&all.join("&"))
    }

    fn understood(&self, more: &str, client: u64) {
        let reply = self.with(more);
        let what = format!("{:?} {} {more}: {}", self.member.verb, self.path(), reply.text());
        assert_eq!(reply.status, 200, "{what}");
        assert_eq!(reply.header("content-type"), Some("application/json"), "{what}");
        let json = reply.json();
        let keys: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
        let mut expected = vec!["ClientTransactionID", "ServerTransactionID", "ErrorNumber", "ErrorMessage"];
        if self.member.returns == Some(Type::Image) {
            expected.splice(0..0, ["Type", "Rank", "Value"]);
        } else if self.member.returns.is_some() {
            expected.insert(0, "Value");
        }
        let sorted = |mut keys: Vec<&str>| {
            keys.sort_unstable();
            keys.join(" ")
        };
        assert_eq!(sorted(keys), sorted(expected), "{what}");
        assert_eq!(json["ClientTransactionID"], client, "{what}");
        assert!(json["ServerTransactionID"].as_u64().unwrap() >= 1, "{what}");
        assert!(!json["Value"].is_null() || self.member.returns.is_none(), "{what}");
        let text = json["ErrorMessage"].as_str().unwrap();
        assert_eq!(text.is_empty(), json["ErrorNumber"] == 0, "{what}");
    }

    fn refused(&self, reply: &Reply, names: &str) {
        assert_eq!(reply.status, 400, "{} {}", self.path(), reply.text());
        assert!(reply.text().contains(names), "{}: {} does not name {names}", self.path(), reply.text());
        assert_eq!(reply.header("content-type"), Some("text/plain; charset=utf-8"));
    }
}

fn inverted(name: &str) -> String {
    let invert = |c: char| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
    name.chars().map(invert).collect()
}

fn check_ids(asking: &Asking) {
    asking.understood("ClientID=123&ClientTransactionID=67890", 67890);
    asking.understood("", 0);
    asking.understood("Extra=%20one&ClientTransactionID=5", 5);
    let echoed = if asking.member.verb == Verb::Get { 67890 } else { 0 };
    asking.understood("clientid=123&CLIENTTRANSACTIONID=67890", echoed);
    for wrong in ["", "%20%20", "-1", "text"] {
        for id in ["ClientID", "ClientTransactionID"] {
            asking.refused(&asking.with(&format!("{id}={wrong}")), id);
        }
    }
}

fn check_parameters(asking: &Asking) {
    let all = arguments(asking.member);
    for (place, parameter) in asking.member.parameters().enumerate() {
        let replaced = |by: Option<String>| {
            let mut others = all.clone();
            others.remove(place);
            others.extend(by);
            asking.ask(&others.join("&"))
        };
        asking.refused(&replaced(None), parameter.name);
        let value = good(parameter.of);
        let miscased = replaced(Some(format!("{}={value}", inverted(parameter.name))));
        match asking.member.verb {
            Verb::Get => assert_eq!(miscased.status, 200, "{}", miscased.text()),
            Verb::Put => asking.refused(&miscased, parameter.name),
        }
        if parameter.of != Type::Text {
            asking.refused(&replaced(Some(format!("{}=asduio6fghZZ", parameter.name))), parameter.name);
            asking.refused(&replaced(Some(format!("{}=", parameter.name))), parameter.name);
        }
    }
}

#[test]
fn every_member_keeps_to_the_letter() {
    for kind in DeviceKind::ALL {
        let server = simulator();
        for member in members_of(kind).iter().chain(members()) {
            let asking = Asking { at: server.address(), kind, member };
            check_ids(&asking);
            check_parameters(&asking);
        }
        server.stop();
    }
}

#[test]
fn paths_that_lead_nowhere_are_refused() {
    let server = simulator();
    let at = server.address();
    for path in [
        "/api/v1/CAMERA/0/name",
        "/api/v1/Camera/0/name",
        "/api/v1/baddevicetype/0/name",
        "/api/v1/rotator/0/name",
        "/api/v1/camera/-1/name",
        "/api/v1/camera/99999/name",
        "/api/v1/camera/A/name",
        "/api/v1/camera/0/badmethod",
        "/api/v1/camera/0/Name",
        "/api/v1/camera/0/",
        "/api/v1/camera/0/startexposure",
        "/api/v1/focuser/0/binx",
        "/api/v2/camera/0/name",
        "/management/v2/description",
        "/setup/v1/camera/7/setup",
        "/setup/v1/camera/0/../../../../etc/passwd",
        "/favicon.ico",
    ] {
        let reply = get(at, path);
        assert_eq!(reply.status, 400, "{path}: {}", reply.text());
        assert!(!reply.body.is_empty());
    }
    assert_eq!(put(at, "/api/v1/camera/0/name", "").status, 400);
    assert_eq!(put(at, "/management/apiversions", "").status, 405);
    server.stop();
}

#[test]
fn the_management_api_describes_the_server() {
    let server = simulator();
    let at = server.address();
    let versions = get(at, "/management/apiversions?ClientTransactionID=9").json();
    assert_eq!((&versions["Value"][0], &versions["ClientTransactionID"]), (&1.into(), &9.into()));
    let description = get(at, "/management/v1/description").json();
    for key in ["ServerName", "Manufacturer", "ManufacturerVersion", "Location"] {
        assert!(description["Value"][key].is_string(), "{description}");
    }
    let devices = get(at, "/management/v1/configureddevices").json();
    let types: Vec<_> = devices["Value"].as_array().unwrap().iter().map(|device| &device["DeviceType"]).collect();
    assert_eq!(types, ["Camera", "FilterWheel", "Focuser", "Telescope"]);
    for device in devices["Value"].as_array().unwrap() {
        assert_eq!(device["DeviceNumber"], 0);
        assert!(device["UniqueID"].as_str().unwrap().len() >= 12 && device["DeviceName"].is_string());
    }
    server.stop();
}

#[test]
fn server_transactions_count_up() {
    let server = simulator();
    let ask = || get(server.address(), "/api/v1/camera/0/name").json()["ServerTransactionID"].as_u64().unwrap();
    let first = ask();
    assert_eq!((first, ask(), ask()), (1, 2, 3));
    server.stop();
}
