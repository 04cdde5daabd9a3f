//! A bridge over a bridge loses nothing: what the second says is what the first says.

use crate::client::{device, get, options, served, simulator};
use astrobackend::{
    device::DeviceKind,
    wire::alpaca::{Type, Verb, members, members_of},
};
use serde_json::Value;

/// What names the way to the device, what has the time in it, and what goes on by itself between two questions.
const ITS_OWN: [&str; 2] = ["driverinfo", "devicestate"];
const CLOCKS: [&str; 6] = ["utcdate", "siderealtime", "altitude", "azimuth", "ccdtemperature", "heatsinktemperature"];

fn alike(one: &Value, other: &Value) -> bool {
    match (one.as_f64(), other.as_f64()) {
        // Angles and times go through other units on the way.
        (Some(one), Some(other)) => (one - other).abs() <= 1e-9 * one.abs().max(1.0),
        _ => one == other,
    }
}

#[test]
fn every_member_says_the_same_through_two_bridges() {
    let first = simulator();
    let second = served(&format!("alpaca://{}", first.address()), options());
    for kind in DeviceKind::ALL {
        let mut asked = 0;
        for member in members_of(kind).iter().chain(members()) {
            let left_out = ITS_OWN.contains(&member.name) || CLOCKS.contains(&member.name);
            let plain = member.parameters().next().is_none() && member.returns != Some(Type::Image);
            if member.verb != Verb::Get || left_out || !plain {
                continue;
            }
            let path = format!("/api/v1/{}/0/{}", kind.alpaca_name(), member.name);
            let [one, other] = [&first, &second].map(|server| get(server.address(), &path).json());
            assert_eq!(one["ErrorNumber"], other["ErrorNumber"], "{path}: {one} and {other}");
            assert!(alike(&one["Value"], &other["Value"]), "{path}: {one} and {other}");
            asked += 1;
        }
        assert!(asked >= 8, "{kind}: {asked} members");
    }
    let camera = device(&second, "camera");
    camera.done("startexposure", "Duration=0.1&Light=True");
    camera.until("imageready", true);
    let path = camera.path("imagearray");
    let [one, other] = [&first, &second].map(|server| get(server.address(), &path).json());
    assert_eq!((&one["Type"], &one["Rank"]), (&other["Type"], &other["Rank"]));
    assert!(one["Value"] == other["Value"], "the picture is another one");
    second.stop();
    first.stop();
}
