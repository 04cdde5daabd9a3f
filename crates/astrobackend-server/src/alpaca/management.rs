//! The management API: what server this is, and which devices it has.

use super::http::Service;
use astrobackend::{
    device::DeviceKind,
    wire::alpaca::{
        reply::{Transaction, print_management},
        request::Path,
    },
};
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Description<'a> {
    server_name: &'static str,
    manufacturer: &'static str,
    manufacturer_version: &'static str,
    location: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Device {
    device_name: String,
    device_type: &'static str,
    device_number: u32,
    #[serde(rename = "UniqueID")]
    unique_id: String,
}

/// ASCOM's name of a kind, capitalised as some clients want it.
pub(super) fn ascom_type(kind: DeviceKind) -> &'static str {
    match kind {
        DeviceKind::Camera => "Camera",
        DeviceKind::FilterWheel => "FilterWheel",
        DeviceKind::Focuser => "Focuser",
        DeviceKind::Mount => "Telescope",
        other => other.alpaca_name(),
    }
}

/// The reply to one of the paths under `/management`.
pub(super) async fn answer(service: &Service, path: Path<'_>, ids: Transaction) -> Vec<u8> {
    match path {
        Path::ApiVersions => print_management(&[1], ids),
        Path::ConfiguredDevices => print_management(&devices(service).await, ids),
        _ => print_management(
            &Description {
                server_name: "astrobackend",
                manufacturer: "the astrobackend project",
                manufacturer_version: env!("CARGO_PKG_VERSION"),
                location: &service.location,
            },
            ids,
        ),
    }
}

/// Those that are there now; a backend that does not answer in time has those that it had before.
async fn devices(service: &Service) -> Vec<Device> {
    let registry = service.registry.clone();
    let look = move || registry.refresh();
    if let Err(error) = service.listing.run("listing the devices", service.limits.call, look).await {
        log::warn!("not every backend lists its devices: {error}");
    }
    let device = |served: &std::sync::Arc<super::served::Served>| Device {
        device_name: served.id.name.clone(),
        device_type: ascom_type(served.id.kind),
        device_number: served.identity.number,
        unique_id: served.identity.unique_id.clone(),
    };
    service.registry.present().iter().map(device).collect()
}
