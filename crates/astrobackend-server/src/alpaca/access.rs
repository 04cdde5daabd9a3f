//! Who may do what: networks, passwords, and pages of other sites in a browser on this computer.
//!
//! A server on the loopback address is out of reach for other computers, but not for a page from elsewhere that
//! a browser here shows: it could send requests to it, or have its own name point here (DNS rebinding). So what
//! comes from a page of another site is refused, and a loopback server answers to no foreign name.

use super::options::{Access, Login};
use base64::{Engine, engine::general_purpose::STANDARD};
use hyper::{
    HeaderMap, StatusCode,
    header::{AUTHORIZATION, HOST, HeaderName, ORIGIN},
};
use std::net::{IpAddr, SocketAddr};
use subtle::ConstantTimeEq;

/// A refusal: the status, and a sentence.
pub(super) type Refusal = (StatusCode, &'static str);

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// Refuses a request of somebody who must not make any.
pub(super) fn check(access: &Access, loopback: bool, peer: SocketAddr, headers: &HeaderMap) -> Result<(), Refusal> {
    if !is_allowed(access, peer.ip()) {
        return Err((StatusCode::FORBIDDEN, "this server does not serve your network"));
    }
    if is_foreign_page(headers) || loopback && has_foreign_name(headers) {
        return Err((StatusCode::FORBIDDEN, "this server does not answer to pages of other sites"));
    }
    match &access.login {
        Some(login) if !is_logged_in(login, headers) => Err((StatusCode::UNAUTHORIZED, "user and password are needed")),
        _ => Ok(()),
    }
}

/// True for a client of one of the networks that may come.
pub(super) fn is_allowed(access: &Access, client: IpAddr) -> bool {
    let client = client.to_canonical();
    access.networks.is_empty() || access.networks.iter().any(|network| network.contains(&client))
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

fn is_foreign_page(headers: &HeaderMap) -> bool {
    let host = text(headers, HOST).unwrap_or_default();
    let is_own = |origin: &str| origin.split_once("://").is_some_and(|(_, site)| site.eq_ignore_ascii_case(host));
    if headers.contains_key(ORIGIN) && !text(headers, ORIGIN).is_some_and(is_own) {
        return true;
    }
    // A link to a setup page is followed.
    text(headers, FETCH_SITE) == Some("cross-site") && text(headers, FETCH_MODE) != Some("navigate")
}

/// Numbers and `localhost` cannot be made to point here by somebody else.
fn has_foreign_name(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(HOST) else { return false };
    let Ok(host) = host.to_str() else { return true };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let number = name.trim_start_matches('[').trim_end_matches(']');
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    !(number.parse::<IpAddr>().is_ok() || name.is_empty() || name == "localhost" || name.ends_with(".localhost"))
}

fn is_logged_in(login: &Login, headers: &HeaderMap) -> bool {
    let given = text(headers, AUTHORIZATION).and_then(|value| value.split_once(' '));
    let given = given.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"));
    let given = given.and_then(|(_, encoded)| STANDARD.decode(encoded.trim()).ok()).unwrap_or_default();
    // However much of it is right, it takes the same time.
    let wanted = format!("{}:{}", login.user, login.password);
    given.ct_eq(wanted.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &str)| (HeaderName::from_static(name), value.parse().unwrap());
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn pages_of_other_sites_are_refused() {
        let host = ("host", "127.0.0.1:11111");
        for (pairs, foreign) in [
            (vec![host], false),
            (vec![host, ("origin", "http://127.0.0.1:11111")], false),
            (vec![host, ("origin", "http://127.0.0.1:80")], true),
            (vec![host, ("origin", "https://evil.example")], true),
            (vec![host, ("origin", "null")], true),
            (vec![host, ("sec-fetch-site", "cross-site")], true),
            (vec![host, ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")], false),
        ] {
            assert_eq!(is_foreign_page(&headers(&pairs)), foreign, "{pairs:?}");
        }
    }

    #[test]
    fn a_loopback_server_has_no_foreign_name() {
        for own in
            ["localhost", "LocalHost:11111", "127.0.0.1:80", "[::1]:11111", "[::1]", "192.168.1.5", "a.localhost"]
        {
            assert!(!has_foreign_name(&headers(&[("host", own)])), "{own}");
        }
        for foreign in ["evil.example:11111", "localhost.evil.example", "127.0.0.1.evil.example", "[::1"] {
            assert!(has_foreign_name(&headers(&[("host", foreign)])), "{foreign}");
        }
    }

    #[test]
    fn user_and_password_must_both_be_right() {
        let login = Login { user: "pier".into(), password: "a:b".into() };
        let logged_in = |value: &str| is_logged_in(&login, &headers(&[("authorization", value)]));
        assert!(logged_in(&format!("Basic {}", STANDARD.encode("pier:a:b"))));
        assert!(logged_in(&format!("basic {}", STANDARD.encode("pier:a:b"))));
        for wrong in ["pier:a:c", "pier:a:", "pier:a:bb", "", ":"] {
            assert!(!logged_in(&format!("Basic {}", STANDARD.encode(wrong))), "{wrong}");
        }
        assert!(!logged_in("Bearer cGllcjphOmI=") && !logged_in("Basic %%%") && !is_logged_in(&login, &headers(&[])));
    }

    #[test]
    fn networks_have_their_clients() {
        let access = Access {
            networks: vec!["192.168.1.0/24".parse().unwrap(), "::1/128".parse().unwrap()],
            ..Access::default()
        };
        let allowed = |ip: &str| is_allowed(&access, ip.parse().unwrap());
        assert!(allowed("192.168.1.77") && allowed("::ffff:192.168.1.77") && allowed("::1"));
        assert!(!allowed("192.168.2.1") && !allowed("127.0.0.1"));
        assert!(is_allowed(&Access::default(), "10.0.0.1".parse().unwrap()));
    }
}
