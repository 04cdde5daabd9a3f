//! Pages for people: what is offered, and how each device is now. They change nothing and need no scripts.

use super::{
    common, dispatch,
    http::{self, Service},
    management::ascom_type,
    served::Served,
};
use astrobackend::wire::alpaca::reply::Value;
use std::{fmt::Write, sync::Arc};

/// Nothing from elsewhere, and no scripts at all.
pub(super) const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";

const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;max-width:42rem;margin:1rem auto;padding:0 1rem;\
background:#111;color:#ddd}a{color:#8cf}h1{font-size:1.4rem}table{border-collapse:collapse;width:100%}\
th,td{text-align:left;padding:.3rem .6rem .3rem 0;border-bottom:1px solid #333;vertical-align:top;\
overflow-wrap:anywhere}th{font-weight:normal;color:#999;white-space:nowrap}";

/// Any text as part of a page: names of devices come from outside.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

fn page(title: &str, content: &str) -> String {
    let title = escape(title);
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>{title}</title>\
         <style>{STYLE}</style><h1>{title}</h1>{content}</html>"
    )
}

fn row(page: &mut String, name: &str, value: &str) {
    // Writing to memory does not fail.
    let _ = write!(page, "<tr><th>{}<td>{}", escape(name), escape(value));
}

/// All devices.
pub(super) fn list(service: &Service) -> String {
    let mut rows = String::new();
    for served in service.registry.present() {
        let (kind, number) = (served.id.kind.alpaca_name(), served.identity.number);
        let (name, backend) = (escape(&served.id.name), escape(&served.backend_address().to_string()));
        let _ = write!(
            rows,
            "<tr><th>{} {number}<td><a href=\"/setup/v1/{kind}/{number}/setup\">{name}</a><td>{backend}",
            ascom_type(served.id.kind)
        );
    }
    if rows.is_empty() {
        rows.push_str("<tr><td>There are no devices.");
    }
    let version = env!("CARGO_PKG_VERSION");
    page("Devices", &format!("<table>{rows}</table><p>astrobackend {version}, ASCOM Alpaca</p>"))
}

/// One device.
pub(super) async fn device(served: &Arc<Served>) -> String {
    let mut rows = String::new();
    row(&mut rows, "Kind", ascom_type(served.id.kind));
    row(&mut rows, "Number", &served.identity.number.to_string());
    row(&mut rows, "Backend", &served.backend_address().to_string());
    row(&mut rows, "UniqueID", &served.identity.unique_id);
    row(&mut rows, "Description", &common::description(served));
    row(&mut rows, "Driver", &common::driver(served));
    row(&mut rows, "Driver version", &common::driver_version(served));
    let connected = http::look(served, "connected").await.map(|value| print(&value));
    row(&mut rows, "Connected", &connected.unwrap_or_else(|error| error.to_string()));
    let looking = served.clone();
    match dispatch::read(served, "the state", move |_| common::states(&looking)).await {
        Ok(states) => states.iter().for_each(|(name, value)| row(&mut rows, name, &print(value))),
        Err(error) => row(&mut rows, "State", &error.to_string()),
    }
    page(&served.id.name, &format!("<table>{rows}</table><p><a href=\"/setup\">All devices</a></p>"))
}

fn print(value: &Value) -> String {
    match value {
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Int(value) => value.to_string(),
        Value::Double(value) => format!("{value:.4}"),
        Value::Text(value) => value.to_string(),
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_no_markup() {
        let page = page("<script>", &{
            let mut rows = String::new();
            row(&mut rows, "a\"b", "<img src=x onerror='x'>&");
            rows
        });
        assert!(!page.contains("<script>") && !page.contains("<img"), "{page}");
        assert!(page.contains("&lt;img src=x onerror=&#39;x&#39;&gt;&amp;"), "{page}");
    }
}
