//! Who is let in, and who may change what.

use crate::client::{device, get, get_with, options, put, put_with, served};
use astrobackend::ErrorKind;
use astrobackend_server::alpaca::{Access, Login, Options, Server};

fn with(access: Access) -> Options {
    Options { access, ..options() }
}

#[test]
fn an_address_beyond_this_computer_needs_protection_or_a_word() {
    let start = |access| {
        let options = Options { listen: ([0, 0, 0, 0], 0).into(), ..with(access) };
        Server::start(astrobackend::open("sim://").unwrap(), options)
    };
    let refused = start(Access::default()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidValue);
    start(Access { open: true, ..Access::default() }).unwrap().stop();
}

#[test]
fn user_and_password_are_asked_for() {
    let login = Some(Login { user: "pier".into(), password: "secret".into() });
    let server = served("sim://", with(Access { login, ..Access::default() }));
    let path = "/api/v1/camera/0/name";
    let refused = get(server.address(), path);
    assert_eq!(refused.status, 401);
    assert!(refused.header("www-authenticate").unwrap().starts_with("Basic realm="));
    // pier:secret and pier:wrong
    let ask = |login: &str| get_with(server.address(), path, &format!("Authorization: Basic {login}\r\n")).status;
    assert_eq!((ask("cGllcjpzZWNyZXQ="), ask("cGllcjp3cm9uZw==")), (200, 401));
    assert_eq!(get(server.address(), "/setup").status, 401);
    server.stop();
}

#[test]
fn a_server_that_can_only_be_read_changes_nothing() {
    let server = served("sim://", with(Access { read_only: true, ..Access::default() }));
    let focuser = device(&server, "focuser");
    assert!(focuser.ask("position").is_ok());
    for (member, form) in [
        ("move", "Position=1"),
        ("halt", ""),
        ("connected", "Connected=false"),
        ("disconnect", ""),
        ("action", "Action=astrobackend:set-setting&Parameters=backlash%3D1"),
    ] {
        let reply = put(focuser.at, &focuser.path(member), form);
        assert_eq!((reply.status, reply.text().as_str()), (403, "this server can only be read"), "{member}");
    }
    // A client can begin, and learn what there is.
    focuser.done("connected", "Connected=true");
    focuser.done("connect", "");
    focuser.done("action", "Action=astrobackend:settings&Parameters=");
    server.stop();
}

#[test]
fn networks_that_are_not_allowed_are_refused() {
    let access = |network: &str| Access { networks: vec![network.parse().unwrap()], ..Access::default() };
    for (network, status) in [("10.0.0.0/8", 403), ("127.0.0.0/8", 200)] {
        let server = served("sim://", with(access(network)));
        assert_eq!(get(server.address(), "/api/v1/camera/0/name").status, status);
        server.stop();
    }
}

#[test]
fn pages_of_other_sites_are_refused() {
    let server = served("sim://", options());
    let at = server.address();
    let focuser = device(&server, "focuser");
    let foreign = put_with(at, &focuser.path("move"), "Position=1", "Origin: http://evil.example\r\n");
    assert_eq!(foreign.status, 403);
    let own = format!("Origin: http://{at}\r\n");
    assert_eq!(put_with(at, &focuser.path("move"), "Position=1", &own).status, 200);
    let rebound = crate::client::exchange(at, b"GET /setup HTTP/1.1\r\nHost: evil.example\r\n\r\n");
    assert_eq!(rebound.status, 403);
    server.stop();
}
