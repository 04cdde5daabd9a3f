//! The backend: its list of devices, its addresses, its refusals.

use crate::{Lab, Outcome, Stop, case_list, ensure, require};
use astrobackend::{
    ErrorKind,
    device::{DeviceId, DeviceKind},
    event::EventKind,
};
use std::{collections::HashSet, time::Duration};

case_list!("backend": devices_have_names_of_their_own, a_device_address_opens_that_device, an_unknown_device_is_not_found,
    the_address_survives_printing, connecting_is_an_event, every_listener_hears_everything);

fn devices_have_names_of_their_own(lab: &Lab) -> Outcome {
    let devices = lab.backend.devices()?;
    ensure!(!devices.is_empty(), "there are no devices");
    let ids: HashSet<&DeviceId> = devices.iter().map(|info| &info.id).collect();
    ensure!(ids.len() == devices.len(), "two devices share kind and name: {devices:?}");
    for info in &devices {
        ensure!(!info.id.name.trim().is_empty(), "a {} has no name", info.id.kind);
        let device = lab.backend.device(&info.id)?;
        ensure!(device.device().info().id == info.id, "{} opens as {:?}", info.id, device.device().info().id);
    }
    Ok(())
}

fn a_device_address_opens_that_device(lab: &Lab) -> Outcome {
    for info in lab.backend.devices()? {
        let text = info.address.to_string();
        let backend = astrobackend::open(&text)?;
        let only = backend.only(info.id.kind)?;
        ensure!(only == info.id, "{text} opens {only:?}, not {:?}", info.id);
    }
    Ok(())
}

fn an_unknown_device_is_not_found(lab: &Lab) -> Outcome {
    let devices = lab.backend.devices()?;
    for kind in DeviceKind::ALL {
        let result = lab.backend.device(&DeviceId::new(kind, "No Such Device"));
        let Err(error) = result else { return Err(Stop::Fail(format!("an unknown {kind} was opened"))) };
        ensure!(error.kind() == ErrorKind::NotFound, "an unknown {kind} is {error:?}");
        if let Some(there) = devices.iter().find(|info| info.id.kind == kind) {
            ensure!(error.to_string().contains(&there.id.name), "the refusal does not say what there is: {error}");
        }
    }
    Ok(())
}

fn the_address_survives_printing(lab: &Lab) -> Outcome {
    let address = lab.backend.address();
    let read: astrobackend::Address = address.to_string().parse()?;
    ensure!(read == *address, "{address} is read as {read}");
    ensure!(lab.backend.to_string() == address.to_string(), "the backend displays as {}", lab.backend);
    Ok(())
}

/// Disconnects and connects the first device; what it is called.
fn reconnect(lab: &Lab) -> Result<DeviceId, Stop> {
    let devices = lab.backend.devices()?;
    let Some(info) = devices.first() else { return Err(Stop::Fail("there are no devices".into())) };
    let device = lab.backend.device(&info.id)?;
    device.device().disconnect()?;
    require!(!device.device().is_connected()?, "the driver stays connected for other devices or clients");
    device.device().connect()?;
    Ok(info.id.clone())
}

fn connecting_is_an_event(lab: &Lab) -> Outcome {
    let events = lab.backend.events();
    let id = reconnect(lab)?;
    while let Some(event) = events.next(Duration::from_secs(10)) {
        if event.device.as_ref() == Some(&id) && event.kind == EventKind::Connected(true) {
            return Ok(());
        }
    }
    Err(Stop::Fail(format!("no event told that {id} was connected")))
}

fn every_listener_hears_everything(lab: &Lab) -> Outcome {
    let listeners = [lab.backend.events(), lab.backend.events()];
    let id = reconnect(lab)?;
    for (n, events) in listeners.iter().enumerate() {
        let about_it = |event: &astrobackend::Event| event.device.as_ref() == Some(&id);
        let heard = std::iter::from_fn(|| events.next(Duration::from_secs(10))).any(|event| about_it(&event));
        ensure!(heard, "listener {n} heard nothing of {id}");
    }
    Ok(())
}
